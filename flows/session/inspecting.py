"""Inspecting a run's pictures soon after they arrive, where a process of its own does that.

A stage inspects each batch when all of it is there. Where another process evaluates the run, that process has
nothing else to do until then, so that at a stage's end only the last pictures are left.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from flows.evaluation.drafts import inspect_new
from flows.runs.run import StoredRun
from flows.workers.evaluator import Evaluator
from tasks.errors import RunoffError

GATHER_S = 0.3
"""How long pictures are waited for after the first: each inspection begins and ends a transaction."""


@asynccontextmanager
async def inspected_soon(
    stored: StoredRun, evaluator: Evaluator, inspecting: asyncio.Lock, arrived: asyncio.Event
) -> AsyncIterator[None]:
    """Inspect pictures as they arrive, as long as a process of its own evaluates the run.

    Args:
        stored: The run.
        evaluator: Evaluates it.
        inspecting: Held while pictures are inspected.
        arrived: Set by whoever has kept a picture.
    """

    async def inspect() -> None:
        with suppress(RunoffError):  # the stage that inspects the rest meets it too, and reports it
            while evaluator.is_apart:
                await arrived.wait()
                await asyncio.sleep(GATHER_S)
                arrived.clear()
                async with inspecting:
                    if evaluator.is_apart:
                        await evaluator.evaluate(stored, inspect_new)

    task = asyncio.create_task(inspect())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
