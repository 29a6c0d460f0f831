"""Comparing drafts with one another while others are still on their way.

Comparing is most of the work between a run's last answer and its end, and while answers are awaited the
processor has little to do. What was compared is kept in memory for the step that finds duplicates. Nothing is
recorded, so a run that is killed here loses nothing.
"""

import asyncio

from flows.evaluation.drafts import compare_ahead, earlier_drafts
from flows.session.session import Session
from tasks.candidate import Candidate
from tasks.errors import RunoffError


class ComparingAhead:
    """Compares a run's drafts as they are inspected, one pass at a time, in a thread."""

    def __init__(self, run: Session) -> None:
        self._run = run
        self._pass: asyncio.Task[None] | None = None
        self._is_due = False
        self._is_over = False
        self._earlier: list[Candidate] | None = None

    def go_on(self) -> None:
        """Compare what is inspected by now, after an earlier pass that still goes on.

        To be called for some dozen new drafts at a time: each pass reads all of the run.
        """
        self._is_due = True
        if self._is_wanted() and (self._pass is None or self._pass.done()):
            self._pass = asyncio.create_task(asyncio.to_thread(self._compare))

    async def end(self) -> None:
        """Stop after the pair that is being compared."""
        self._is_over = True
        if self._pass is not None:
            await self._pass

    def _is_wanted(self) -> bool:
        return not self._is_over and self._run.buyer.closed_by is None

    def _compare(self) -> None:
        stored, looks = self._run.stored, self._run.looks
        try:
            if self._earlier is None:
                self._earlier = []
                for folder, some in earlier_drafts(stored).items():
                    looks.add(folder, some)
                    self._earlier += some
            while self._is_due and self._is_wanted():
                self._is_due = False
                compare_ahead(stored, looks, self._earlier, self._is_wanted)
        except RunoffError:  # the step that finds duplicates meets it too, and reports it
            self._is_over = True
