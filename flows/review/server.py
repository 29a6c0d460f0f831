"""The server of the review page: in the foreground for people, in a thread for tests."""

import logging
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager

import uvicorn
from starlette.types import ASGIApp

from tasks.errors import SettingError

START_LIMIT_S = 20.0
STOP_LIMIT_S = 2


def listen(host: str, port: int) -> socket.socket:
    """Listen on a port; 0 for a free one.

    Raises:
        SettingError: The address cannot be listened on.
    """
    listener = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, proto=socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(256)
    except OSError as error:
        listener.close()
        raise SettingError(
            where=f"{host}:{port}",
            what=f"the review page cannot listen there: {error.strerror or error}",
            next_step="Choose another port with --port, or 0 for a free one.",
        ) from error
    return listener


class _AnnouncedServer(uvicorn.Server):
    """A server that says when it is up: only from then on is a signal sure to end it."""

    def __init__(self, config: uvicorn.Config, ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._ready = ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._ready()


def serve(app: ASGIApp, listener: socket.socket, ready: Callable[[], None]) -> None:
    """Serve until interrupted.

    Args:
        app: The application.
        listener: The socket to serve on; it is closed at the end.
        ready: Called once requests are answered and a signal ends the server.
    """
    with closing(listener):
        _AnnouncedServer(_quiet(app), ready).run(sockets=[listener])


@contextmanager
def serving(app: ASGIApp, listener: socket.socket) -> Iterator[None]:
    """Serve in a thread for as long as the block lasts.

    Raises:
        SettingError: The server did not start.
    """
    with closing(listener):
        server = uvicorn.Server(_quiet(app))
        thread = threading.Thread(target=server.run, args=([listener],), name="review", daemon=True)
        thread.start()
        deadline_s = time.monotonic() + START_LIMIT_S
        while not server.started:
            if not thread.is_alive() or time.monotonic() > deadline_s:
                raise SettingError(where="review page", what="its server did not start")
            time.sleep(0.005)
        try:
            yield
        finally:
            server.should_exit = True
            thread.join(START_LIMIT_S)


def _quiet(app: ASGIApp) -> uvicorn.Config:
    logging.getLogger("uvicorn.error").setLevel(logging.ERROR)
    return uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=STOP_LIMIT_S,
        lifespan="off",
        ws="none",
    )
