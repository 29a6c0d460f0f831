"""A proxy before a server: it passes all on, holds it back as a frozen server does, or answers 500 or 503."""

import selectors
import socket
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal, cast
from urllib.parse import urlsplit

State = Literal["open", "frozen", "failing", "locked"]
_REST = b"\r\ncontent-type: application/json\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{}"
FAILURES: dict[State, bytes] = {
    "failing": b"HTTP/1.1 500 Internal Server Error" + _REST,
    "locked": b"HTTP/1.1 503 Service Unavailable" + _REST,  # its database is locked
}
LOOK_EVERY_S = 0.05


class Proxy:
    """A proxy in front of a server.

    Args:
        behind: The server's address.
        port: Where the proxy listens on 127.0.0.1.
    """

    def __init__(self, behind: str, port: int) -> None:
        self.state: State = "open"
        self._behind = urlsplit(behind)
        self._port = port

    @property
    def url(self) -> str:
        """The address of what is behind it, by way of the proxy."""
        return f"http://127.0.0.1:{self._port}{self._behind.path}"

    def pass_on(self, client: socket.socket, is_over: threading.Event) -> None:
        """Pass on what both sides send, as the state says, until one of them ends."""
        with (
            socket.create_connection((str(self._behind.hostname), self._behind.port or 80)) as server,
            selectors.DefaultSelector() as selector,
        ):
            others = {client: server, server: client}
            for one in others:
                selector.register(one, selectors.EVENT_READ)
            while not is_over.is_set():
                if self.state == "frozen":
                    is_over.wait(LOOK_EVERY_S)
                    continue
                for key, _ in selector.select(LOOK_EVERY_S):
                    side = cast("socket.socket", key.fileobj)
                    data = side.recv(65536)
                    if not data:
                        return
                    if self.state in FAILURES and side is client:
                        client.sendall(FAILURES[self.state])
                        return
                    others[side].sendall(data)


@contextmanager
def proxy_to(behind: str) -> Iterator[Proxy]:
    """Serve a proxy before a server."""
    is_over = threading.Event()

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            try:
                proxy.pass_on(self.request, is_over)
            except OSError:  # one side has gone
                return

    class Server(socketserver.ThreadingTCPServer):
        daemon_threads = True
        block_on_close = False

    with Server(("127.0.0.1", 0), Handler) as server:
        proxy = Proxy(behind, server.server_address[1])
        thread = threading.Thread(target=server.serve_forever, args=(LOOK_EVERY_S,), daemon=True)
        thread.start()
        try:
            yield proxy
        finally:
            is_over.set()
            server.shutdown()
            thread.join()
