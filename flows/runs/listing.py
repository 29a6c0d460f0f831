"""The runs of a home in the sequence of their beginnings, and between them the turns that made none."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from flows.runs.outcome import Outcome, outcome_of
from flows.runs.run import StoredRun
from tasks.ledger import Ledger
from tasks.ledger.slots import SlotState


@dataclass(frozen=True)
class MissedTurn:
    """A turn of a schedule that made no run.

    Args:
        run_id: ``None``.
        campaign: Its campaign.
        state: ``skipped`` or ``failed``.
        due_at: When the run was to start, aware.
        message: Why there is none.
    """

    run_id: None
    campaign: str
    state: SlotState
    due_at: datetime
    message: str


def list_runs(ledger: Ledger, home: Path) -> list[Outcome | MissedTurn]:
    """List what came of every run, newest first; turns of a schedule that made none stand among them."""
    made: list[tuple[datetime, Outcome | MissedTurn]] = [
        (run.started_at, outcome_of(StoredRun(home, ledger, run))) for run in ledger.runs.all()
    ]
    known = {outcome.run_id for _, outcome in made}
    missed: list[tuple[datetime, Outcome | MissedTurn]] = [
        (slot.due_at, MissedTurn(None, slot.campaign, slot.state, slot.due_at, slot.reason))
        for slot in ledger.slots.all()
        if slot.state in ("skipped", "failed") and slot.run_id not in known
    ]
    return [turn for _, turn in sorted([*made, *missed], key=lambda entry: entry[0], reverse=True)]
