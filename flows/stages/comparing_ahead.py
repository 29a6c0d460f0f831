"""Comparing drafts while others are still on their way: one pass at a time, beside buying.

A pass follows each batch. While the last answers are awaited the processor has little else to do, and further
passes leave less for the step that decides.
"""

import asyncio
import secrets

from flows.evaluation.ahead import compare_ahead, stop_comparing
from flows.session.session import Session

LAST_EVERY_S = 0.4
"""How often drafts are compared while nothing waits to be sent, seconds."""


class ComparingAhead:
    """Compares a run's drafts as they are inspected, one pass at a time."""

    def __init__(self, run: Session) -> None:
        self._run = run
        self._last = asyncio.create_task(self._compare_last())
        self._passes = secrets.token_hex(8)
        self._going_on: asyncio.Task[None] | None = None
        self._is_due = False
        self._is_over = False

    def go_on(self) -> None:
        """Compare what is inspected by now, after an earlier pass that still goes on.

        To be called for some dozen new drafts at a time: each pass reads all of the run.
        """
        self._is_due = True
        if self._is_wanted() and (self._going_on is None or self._going_on.done()):
            self._going_on = asyncio.create_task(self._compare())

    async def end(self) -> None:
        """Stop after the pair that is being compared."""
        self._is_over = True
        self._last.cancel()
        if self._going_on is not None and not self._going_on.done():
            await self._run.evaluate(stop_comparing, self._passes)
            await self._going_on

    def _is_wanted(self) -> bool:
        return not self._is_over and self._run.buyer.closed_by is None

    async def _compare_last(self) -> None:
        while self._run.evaluator.is_apart:
            await asyncio.sleep(LAST_EVERY_S)
            if self._run.buyer.n_in_flight and not self._run.buyer.n_waiting:
                self.go_on()

    async def _compare(self) -> None:
        while self._is_due and self._is_wanted():
            self._is_due = False
            await self._run.evaluate(compare_ahead, self._passes)
