"""What Prefect's client has queued for its server: events and log lines, sent by threads of its own.

At the end of a process they are sent, and what the server does not take is dropped: Prefect would try for
minutes, in which the process does not end. Prefect has no public way to drop them, hence the private names.
"""

import asyncio
import logging
import threading
import time
from typing import Any

from flows.engine.settings import is_loaded

_FLUSH_S = 10.0
_CLOSE_S = 0.5
"""How long a cancelled service may take to close its connection."""


def flush() -> None:
    """Send what is queued, for up to 10 s, and drop the rest."""
    if not is_loaded("prefect.events.worker"):
        return
    from prefect.events.worker import EventsWorker
    from prefect.logging.handlers import APILogWorker

    for service in (EventsWorker, APILogWorker):  # they would warn about unsent items
        logging.getLogger(service.__name__).setLevel(logging.ERROR)
    sending = _sending()

    def drain() -> None:
        EventsWorker.drain_all(timeout=_FLUSH_S / 2)
        APILogWorker.drain_all(timeout=_FLUSH_S / 2)

    # In a thread of its own, because inside an event loop these calls would only return a promise.
    thread = threading.Thread(target=drain)
    thread.start()
    thread.join(_FLUSH_S)
    _end(sending)


def drop() -> None:
    """Drop what is queued."""
    if is_loaded("prefect.events.worker"):
        _end(_sending())


def _sending() -> "list[asyncio.Task[None]]":
    """List the tasks that send, in Prefect's own loop."""
    from prefect._internal.concurrency.services import _active_services

    tasks: list[Any] = [service._task for service in list(_active_services)]
    return [task for task in tasks if task is not None and not task.done()]


def _end(sending: "list[asyncio.Task[None]]") -> None:
    """Cancel tasks, twice: the first time they close their connections, which may wait for the server too."""
    for _ in range(2):
        for task in sending:
            if not task.done():
                task.get_loop().call_soon_threadsafe(task.cancel)
        deadline_s = time.monotonic() + _CLOSE_S
        while time.monotonic() < deadline_s and not all(task.done() for task in sending):
            time.sleep(0.01)
