"""A relay on this machine that answers as told, and serves files: a real server, for what is fetched."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Response = tuple[int, dict[str, str], bytes]


@dataclass
class Relay:
    """An address, what it answers, and what it was asked.

    Args:
        host: The address without a path.
        answer: What every purchase gets: status and body.
        files: What every path gets; a list is used up one by one, its last for ever.
        bought: How often something was bought.
        asked: The JSON of every purchase.
        fetched: The path and the headers of every request for a file.
    """

    host: str
    answer: tuple[int, Any] = (200, {})
    files: dict[str, Response | list[Response]] = field(default_factory=dict)
    bought: int = 0
    asked: list[dict[str, Any]] = field(default_factory=list)
    fetched: list[tuple[str, dict[str, str]]] = field(default_factory=list)

    @property
    def url(self) -> str:
        """The address of its API."""
        return f"{self.host}/v1"

    def file(self, path: str, data: bytes, status: int = 200, **headers: str) -> str:
        """Serve a file from now on; returns its address."""
        self.files[path] = (status, headers, data)
        return f"{self.host}{path}"

    def response_of(self, path: str) -> Response:
        """Return what a file's path gets now."""
        found = self.files.get(path, (404, {}, b"not here"))
        if isinstance(found, list):
            return found.pop(0) if len(found) > 1 else found[0]
        return found


@contextmanager
def relay() -> Iterator[Relay]:
    """Serve a relay on a free port until the end."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            sent = self.rfile.read(int(self.headers.get("content-length", 0)))
            served.bought += 1
            if self.headers.get("content-type") == "application/json":
                served.asked.append(json.loads(sent))
            status, body = served.answer
            content = body if isinstance(body, bytes) else json.dumps(body).encode()
            self._send(status, {"content-type": "application/json"}, content)

        def do_GET(self) -> None:
            served.fetched.append((self.path, {k.lower(): v for k, v in self.headers.items()}))
            self._send(*served.response_of(self.path))

        def _send(self, status: int, headers: dict[str, str], content: bytes) -> None:
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name.replace("_", "-"), value)
            self.send_header("content-length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    served = Relay(f"http://127.0.0.1:{server.server_port}")
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    try:
        yield served
    finally:
        server.shutdown()
        server.server_close()
