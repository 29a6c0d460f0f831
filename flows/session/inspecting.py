"""Inspecting a run's pictures soon after they arrive, where a process of its own does that.

A stage inspects each batch when all of it is there. Where another process evaluates the run, that process has
nothing else to do until then, so that at a stage's end only the last pictures are left.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING

from flows.evaluation.drafts import inspect_new
from flows.runs.run import StoredRun
from flows.workers.evaluator import Evaluator
from tasks.errors import RunoffError

if TYPE_CHECKING:
    from tasks.images_api.buyer import Purchase

GATHER_S = 0.3
"""How long pictures are waited for after the first: each inspection begins and ends a transaction."""


class Arrivals:
    """Watches a buyer: passes every order's end on, and can be waited on for pictures.

    Args:
        watch: Called with every end.
    """

    def __init__(self, watch: "Callable[[Purchase], None]") -> None:
        self._watch = watch
        self._have_come = asyncio.Event()

    def __call__(self, purchase: "Purchase") -> None:
        """Note an order's end and pass it on."""
        if purchase.n_pictures:
            self._have_come.set()
        self._watch(purchase)

    async def wait(self) -> None:
        """Wait for pictures, and a moment longer for others."""
        await self._have_come.wait()
        await asyncio.sleep(GATHER_S)
        self._have_come.clear()


@asynccontextmanager
async def inspected_soon(
    stored: StoredRun, evaluator: Evaluator, inspecting: asyncio.Lock, arrivals: Arrivals
) -> AsyncIterator[None]:
    """Inspect pictures as they arrive, as long as a process of its own evaluates the run.

    Args:
        stored: The run.
        evaluator: Evaluates it.
        inspecting: Held while pictures are inspected.
        arrivals: Watches its buyer.
    """

    async def inspect() -> None:
        with suppress(RunoffError):  # the stage that inspects the rest meets it too, and reports it
            while evaluator.is_apart:
                await arrivals.wait()
                async with inspecting:
                    if evaluator.is_apart:
                        await evaluator.evaluate(stored, inspect_new)

    task = asyncio.create_task(inspect())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
