"""Runs the emulator on a port: in the foreground, or in a thread for tests and benchmarks."""

import logging
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager

import uvicorn
from starlette.applications import Starlette

from tasks.emulator.app import create_app
from tasks.emulator.settings import EmulatorSettings
from tasks.errors import SettingError

START_LIMIT_S = 20.0
STOP_LIMIT_S = 2


def serve(
    settings: EmulatorSettings,
    host: str = "127.0.0.1",
    port: int = 0,
    ready: Callable[[str], None] | None = None,
) -> None:
    """Serve an emulator in the foreground until it is interrupted.

    Args:
        settings: How it behaves.
        host: Address to listen on.
        port: Port to listen on; 0 takes a free one.
        ready: Called when it listens, with the base URL for clients (``http://host:port/v1``).

    Raises:
        SettingError: The address cannot be listened on.
    """
    with closing(_listen(host, port)) as listener:
        server = uvicorn.Server(_quiet(create_app(settings)))
        if ready is not None:
            ready(_base_url(listener))
        server.run(sockets=[listener])


@contextmanager
def emulator_server(settings: EmulatorSettings | None = None, host: str = "127.0.0.1") -> Iterator[str]:
    """Run an emulator in a thread on a free port.

    Args:
        settings: How it behaves; ``None`` for the defaults.
        host: Address to listen on.

    Yields:
        The base URL for clients: ``http://127.0.0.1:port/v1``.

    Raises:
        SettingError: The address cannot be listened on, or the server did not start.
    """
    with closing(_listen(host, 0)) as listener:
        server = uvicorn.Server(_quiet(create_app(settings)))
        thread = threading.Thread(target=server.run, args=([listener],), name="emulator", daemon=True)
        thread.start()
        try:
            _wait_until_started(server, thread)
            yield _base_url(listener)
        finally:
            server.should_exit = True
            thread.join(START_LIMIT_S)


def _wait_until_started(server: uvicorn.Server, thread: threading.Thread) -> None:
    deadline_s = time.monotonic() + START_LIMIT_S
    while not server.started:
        if not thread.is_alive() or time.monotonic() > deadline_s:
            raise SettingError(where="emulator", what="its server did not start")
        time.sleep(0.005)


def _listen(host: str, port: int) -> socket.socket:
    # Without the protocol number asyncio does not disable Nagle's algorithm, which costs 40 ms on every
    # other answer.
    listener = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, proto=socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(2048)
    except OSError as error:
        listener.close()
        raise SettingError(
            where=f"{host}:{port}",
            what=f"the emulator cannot listen there: {error.strerror or error}",
            next_step="Choose another port, or 0 for a free one.",
        ) from error
    return listener


def _base_url(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}/v1" if ":" in host else f"http://{host}:{port}/v1"


def _quiet(app: Starlette) -> uvicorn.Config:
    # Faults break connections on purpose, so the server's log of them is suppressed.
    logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL + 1)
    return uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        timeout_graceful_shutdown=STOP_LIMIT_S,
        timeout_keep_alive=75,
        lifespan="off",
        ws="none",
    )
