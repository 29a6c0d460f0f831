"""Threads apart from asyncio's few: for what may block for minutes, and for what waits for the disk."""

import asyncio
import contextlib
import os
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from queue import SimpleQueue
from typing import ParamSpec, TypeVar

T = TypeVar("T")
P = ParamSpec("P")
WRITTEN_AT_ONCE = 6

_idle: list["SimpleQueue[Callable[[], None]]"] = []
"""Threads that wait for work: whoever starts one waits until it runs."""
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_idle.clear)  # no thread is there


class DiskThreads:
    """Threads in which answers are written, and their orders settled, a few at once and in turn.

    Answers come in bunches. If all of a bunch were written at once, each order would be settled, and the next
    one sent, only after all; a few at once are through in a fraction of that time, and the bunch dissolves.
    """

    def __init__(self) -> None:
        self._places = asyncio.Semaphore(WRITTEN_AT_ONCE)
        self._threads = ThreadPoolExecutor(WRITTEN_AT_ONCE, "keeping")

    async def run(self, keep: Callable[P, tuple[T, "Future[None]"]], *args: P.args, **kwargs: P.kwargs) -> T:
        """Write an answer in a thread, then wait until its order is settled.

        Args:
            keep: Writes it and begins to settle its order; returns a result and what ends with the settling.
            args: What it takes.
            kwargs: More of it.

        Returns:
            The result.

        Raises:
            Exception: What either of the two raises.
        """
        work = partial(keep, *args, **kwargs)
        async with self._places:
            kept, settling = await asyncio.get_running_loop().run_in_executor(self._threads, work)
            await asyncio.wrap_future(settling)
        return kept


async def in_own_thread(work: Callable[[], T]) -> T:
    """Call what may block for minutes in a thread and wait for it; what it raises is raised here.

    Unlike ``asyncio.to_thread`` it takes no place from others, and a process that ends does not wait for it.
    """
    loop = asyncio.get_running_loop()
    done: asyncio.Future[T] = loop.create_future()

    def end(result: T | None, fault: BaseException | None) -> None:
        if done.cancelled():
            return
        if fault is not None:
            done.set_exception(fault)
        else:
            done.set_result(result)  # type: ignore[arg-type]

    def run() -> None:
        result, fault = None, None
        try:
            result = work()
        except BaseException as error:  # raised where it is awaited
            fault = error
        with contextlib.suppress(RuntimeError):  # nobody waits any more: the loop is closed
            loop.call_soon_threadsafe(end, result, fault)

    try:
        _idle.pop().put(run)
    except IndexError:
        threading.Thread(target=_work, args=(run,), daemon=True).start()
    return await done


def _work(work: Callable[[], None]) -> None:
    """Do what is given, and what others give later."""
    own: SimpleQueue[Callable[[], None]] = SimpleQueue()
    while True:
        work()
        del work  # it holds an answer
        _idle.append(own)
        work = own.get()
