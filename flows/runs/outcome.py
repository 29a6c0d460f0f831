"""What came of a run, in figures: for the terminal, for ``--json``, for Prefect."""

from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from tasks.candidate import Candidate, rank_finalists
from tasks.errors import RunoffError
from tasks.ledger import Ledger, RunRecord
from tasks.ledger.slots import Slot
from tasks.orders.missing_scores import unjudged
from tasks.orders.questions import BOUGHT
from tasks.storage.home import run_folder

INCOMPLETE = 4


@dataclass(frozen=True)
class Outcome:
    """What came of a run.

    Args:
        run_id: The run.
        campaign: Its campaign.
        state: ``running``, ``stopped``, ``waiting``, ``awaiting review`` or ``done``.
        folder: Its folder.
        orders: How many orders ended in which state.
        pictures: Drafts received.
        duplicates: Drafts folded as copies.
        finalists: Each finalist's facts, best first.
        finals: Finals bought.
        accepted: Finals accepted.
        spent_usd: What the run weighs on its budget: known costs, and estimates where the cost is not known.
        unknown_usd: The part of it that is estimates.
        exit_code: 0, or 3 when a budget ended it, or 4 when some orders brought no sound picture
            or no usable opinion of one.
        all_high_usd: What as many drafts would have cost at least, all made as finals are; if known.
        verdict: What the report says first, in one sentence; empty when no report was written.
        message: What stopped it, or what it waits for, if anything.
    """

    run_id: str
    campaign: str
    state: str
    folder: str
    orders: dict[str, int]
    pictures: int
    duplicates: int
    finals: int
    accepted: int
    spent_usd: Decimal
    unknown_usd: Decimal
    exit_code: int
    all_high_usd: Decimal | None = None
    verdict: str = ""
    message: str = ""
    finalists: list[dict[str, Any]] = field(default_factory=list)

    def stopped_by(self, error: RunoffError) -> "Outcome":
        """Say what stopped the run, and end with its exit code."""
        return replace(self, exit_code=error.exit_code, message=str(error))


def outcome_of(ledger: Ledger, home: Path, run: RunRecord) -> Outcome:
    """Read from the ledger what came of a run."""
    candidates = ledger.candidates.of_run(run.run_id)
    drafts = [candidate for candidate in candidates if candidate.is_draft]
    finals = [candidate for candidate in candidates if candidate.is_final]
    records = ledger.orders.of_run(run.run_id)
    orders: dict[str, int] = {}
    for record in records:
        orders[record.state] = orders.get(record.state, 0) + 1
    is_whole = set(orders) <= {"received"} and not any(candidate.fault for candidate in candidates)
    is_whole = is_whole and not any(unjudged(drafts, name) for name in BOUGHT)
    return Outcome(
        run_id=run.run_id,
        campaign=run.campaign,
        state=run.state,
        folder=str(run_folder(home, run.campaign, run.run_id)),
        orders=orders,
        pictures=len(drafts),
        duplicates=sum(draft.is_duplicate for draft in drafts),
        finalists=_finalists(drafts, finals),
        finals=len(finals),
        accepted=sum(final.is_accepted is True for final in finals),
        spent_usd=ledger.orders.charged_usd(run.run_id),
        unknown_usd=sum((record.estimated_usd for record in records), Decimal(0)),
        exit_code=0 if is_whole or run.state == "waiting" else INCOMPLETE,
    )


def _finalists(drafts: list[Candidate], finals: list[Candidate]) -> list[dict[str, Any]]:
    accepted: dict[str | None, list[Candidate]] = {}
    for final in finals:
        if final.is_accepted:
            accepted.setdefault(final.draft_id, []).append(final)
    return [_finalist(draft, accepted.get(draft.candidate_id, [])) for draft in rank_finalists(drafts)]


def _finalist(draft: Candidate, finals: list[Candidate]) -> dict[str, Any]:
    final = finals[0] if finals else None
    return {
        "rank": draft.rank,
        "candidate_id": draft.candidate_id,
        "arm": draft.arm,
        "row": draft.row,
        "score": draft.score,
        "file": draft.file,
        "final": final.file if final else None,
        "fidelity": final.fidelity.value if final and final.fidelity else None,
        "editions": {final.edition: final.file for final in finals if final.edition},
        "prompt": draft.prompt,
    }


def list_runs(ledger: Ledger, home: Path) -> list[dict[str, Any]]:
    """List what came of every run, newest first, as mappings.

    A turn of a schedule that made no run stands among them: its ``state`` is ``skipped`` or ``failed``, its
    ``message`` says why, its ``run_id`` is ``None``.
    """
    made: list[tuple[datetime, dict[str, Any]]] = [
        (run.started_at, outcome_of(ledger, home, run).__dict__) for run in ledger.runs.all()
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
