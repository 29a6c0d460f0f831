"""Cancelling a run's batches, and giving a run up for good.

What the provider has finished of a batch is billed, and collected when the run is resumed or given up. A run
that was given up is ``cancelled``: its report is written, no request of it is in flight, and only a person
takes it up again.
"""

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from flows.run_report import write_run_report
from flows.runs.lock import is_free, locked_run
from flows.runs.recovery import lost_line, settle_dead_run
from flows.runs.run import StoredRun
from flows.session.prepare import prepare
from flows.session.session import Session, open_session
from tasks.campaign.succession import NO_PART
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
    prepared = await asyncio.to_thread(prepare, file, settings, run_id, needed=NO_PART)
    async with open_session(prepared, "close") as run:
        n_asked = await run.batch_lane.cancel(run_id)
        state: RunState = "waiting" if run.is_out else "stopped"
        run.ledger.runs.end(run_id, state, datetime.now(UTC))
        return Cancelled(run_id, n_asked, tuple(run.batch_lane.notes.values()))


@dataclass(frozen=True, slots=True)
class GivenUp:
    """The result of giving a run up.

    Args:
        run_id: The run.
        state: Its state from now on: ``cancelled``, or ``done`` if it had ended before.
        is_closed: Its report is written; else the process that works on it will write it.
        unknown: How many requests were in flight when its last process ended.
        batches: How many of its batches the provider still has.
        notes: Why the provider would not cancel a batch, one sentence each.
    """

    run_id: str
    state: RunState
    is_closed: bool = True
    unknown: int = 0
    batches: int = 0
    notes: tuple[str, ...] = ()

    @property
    def sentence(self) -> str:
        """The result in sentences for people."""
        if self.state == "done":
            return f"{self.run_id} is done. Nothing was changed."
        if not self.is_closed:
            return (
                f"{self.run_id} is cancelled for good. The process that works on it sends nothing more, "
                "waits for the requests in flight, which are paid for, and writes the report."
            )
        sentences = [f"{self.run_id} is cancelled for good, and its report is written."]
        if self.unknown:
            sentences.append(f"{lost_line(self.unknown)}.")
        if self.batches:
            batches = count_of(self.batches, "batch", "batches")
            sentences += [f"The provider still has {batches}.", *self.notes]
            sentences.append(f"Collect the finished part with: runoff cancel {self.run_id} --for-good\n")
        sentences.append(f"Only this takes it up again: runoff run --resume {self.run_id}")
        return " ".join(sentences).replace("\n ", "\n")


def give_up(settings: Settings, name: str) -> GivenUp:
    """Give a run up for good: it is ``cancelled``, and its report is written. Buys nothing.

    What is finished of its batches is collected, and the provider is asked to cancel the rest. A process that
    works on the run closes it itself, after the requests that it has in flight.

    Args:
        settings: The home and the environment.
        name: The run: its id, a unique beginning of it, or ``latest``.

    Raises:
        RunError: There is no such run, or its folder is missing.
        RunoffError: It is cancelled, but its report or its batches could not be dealt with; call it again.
    """
    with open_ledger(settings.home, settings.environ) as ledger:
        run = StoredRun.find(settings, ledger, name)
        run_id = run.run_id
        if run.record.state == "done":
            return GivenUp(run_id, "done")
        file = run.campaign_file()
        ledger.runs.cancel(run_id, datetime.now(UTC))
        if not is_free(ledger, run.folder):
            return GivenUp(run_id, "cancelled", is_closed=False)
        if ledger.batches.open_of(run_id):
            n_out, notes = asyncio.run(_end_batches(file, settings, run_id))
        else:
            n_out, notes = 0, ()
        n_unknown = settle_dead_run(ledger, settings, run_id) or 0
        with locked_run(ledger, run.folder):
            write_run_report(StoredRun.find(settings, ledger, run_id))
    return GivenUp(run_id, "cancelled", unknown=n_unknown, batches=n_out, notes=notes)


async def _end_batches(file: Path, settings: Settings, run_id: str) -> tuple[int, tuple[str, ...]]:
    prepared = await asyncio.to_thread(prepare, file, settings, run_id, needed=NO_PART)
    async with open_session(prepared, "close") as run:
        return await end_batches(run)


async def end_batches(run: Session) -> tuple[int, tuple[str, ...]]:
    """Ask the provider to cancel a run's batches, and collect what is finished. Buys nothing.

    Returns:
        How many are still at the provider, and why it would not cancel one, one sentence each.
    """
    await run.batch_lane.cancel(run.run_id)
    n_out = await run.batch_lane.go_on(run.run_id)
    return n_out, tuple(run.batch_lane.notes.values())
