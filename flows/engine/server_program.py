"""The server process: Prefect's own web application on a free port of 127.0.0.1.

It listens before it imports anything heavy, so that its port is known within a tenth of a second and a
request sent meanwhile is answered as soon as the application is ready. It ends by itself when the last
process that uses it has ended, even if killed; events it has received are recorded first.
"""

import gc
import os
import socket
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

from flows.engine.registry import Registry

if TYPE_CHECKING:
    import uvicorn

WATCH_S = 0.05
DRAIN_S = 5.0
CLOSE_S = 8.0


def main(folder: str, wanted_port: str = "0") -> None:
    """Serve until the last client has left.

    Args:
        folder: ``<home>/.prefect``. The settings come through the environment.
        wanted_port: The port to listen on; 0 for a free one.
    """
    listener = socket.create_server(("127.0.0.1", int(wanted_port)))
    port = listener.getsockname()[1]
    os.environ |= {
        "PREFECT_API_URL": f"http://127.0.0.1:{port}/api",
        "PREFECT_SERVER_API_HOST": "127.0.0.1",
        "PREFECT_SERVER_API_PORT": str(port),
    }
    sys.stdout.write(f"{port}\n")
    sys.stdout.flush()
    os.dup2(2, 1)  # the pipe to the starter ends here; from now on all output goes to the log
    box: list[uvicorn.Server] = []
    threading.Thread(target=_exit_after_last_client, args=(Registry(Path(folder)), box), daemon=True).start()
    box.append(_build())
    box[0].run(sockets=[listener])
    sys.stderr.flush()
    os._exit(0)  # all is recorded; freeing what Prefect loaded would keep the last client a third of a second


def _build() -> "uvicorn.Server":
    gc.disable()  # garbage collection during the imports costs 0.6 s of 3
    import uvicorn
    from prefect.server.api.server import create_app

    app = create_app()
    gc.freeze()
    gc.enable()
    config = uvicorn.Config(app, log_level="error", lifespan="on", timeout_graceful_shutdown=2)
    return uvicorn.Server(config)


def _exit_after_last_client(registry: Registry, box: "list[uvicorn.Server]") -> None:
    while not _is_alone(registry):
        time.sleep(WATCH_S)
    if not box or not box[0].started:
        os._exit(0)
    _drain()
    box[0].should_exit = True
    time.sleep(CLOSE_S)
    os._exit(1)


def _is_alone(registry: Registry) -> bool:
    """Whether no process uses this server; if so, its record is removed too."""
    try:
        if registry.has_clients(os.getpid()):
            return False
        with registry.locked():  # the starter holds the lock until it is a client
            if registry.has_clients(os.getpid()):
                return False
            registry.forget(os.getpid())
    except OSError:  # the home was deleted
        return True
    return True


def _drain() -> None:
    """Wait until received events have left the queues; closing then writes the last batch.

    Prefect's in-memory queues have no public API, hence the private names; a test counts the task runs.
    """
    from prefect.server.utilities.messaging.memory import Topic

    deadline = time.monotonic() + DRAIN_S
    while time.monotonic() < deadline:
        queues = [
            subscription._queue
            for topic in list(Topic._topics.values())
            for subscription in topic._subscriptions
        ]
        if all(queue.empty() for queue in queues):
            return
        time.sleep(0.05)
