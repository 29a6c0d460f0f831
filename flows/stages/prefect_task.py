"""A decorator that makes a function one Prefect task.

A task run costs the server 10 ms or more, so a task is a batch of orders or candidates, never one picture.
Prefect caches, persists and retries nothing: its cache would pay twice after a kill, and the ledger knows
what is done. An ``async`` task is awaited or gathered inside an ``async def`` flow, never submitted.
"""

from collections.abc import Awaitable, Callable
from functools import wraps
from inspect import iscoroutinefunction
from typing import Any, ParamSpec, TypeVar, cast

from prefect import task
from prefect.cache_policies import NO_CACHE
from prefect.utilities.annotations import quote

from tasks.redaction import with_redacted_errors
from tasks.tracing import span

P = ParamSpec("P")
R = TypeVar("R")


def as_task(name: str) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Make each call of a function one Prefect task run, and a span of its trace.

    The arguments are passed unchanged: Prefect would otherwise walk through each of them, however large, in
    search of its own objects.

    Args:
        name: The task's name in Prefect's UI.

    Returns:
        A decorator for a plain function or a coroutine function, which should return counts and ids, never
        pictures or frames. The decorated function has the same signature and is for use inside a flow.

    Raises:
        Exception: A call raises what the function raises, without secrets, and the task run is marked as
            failed.
    """
    as_batch = task(name=name, cache_policy=NO_CACHE, persist_result=False, retries=0, log_prints=False)

    def decorate(function: Callable[P, R]) -> Callable[P, R]:
        run = cast("Callable[..., Any]", as_batch(with_redacted_errors(function)))
        if not iscoroutinefunction(function):

            @wraps(function)
            def call(*args: P.args, **kwargs: P.kwargs) -> R:
                with span(name):
                    return cast("R", run(*_untouched(args), **_untouched_by_name(kwargs)))

            return call

        @wraps(function)
        async def call_async(*args: P.args, **kwargs: P.kwargs) -> object:
            with span(name):
                return await cast("Awaitable[object]", run(*_untouched(args), **_untouched_by_name(kwargs)))

        return cast("Callable[P, R]", call_async)

    return decorate


def _untouched(args: tuple[object, ...]) -> list[object]:
    return [quote(value) for value in args]


def _untouched_by_name(kwargs: dict[str, Any]) -> dict[str, object]:
    return {name: quote(value) for name, value in kwargs.items()}
