"""The runs of a home in the sequence of their beginnings, and between them the turns that made none."""

from datetime import datetime
from pathlib import Path
from typing import Any

from flows.runs.outcome import outcome_of
from flows.runs.run import StoredRun
from tasks.ledger import Ledger
from tasks.ledger.slots import Slot


def list_runs(ledger: Ledger, home: Path) -> list[dict[str, Any]]:
    """List what came of every run, newest first, as mappings.

    A turn of a schedule that made no run stands among them: its ``state`` is ``skipped`` or ``failed``, its
    ``message`` says why, its ``run_id`` is ``None``.
    """
    made: list[tuple[datetime, dict[str, Any]]] = [
        (run.started_at, outcome_of(StoredRun(home, ledger, run)).__dict__) for run in ledger.runs.all()
    ]
    known = {outcome["run_id"] for _, outcome in made}
    missed = [
        (slot.due_at, _without_run(slot))
        for slot in ledger.slots.all()
        if slot.state in ("skipped", "failed") and slot.run_id not in known
    ]
    return [facts for _, facts in sorted([*made, *missed], key=lambda entry: entry[0], reverse=True)]


def _without_run(slot: Slot) -> dict[str, Any]:
    return {
        "run_id": None,
        "campaign": slot.campaign,
        "state": slot.state,
        "due_at": slot.due_at,
        "message": slot.reason,
    }
