"""A step as a Prefect task: one task run for a whole batch of work.

A task run costs the server 10 ms and more, so a task is a batch of orders or of candidates, never one
picture.
Nothing is cached, kept or retried by Prefect: its cache pays twice after a kill, and the ledger knows what
is done. An ``async`` step is awaited or gathered inside an ``async def`` flow, never submitted.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from functools import wraps
from inspect import iscoroutinefunction
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar, cast

from prefect import task
from prefect.cache_policies import NO_CACHE
from prefect.utilities.annotations import quote

from tasks.errors import RunoffError
from tasks.order import Order

if TYPE_CHECKING:
    from flows.session.session import Session

P = ParamSpec("P")
R = TypeVar("R")


def as_task(step: Callable[P, R], *, name: str) -> Callable[P, R]:
    """Wrap a step so that each call of it is one Prefect task run.

    The arguments are handed over as they are: Prefect would otherwise walk through each of them, however
    large, in search of its own objects.

    Args:
        step: A plain function or coroutine function; let it return counts and ids, never pictures or frames.
        name: How Prefect's pages call the task.

    Returns:
        A callable of the same signature, for use inside a flow.

    Raises:
        Exception: Calling it raises what the step raises, and the task run is marked as failed.
    """
    as_batch = task(name=name, cache_policy=NO_CACHE, persist_result=False, retries=0, log_prints=False)
    run = cast("Callable[..., Any]", as_batch(step))
    if not iscoroutinefunction(step):

        @wraps(step)
        def call(*args: P.args, **kwargs: P.kwargs) -> R:
            return cast("R", run(*_untouched(args), **_untouched_by_name(kwargs)))

        return call

    @wraps(step)
    async def call_async(*args: P.args, **kwargs: P.kwargs) -> object:
        return await cast("Awaitable[object]", run(*_untouched(args), **_untouched_by_name(kwargs)))

    return cast("Callable[P, R]", call_async)


async def in_batches(
    run: "Session", orders: Sequence[Order], size: int, make: Callable[[Sequence[Order]], Awaitable[None]]
) -> None:
    """Make orders batch by batch, side by side; a fault in one closes the run's buyer.

    Raises:
        Exception: The first fault. The other batches have ended too by then: theirs is money as well.
    """

    async def make_one(batch: Sequence[Order]) -> None:
        try:
            await make(batch)
        except RunoffError as error:
            run.buyer.close(error)
            raise

    batches = [orders[start : start + size] for start in range(0, len(orders), size)]
    ends = await asyncio.gather(*(make_one(batch) for batch in batches), return_exceptions=True)
    for end in ends:
        if end is not None:
            raise end


def _untouched(args: tuple[object, ...]) -> list[object]:
    return [quote(value) for value in args]


def _untouched_by_name(kwargs: dict[str, Any]) -> dict[str, object]:
    return {name: quote(value) for name, value in kwargs.items()}
