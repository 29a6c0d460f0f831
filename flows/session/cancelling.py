"""Cancelling a run's batches; the finished part is billed, and collected when the run is resumed."""

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from flows.runs.run import StoredRun
from flows.session.prepare import prepare
from flows.session.session import open_session
from tasks.ledger import open_ledger
from tasks.ledger.runs import RunState
from tasks.money import count_of
from tasks.settings import Settings


@dataclass(frozen=True, slots=True)
class Cancelled:
    """The result of cancelling.

    Args:
        run_id: The run.
        batches: How many batches the provider was asked to cancel.
        notes: Why it would not cancel a batch, one sentence each.
    """

    run_id: str
    batches: int
    notes: tuple[str, ...] = ()

    @property
    def sentence(self) -> str:
        """The result in a sentence for people."""
        if not self.batches:
            return f"{self.run_id} has no batch at the provider. Nothing was changed."
        batches = count_of(self.batches, "batch", "batches")
        sentences = [f"The provider was asked to cancel {batches} of {self.run_id}.", *self.notes]
        return f"{' '.join(sentences)}\nCollect the finished part with: runoff run --resume {self.run_id}"


def cancel(settings: Settings, name: str) -> Cancelled:
    """Ask the provider to cancel a run's batches. Buys nothing.

    Args:
        settings: The home and the environment.
        name: The run: its id, a unique beginning of it, or ``latest``.

    Raises:
        RunError: There is no such run, its folder is missing, or another process works on it.
    """
    with open_ledger(settings.home, settings.environ) as ledger:
        run = StoredRun.find(settings, ledger, name)
        file, run_id = run.campaign_file(), run.run_id
        if not ledger.batches.open_of(run_id):
            return Cancelled(run_id, 0)
    return asyncio.run(_cancel(file, settings, run_id))


async def _cancel(file: Path, settings: Settings, run_id: str) -> Cancelled:
    prepared = await asyncio.to_thread(prepare, file, settings, run_id, are_drafts_done=True)
    async with open_session(prepared) as run:
        n_asked = await run.batch_lane.cancel(run_id)
        state: RunState = "waiting" if run.is_out else "stopped"
        run.ledger.runs.end(run_id, state, datetime.now(UTC))
        return Cancelled(run_id, n_asked, tuple(run.batch_lane.notes.values()))
