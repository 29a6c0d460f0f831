"""A flow run whose work does not depend on Prefect's server once it has begun.

Prefect's engine asks its server before a flow's function and after it. Where that does not answer, it asks
again for minutes and then fails. Here the end of the function counts. A server that does not let it begin
within ``BEGIN_LIMIT_S`` is an error, and nothing was bought; one that does not record the end within
``RECORD_LIMIT_S`` is reported and left. A flow run in a process of its own, started by Prefect's runner or
worker, waits as long as Prefect does, except once it was told to end: ``leave_when_unrecorded``. Of the time
in which this process was itself stopped, by Ctrl-Z or with its machine, no more than ``SLICE_S`` counts.
"""

import asyncio
import math
import os
import re
import sys
import threading
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager, nullcontext, suppress
from copy import copy
from functools import wraps
from types import NoneType
from typing import TYPE_CHECKING, Any, Generic, TypeVar, cast

from flows.engine.start_server import Engine

if TYPE_CHECKING:
    from prefect import Flow

T = TypeVar("T")
BEGIN_LIMIT_S = 30.0
RECORD_LIMIT_S = 12.0
UNRECORDED_STATUS = 143
"""As of a process that SIGTERM ended: Prefect's runner then says that the flow run crashed."""
WATCH_EVERY_S = 2.0
SLICE_S = 1.0
_LEAVE_S = 0.25
_PLAIN = (str, bool, int, NoneType)
"""What is the same in JSON."""
_CREDENTIALS = re.compile(r"(?<=//)[^/@\s]+@")


async def run_recorded(
    engine: Engine, flow: "Flow[..., Coroutine[Any, Any, T]]", *args: object, **kwargs: object
) -> T:
    """Run a flow, and have its server watched and restarted meanwhile. What it may spend, its function says.

    Args:
        engine: The server.
        flow: An asynchronous flow.
        args: Its arguments.
        kwargs: More of them.

    Returns:
        What the flow's function returns.

    Raises:
        EngineError: The server did not let it begin. Nothing was bought.
        Exception: What the flow's function raises.
    """
    with _handling_sigterm_itself():
        return await _run_recorded(engine, flow, *args, **kwargs)


async def _run_recorded(
    engine: Engine, flow: "Flow[..., Coroutine[Any, Any, T]]", *args: object, **kwargs: object
) -> T:
    work: _Work[T] = _Work(flow.fn)
    recorded = copy(flow)
    recorded.fn = work.function()
    if all(isinstance(value, _PLAIN) for value in (*args, *kwargs.values())):
        replaceable: Any = recorded
        replaceable.serialize_parameters = dict  # Prefect loads FastAPI to do the same
    watching = asyncio.create_task(_keep_server(engine))
    recording = asyncio.ensure_future(recorded(*args, **kwargs))
    try:
        await _until(work.has_begun, recording, BEGIN_LIMIT_S)
        if not work.has_begun.is_set():
            engine.is_given_up = True
            raise engine.failure(what=f"does not let a run begin ({_reason(recording, BEGIN_LIMIT_S)})")
        await _until(work.has_ended, recording, None)
        await _first({recording}, RECORD_LIMIT_S)
        if not recording.done() or (not work.has_failed and recording.exception()):
            engine.give_up(f"has not recorded the end of this run ({_reason(recording, RECORD_LIMIT_S)})")
    finally:
        watching.cancel()
        if work.has_begun.is_set() and not work.has_ended.is_set():  # cancelled from outside: it may clean up
            recording.cancel()
            await _until(work.has_ended, recording, None)
        await _leave(recording)
        await asyncio.gather(watching, return_exceptions=True)
    return work.result()


def leave_when_unrecorded() -> None:
    """Let this process end within ``RECORD_LIMIT_S``, whether or not the server records its flow run's end.

    For a flow run whose books are closed and which was told to end. In a process that runs something else
    besides, such as a notebook, it does nothing.
    """
    spec = getattr(sys.modules["__main__"], "__spec__", None)
    if spec is None or spec.name != "prefect.engine":
        return

    def leave() -> None:
        reason = f"no answer within {RECORD_LIMIT_S:.0f} s"
        line = (
            f"Prefect's server has not recorded the end of this flow run ({reason}). Its run is not affected."
        )
        with suppress(OSError):
            os.write(2, f"{line}\n".encode())
        os._exit(UNRECORDED_STATUS)

    timer = threading.Timer(RECORD_LIMIT_S, leave)
    timer.daemon = True
    timer.start()


@contextmanager
def _handling_sigterm_itself() -> Iterator[None]:
    """Let SIGTERM mean what it does to this process: Prefect's engine takes it, to raise wherever it comes.

    A run that is told to stop so would end in the middle of anything. Prefect has no setting for it.
    """
    import prefect.flow_engine

    replaceable: Any = prefect.flow_engine
    prefects = replaceable.capture_sigterm
    replaceable.capture_sigterm = nullcontext
    try:
        yield
    finally:
        replaceable.capture_sigterm = prefects


class _Work(Generic[T]):
    """A flow's function, with its beginning and its end."""

    def __init__(self, function: Callable[..., Coroutine[Any, Any, T]]) -> None:
        self.has_begun, self.has_ended = asyncio.Event(), asyncio.Event()
        self._function = function
        self._results: list[T] = []
        self._error: BaseException | None = None

    def function(self) -> Callable[..., Coroutine[Any, Any, T]]:
        """Return the function to run in its place."""

        @wraps(self._function)
        async def run(*args: object, **kwargs: object) -> T:
            from prefect.client.schemas.objects import State

            self.has_begun.set()
            try:
                result = await self._function(*args, **kwargs)
            except BaseException as error:
                self._error = error
                raise
            else:
                # Prefect takes a state for that of the flow run, and hands the caller its data.
                self._results.append(cast("T", result.data) if isinstance(result, State) else result)
                return result
            finally:
                self.has_ended.set()

        return run

    @property
    def has_failed(self) -> bool:
        """Whether it raised an error."""
        return self._error is not None

    def result(self) -> T:
        """Return what it returned, or raise what it raised."""
        if self._error is not None:
            raise self._error
        return self._results[0]


async def _until(event: asyncio.Event, recording: "asyncio.Future[Any]", limit_s: float | None) -> None:
    """Wait for an event, the end of the recording or the limit, whichever comes first."""
    waiter = asyncio.ensure_future(event.wait())
    try:
        await _first({waiter, recording}, math.inf if limit_s is None else limit_s)
    finally:
        waiter.cancel()


async def _first(awaited: "set[asyncio.Future[Any]]", limit_s: float) -> None:
    """Wait in slices for the first of these: who is stopped meanwhile loses one slice, not all."""
    while limit_s > 0:
        done, _ = await asyncio.wait(
            awaited, timeout=min(SLICE_S, limit_s), return_when=asyncio.FIRST_COMPLETED
        )
        if done:
            return
        limit_s -= SLICE_S


async def _leave(recording: "asyncio.Future[Any]") -> None:
    """Stop asking the server: twice, because Prefect answers the first cancellation by another request."""
    for _ in range(3):
        if recording.done():
            break
        recording.cancel()
        await asyncio.wait({recording}, timeout=_LEAVE_S)
    if recording.done() and not recording.cancelled():
        recording.exception()  # or the loop would report that nobody looked


async def _keep_server(engine: Engine) -> None:
    while True:
        await asyncio.sleep(WATCH_EVERY_S)
        await asyncio.to_thread(engine.mend)


def _reason(recording: "asyncio.Future[Any]", limit_s: float) -> str:
    """Describe in a few words why Prefect failed, without the credentials of an address."""
    if not recording.done():
        return f"no answer within {limit_s:.0f} s"
    if recording.cancelled() or (error := recording.exception()) is None:
        return "it was cancelled"
    cause = error.__cause__ or error
    status = getattr(getattr(cause, "response", None), "status_code", None)
    if status is not None:
        return f"it answers {status}"
    text = _CREDENTIALS.sub("", str(cause)).partition("\n")[0][:200]
    return f"{type(cause).__name__}: {text}" if text else type(cause).__name__
