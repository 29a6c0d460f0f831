"""Errors without secrets: for those that leave the code as an object, such as to Prefect's states."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import Any, ParamSpec, TypeVar, cast

from tasks.redaction.known_secrets import hide_secrets

P = ParamSpec("P")
R = TypeVar("R")


def with_redacted_errors(function: Callable[P, R]) -> Callable[P, R]:
    """Let a function, or a coroutine function, raise only errors without secrets, whatever it calls raises.

    An error that shows a secret is changed in place; one that cannot be changed becomes a ``RuntimeError``
    that says the same without it.
    """
    if not asyncio.iscoroutinefunction(function):

        @wraps(function)
        def call(*args: P.args, **kwargs: P.kwargs) -> R:
            with _redacting_errors():
                return function(*args, **kwargs)

        return call

    @wraps(function)
    async def call_async(*args: P.args, **kwargs: P.kwargs) -> object:
        with _redacting_errors():
            return await cast("Awaitable[object]", function(*args, **kwargs))

    return cast("Callable[P, R]", call_async)


@contextmanager
def _redacting_errors() -> Iterator[None]:
    try:
        yield
    except Exception as error:
        chain = list(_chain(error))
        if all(_changed(one) for one in chain):
            raise
        raise RuntimeError(hide_secrets(repr(error))).with_traceback(error.__traceback__) from None


def _chain(error: BaseException) -> Iterator[BaseException]:
    """List an error, what caused it, and the members of groups, each once."""
    left, seen = [error], set()
    while left:
        one = left.pop()
        if id(one) in seen:
            continue
        seen.add(id(one))
        yield one
        left += [other for other in (one.__cause__, one.__context__) if other is not None]
        if isinstance(one, BaseExceptionGroup):
            left += one.exceptions


def _changed(error: BaseException) -> bool:
    """Redact an error's arguments, attributes and notes; return whether it now shows no secret."""
    if _is_clean(error):
        return True
    error.args = _hidden(error.args)
    for name, value in list(vars(error).items()):
        hidden = _hidden(value)
        if hidden is not value:
            setattr(error, name, hidden)
    return _is_clean(error)


def _is_clean(error: BaseException) -> bool:
    shown = "\n".join([str(error), repr(error), *getattr(error, "__notes__", ())])
    return hide_secrets(shown) == shown


def _hidden(value: Any) -> Any:  # noqa: ANN401 - of any type, the same comes back
    if isinstance(value, str):
        hidden = hide_secrets(value)
        return value if hidden == value else hidden
    if isinstance(value, bytes):
        return value if hide_secrets(repr(value)) == repr(value) else hide_secrets(repr(value)).encode()
    if type(value) in (tuple, list):
        hidden_items = [_hidden(item) for item in value]
        is_same = all(new is old for new, old in zip(hidden_items, value, strict=True))
        return value if is_same else type(value)(hidden_items)
    return value
