"""A collector of traces: a server that takes OTLP over HTTP as Jaeger and others do, and keeps the spans."""

import gzip
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)


@dataclass(frozen=True)
class CollectedSpan:
    """A span as it arrived."""

    name: str
    trace_id: str
    span_id: str
    parent_id: str
    is_error: bool
    attributes: dict[str, Any]
    links: tuple[str, ...]
    service: str
    n_events: int


@dataclass
class Collector:
    """A collector and what it has.

    Args:
        url: Its address, for ``OTEL_EXPORTER_OTLP_ENDPOINT``.
        spans: The spans.
        bodies: What was sent, byte for byte.
    """

    url: str = ""
    spans: list[CollectedSpan] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)

    def named(self, name: str) -> list[CollectedSpan]:
        """List the spans of a name."""
        return [span for span in self.spans if span.name == name]

    def take(self, body: bytes) -> None:
        """Take what an exporter sent."""
        self.bodies.append(body)
        request = ExportTraceServiceRequest.FromString(body)
        for of_resource in request.resource_spans:
            service = attributes_of(of_resource.resource).get("service.name", "")
            for scope in of_resource.scope_spans:
                self.spans += [span_of(span, service) for span in scope.spans]


def attributes_of(message: Any) -> dict[str, Any]:
    """Read the attributes of a message."""
    return {one.key: getattr(one.value, one.value.WhichOneof("value")) for one in message.attributes}


def span_of(span: Any, service: str) -> CollectedSpan:
    """Read a span."""
    return CollectedSpan(
        name=span.name,
        trace_id=span.trace_id.hex(),
        span_id=span.span_id.hex(),
        parent_id=span.parent_span_id.hex(),
        is_error=span.status.code == 2,
        attributes=attributes_of(span),
        links=tuple(link.trace_id.hex() for link in span.links),
        service=service,
        n_events=len(span.events),
    )


@contextmanager
def collector() -> Iterator[Collector]:
    """Collect on a free port of this machine until the end."""
    collected = Collector()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            is_zipped = self.headers.get("Content-Encoding") == "gzip"
            collected.headers.append(dict(self.headers))
            collected.take(gzip.decompress(body) if is_zipped else body)
            answer = ExportTraceServiceResponse().SerializeToString()
            self.send_response(200 if self.path == "/v1/traces" else 404)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, format: str, *args: object) -> None:
            del format, args

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        collected.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield collected
        finally:
            server.shutdown()
            thread.join()
