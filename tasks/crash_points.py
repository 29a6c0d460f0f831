"""Crash points: the named moments around every write, at which a test can end the process.

All that changes something outside the process passes one before and one after it: a file
(``tasks.storage.atomic``), a transaction (``tasks.ledger.database``), a request that may spend
(``tasks.images_api``). Steps name no points. Nobody watches in production, where a point costs an empty loop.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

Moment = Literal[
    "before write",
    "file written",
    "file renamed",
    "folder synced",
    "before delete",
    "file deleted",
    "before commit",
    "committed",
    "before request",
    "answered",
]
"""``file written``: complete under its temporary name. ``folder synced``: the file survives a power cut."""

Watcher = Callable[[Moment, tuple[Path, ...]], None]

_watchers: list[Watcher] = []


def crash_point(moment: Moment, *paths: Path) -> None:
    """Pass a point.

    Args:
        moment: What is about to be done, or was done.
        paths: The files concerned, if any.
    """
    for watcher in _watchers:
        watcher(moment, paths)


@contextmanager
def watching(watcher: Watcher) -> Iterator[None]:
    """Have a function called at every point that this process passes, in the thread that passes it."""
    _watchers.append(watcher)
    try:
        yield
    finally:
        _watchers.remove(watcher)
