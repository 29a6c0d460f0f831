"""Work that has its end even where whoever awaits it is cancelled: a request in flight is paid for."""

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any, TypeVar

T = TypeVar("T")


async def uncancelled(work: Coroutine[Any, Any, T], on_cancel: Callable[[], None]) -> T:
    """Await work in a task of its own, which outlives a cancellation; that is raised when it has ended.

    A program that gives up a run, by ``task.cancel()`` or a timeout, so loses no answer. Only where the task
    itself is cancelled, as all are at the end of an event loop, the work ends at once.

    Args:
        work: What is to be done.
        on_cancel: Called when whoever awaits is cancelled, to let the work end soon.
    """
    doing = asyncio.ensure_future(work)
    try:
        return await asyncio.shield(doing)
    except asyncio.CancelledError:
        if not doing.cancelled():
            on_cancel()
        while not doing.done():
            with suppress(asyncio.CancelledError):  # some libraries cancel again and again
                await asyncio.wait({doing})
        if not doing.cancelled():
            doing.exception()  # or the loop would report that nobody looked
        raise
