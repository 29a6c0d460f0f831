"""Threads apart from asyncio's few: for what may block for minutes, and for what waits for the disk."""

import asyncio
import contextlib
import os
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from queue import SimpleQueue
from typing import TypeVar

T = TypeVar("T")
MOST_AT_THE_DISK = 32

_idle: list["SimpleQueue[Callable[[], None]]"] = []
"""Threads that wait for work: whoever starts one waits until it runs."""
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_idle.clear)  # no thread is there


def disk_threads(concurrency: int) -> ThreadPoolExecutor:
    """Make threads in which answers are written: a disk makes many durable in the time of a few.

    In asyncio's own, six on two cores, whatever else is to be done would wait behind them.

    Args:
        concurrency: How many answers may come at once.
    """
    return ThreadPoolExecutor(min(concurrency, MOST_AT_THE_DISK), "keeping")


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
