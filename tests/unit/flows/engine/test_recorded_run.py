"""Time in which this process was stopped, as by Ctrl-Z, is not held against Prefect's server."""

import asyncio
import time
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any, cast

import pytest

from flows.engine import recorded_run, start_server
from flows.engine.recorded_run import run_recorded
from flows.engine.start_server import Engine
from tasks.errors import EngineError

if TYPE_CHECKING:
    from prefect import Flow

LIMIT_S = 0.4
Work = Callable[[], Coroutine[Any, Any, None]]


class Listener(Engine):
    """A server that is always there, and what is said of it."""

    def __init__(self) -> None:
        self.said: list[str] = []
        super().__init__("http://127.0.0.1:1/api", self.said.append)

    def mend(self) -> None:
        """Do nothing."""

    def failure(self, what: str) -> EngineError:
        """Build an error."""
        return EngineError(where="server", what=what)


class Recorded:
    """A flow whose server answers after the process was stopped."""

    def __init__(self, fn: Work, *, before: bool) -> None:
        self.fn, self.before = fn, before

    async def __call__(self) -> None:
        """Run."""
        if self.before:
            await stopped_for_a_while()
        await self.fn()
        if not self.before:
            await stopped_for_a_while()


async def stopped_for_a_while() -> None:
    """Stop the process for longer than any limit; the server's answer is read a few turns afterwards."""
    await some_turns()
    time.sleep(2 * LIMIT_S)
    await some_turns()


async def some_turns() -> None:
    """Let everything else go on."""
    for _ in range(20):
        await asyncio.sleep(0)


@pytest.mark.parametrize("before", [True, False], ids=["before it begins", "after it ended"])
def test_a_process_that_was_stopped_hears_the_servers_answer(
    before: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its flow run begins, and its end counts as recorded."""
    monkeypatch.setattr(recorded_run, "BEGIN_LIMIT_S", LIMIT_S)
    monkeypatch.setattr(recorded_run, "RECORD_LIMIT_S", LIMIT_S)
    monkeypatch.setattr(recorded_run, "SLICE_S", LIMIT_S / 4)
    bought: list[str] = []

    async def work() -> None:
        bought.append("a picture")

    engine = Listener()
    flow = cast("Flow[..., Coroutine[Any, Any, None]]", Recorded(work, before=before))
    asyncio.run(run_recorded(engine, flow))
    assert bought == ["a picture"]
    assert engine.said == []


class Starting(Listener):
    """A server that is ready after the process was stopped."""

    n_asked = 0

    def _answers(self) -> bool:
        self.n_asked += 1
        if self.n_asked == 1:
            time.sleep(2 * LIMIT_S)
        return self.n_asked > 2

    def _check(self, waited_s: float, limit_s: float | None) -> None:
        if waited_s > (limit_s or 0.0):
            raise self.failure(what="gave no answer")


def test_a_server_that_starts_while_the_process_is_stopped_is_awaited(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It is asked again before it is given up."""
    monkeypatch.setattr(start_server, "MOST_STEP_S", LIMIT_S / 4)
    engine = Starting()
    engine.wait_ready(LIMIT_S)
    assert engine.n_asked == 3
