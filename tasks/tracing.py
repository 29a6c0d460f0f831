"""Traces for OpenTelemetry: run, stage, batch and order as spans; off unless the environment asks for them.

Configured by OpenTelemetry's own variables alone. Without them nothing of it is imported. A span has names,
states and amounts, never a prompt, a secret or an error's message. A collector that is away costs nothing but
its spans.
"""

import logging
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from importlib.metadata import EntryPoint, entry_points, version
from typing import TYPE_CHECKING, Literal

from tasks.extras import install_command
from tasks.redaction import hide_secrets

if TYPE_CHECKING:
    from opentelemetry.context import Context
    from opentelemetry.sdk.trace.export import SpanExporter
    from opentelemetry.trace import Span as OtelSpan
    from opentelemetry.trace import Tracer

Value = str | int | float | bool | None
Carrier = Mapping[str, str]
"""A span as text for another process: ``traceparent`` and ``tracestate`` of W3C Trace Context."""

FLUSH_S = 3.0
"""How long the end of a run waits for a collector that has not failed yet."""
LOOK_S = 0.02
_ENDPOINTS = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
_EXPORTERS = "OTEL_TRACES_EXPORTER"
_OTLP: Mapping[str, str] = {"grpc": "otlp_proto_grpc", "http/protobuf": "otlp_proto_http"}

_tracer: "Tracer | None" = None
_flush: Callable[[], None] = lambda: None  # noqa: E731
_is_begun = False
_lock = threading.Lock()


class Span:
    """A span, or nothing where there are no traces.

    Args:
        span: OpenTelemetry's span.
    """

    def __init__(self, span: "OtelSpan | None" = None) -> None:
        self._span = span

    def note(self, **attributes: Value) -> None:
        """Add attributes, ``cost_usd`` as ``runoff.cost_usd``; what is not known (``None``) is left out."""
        if self._span is not None:
            self._span.set_attributes(_known(attributes))

    def follow(self, before: Carrier) -> None:
        """Link it to a span that it goes on from, which may have ended long ago."""
        if self._span is not None and before:
            from opentelemetry.trace import get_current_span

            self._span.add_link(get_current_span(_context_of(before)).get_span_context())

    def fail(self, error_type: str) -> None:
        """Mark it as failed.

        Args:
            error_type: A code, or the name of an error's class; never its message.
        """
        if self._span is not None:
            from opentelemetry.trace import StatusCode

            self._span.set_attribute("error.type", error_type)
            self._span.set_status(StatusCode.ERROR)


NO_SPAN = Span()


def wants_traces(environ: Mapping[str, str]) -> bool:
    """Whether an environment asks for traces: for an exporter or a collector, and not to be off."""
    if environ.get("OTEL_SDK_DISABLED", "").strip().lower() == "true":
        return False
    named = environ.get(_EXPORTERS, "").strip().lower()
    return named != "none" and bool(named or any(environ.get(name, "").strip() for name in _ENDPOINTS))


def begin_tracing(environ: Mapping[str, str], say: Callable[[str], None]) -> None:
    """Trace from now on in this process, if the environment asks for it or the program around it traces.

    What keeps traces from being made is said once and stops nothing.

    Args:
        environ: The environment.
        say: Shows one line.
    """
    global _tracer, _flush, _is_begun
    with _lock:
        if _is_begun:
            return
        _tracer = _tracer_of_the_program()
        if _tracer is None and wants_traces(environ):
            try:
                _tracer, _flush = _own_tracer(environ, say)
            except (ImportError, LookupError, ValueError) as error:
                say(hide_secrets(f"! No traces are made: {error}"))
        _is_begun = True


def end_tracing() -> None:
    """Send what is left, for at most ``FLUSH_S``; not at all to a collector that has failed."""
    _flush()


@contextmanager
def span(
    name: str,
    kind: Literal["internal", "client"] = "internal",
    *,
    parent: Carrier | None = None,
    **attributes: Value,
) -> Iterator[Span]:
    """Make a span of what happens inside; an error marks it as failed by its class.

    Args:
        name: Its name: one of few, such as ``order``.
        kind: ``client`` for a request to another program.
        parent: A span of another process; default: the one around it.
        attributes: See ``Span.note``.

    Yields:
        The span.
    """
    if _tracer is None:
        yield NO_SPAN
        return
    from opentelemetry.trace import SpanKind

    with _tracer.start_as_current_span(
        name,
        context=_context_of(parent) if parent else None,
        kind=SpanKind.CLIENT if kind == "client" else SpanKind.INTERNAL,
        attributes=_known(attributes),
        record_exception=False,  # its message may quote a prompt
        set_status_on_exception=False,
    ) as made:
        own = Span(made)
        try:
            yield own
        except BaseException as error:
            own.fail(type(error).__name__)
            raise


def current_carrier() -> dict[str, str]:
    """Return the span around as text for another process; empty where there are no traces."""
    carrier: dict[str, str] = {}
    if _tracer is not None:
        from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

        TraceContextTextMapPropagator().inject(carrier)
    return carrier


def carrier_in(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the span that started this process, as its environment names it (``TRACEPARENT``)."""
    names = ("traceparent", "tracestate")
    return {name: environ[name.upper()] for name in names if environ.get(name.upper())}


def _known(attributes: Mapping[str, Value]) -> dict[str, str | int | float | bool]:
    standard = {"model": "gen_ai.request.model", "provider": "gen_ai.provider.name"}
    return {
        standard.get(name, f"runoff.{name}"): value for name, value in attributes.items() if value is not None
    }


def _context_of(carrier: Carrier) -> "Context":
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

    return TraceContextTextMapPropagator().extract(carrier)


def _tracer_of_the_program() -> "Tracer | None":
    """Return a tracer of the program that uses Runoff, if it set OpenTelemetry up itself."""
    api = sys.modules.get("opentelemetry.trace")
    if api is None or isinstance(api.get_tracer_provider(), api.ProxyTracerProvider):
        return None
    tracer: Tracer = api.get_tracer("runoff", version("runoff"))
    return tracer


def _own_tracer(
    environ: Mapping[str, str], say: Callable[[str], None]
) -> "tuple[Tracer, Callable[[], None]]":
    """Set traces up for this process alone: Prefect's own spans would quote the parameters of flows."""
    try:
        from opentelemetry.sdk.resources import OTELResourceDetector, Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ImportError as fault:
        message = f"the extra otel is not installed. Install it with: {install_command('otel')}"
        raise ImportError(message) from fault
    trouble = _Trouble(say)
    _listen_alone(trouble)
    own = Resource.create({"service.name": "runoff", "service.version": version("runoff")})
    provider = TracerProvider(resource=own.merge(OTELResourceDetector().detect()), shutdown_on_exit=False)
    for exporter in list(_exporters(environ)):
        provider.add_span_processor(BatchSpanProcessor(exporter))

    trouble.is_sending = True

    def flush() -> None:
        sending = threading.Thread(target=provider.force_flush, daemon=True)
        sending.start()
        until_s = time.monotonic() + FLUSH_S
        while sending.is_alive() and not trouble.is_met.is_set() and time.monotonic() < until_s:
            sending.join(LOOK_S)

    return provider.get_tracer("runoff", version("runoff")), flush


def _exporters(environ: Mapping[str, str]) -> "Iterator[SpanExporter]":
    """Make the exporters that ``OTEL_TRACES_EXPORTER`` names, as installed packages offer them.

    Raises:
        LookupError: No installed package offers one of them.
    """
    offered = {each.name: each for each in entry_points(group="opentelemetry_traces_exporter")}
    for text in environ.get(_EXPORTERS, "").split(",") or ["otlp"]:
        name = text.strip() or "otlp"
        if name == "console":  # standard output is for answers
            from opentelemetry.sdk.trace.export import ConsoleSpanExporter

            yield ConsoleSpanExporter(out=sys.stderr)
            continue
        yield _offered(name, environ, offered).load()()


def _offered(name: str, environ: Mapping[str, str], offered: Mapping[str, EntryPoint]) -> EntryPoint:
    wanted = name
    if name == "otlp":
        protocols = ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL")
        protocol = next((environ[one].strip() for one in protocols if environ.get(one, "").strip()), "")
        wanted = _OTLP.get(protocol or "http/protobuf", protocol)
    if wanted not in offered:
        accepted = ", ".join(sorted({"otlp", "none", *offered}))
        message = f"{_EXPORTERS}={name}: no installed package offers {wanted} ({accepted})"
        raise LookupError(message)
    return offered[wanted]


class _Trouble(logging.Handler):
    """Says what is wrong with settings, and the first trouble with sending; keeps the others to itself.

    Args:
        say: Shows one line.
    """

    def __init__(self, say: Callable[[str], None]) -> None:
        super().__init__(logging.WARNING)
        self.is_sending = False
        self.is_met = threading.Event()
        self._say = say

    def emit(self, record: logging.LogRecord) -> None:
        """Say it once."""
        if not self.is_sending:
            self._say(f"! Traces: {hide_secrets(_reason(record))}")
        elif not self.is_met.is_set():
            self.is_met.set()
            told = hide_secrets(_reason(record)).rstrip(".")
            self._say(f"! Traces cannot be sent: {told}. The run goes on without them.")


def _reason(record: logging.LogRecord) -> str:
    """Return why something failed: what the system said first, or else the whole message."""
    given = record.args if isinstance(record.args, tuple) else ()
    error = next((one for one in given if isinstance(one, BaseException)), None)
    while error is not None and (before := error.__cause__ or error.__context__):
        error = before
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return record.getMessage()


def _listen_alone(handler: logging.Handler) -> None:
    logger = logging.getLogger("opentelemetry")
    logger.addHandler(handler)
    logger.propagate = False
