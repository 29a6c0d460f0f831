"""The outcome of a run in figures: for the terminal, ``--json`` and Prefect."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from itertools import accumulate
from typing import Any

from flows.runs.deadline import deadline_of
from flows.runs.lock import state_now
from flows.runs.run import StoredRun
from tasks.candidate import Candidate, rank_finalists
from tasks.errors import RunoffError
from tasks.judging.forms import is_declined
from tasks.ledger import Ledger, OrderRecord
from tasks.ledger.slots import SlotState
from tasks.orders.missing_scores import without_score
from tasks.orders.questions import BOUGHT
from tasks.settings import Settings

INCOMPLETE = 4


@dataclass(frozen=True, slots=True)
class Skipped:
    """No run was made or resumed, and nothing was bought.

    Args:
        message: Why.
        name: The state's name in Prefect's UI.
    """

    message: str
    name: str = "Skipped"


@dataclass(frozen=True)
class Outcome:
    """The outcome of a run.

    Args:
        run_id: The run.
        campaign: Its campaign.
        state: ``running``, ``stopped``, ``waiting``, ``awaiting review``, ``done`` or ``cancelled``.
        folder: Its folder.
        orders: Number of orders by state.
        pictures: Drafts received.
        duplicates: Drafts that are duplicates.
        finalists: Each finalist's facts, best first.
        without_finalist: Why a row, or another group that ``finalists`` names, has none, by its name.
        finals: Finals bought.
        accepted: Finals accepted.
        differing: What pictures have that was not ordered, as another size, and how many, most first.
        decide: When its review ends, if it does, and what happens then; for people.
        unjudged: Those of them of which it is not known whether they keep what they must of their drafts;
            ``None`` where no report was written for this outcome.
        spent_usd: What the run is charged: known costs, and estimates for unknown costs.
        unknown_usd: The estimated part of it.
        exit_code: 0, or 3 when a budget ended it, or 4 when some orders returned no sound picture
            or no usable answer of a judge.
        all_high_usd: The least that as many drafts would have cost with the settings of finals, if known.
        verdict: The report's first sentence; empty if no report was written.
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
    without_finalist: dict[str, str] = field(default_factory=dict)
    unjudged: int | None = None
    decide: str = ""
    differing: dict[str, int] = field(default_factory=dict)

    def stopped_by(self, error: RunoffError) -> "Outcome":
        """Add the error that stopped the run, and its exit code."""
        return replace(self, exit_code=error.exit_code, message=str(error))


def outcome_of(
    run: StoredRun,
    records: Sequence[OrderRecord] | None = None,
    candidates: Sequence[Candidate] | None = None,
) -> Outcome:
    """Read the outcome of a run from the ledger.

    Args:
        run: The run.
        records: Its orders, where they are read already.
        candidates: Its pictures, where they are read already.
    """
    candidates = run.read_candidates() if candidates is None else candidates
    drafts = [candidate for candidate in candidates if candidate.is_draft]
    finals = [candidate for candidate in candidates if candidate.is_final]
    records = run.ledger.orders.of_run(run.run_id) if records is None else records
    is_sound = all(map(is_whole, records)) and not any(candidate.fault for candidate in candidates)
    is_sound = is_sound and not any(without_score(drafts, name) for name in BOUGHT)
    deadline = deadline_of(run)
    return Outcome(
        run_id=run.run_id,
        campaign=run.record.campaign,
        state=run.record.state,
        folder=str(run.folder),
        orders=dict(Counter(record.state for record in records)),
        pictures=len(drafts),
        duplicates=sum(draft.is_duplicate for draft in drafts),
        finalists=_finalists(drafts, finals),
        finals=len(finals),
        accepted=sum(final.is_accepted is True for final in finals),
        spent_usd=run.ledger.orders.charged_usd(run.run_id),
        unknown_usd=sum((record.estimated_usd for record in records), Decimal(0)),
        exit_code=0 if is_sound or run.record.state == "waiting" else INCOMPLETE,
        decide=deadline.sentence if deadline else "",
        differing=dict(Counter(one.downgraded for one in candidates if one.downgraded).most_common()),
    )


def is_whole(record: OrderRecord) -> bool:
    """Return whether an order has its answer, or asked a judge for log-probabilities that it does not give.

    Args:
        record: The order.
    """
    code = record.settlement.error_code if record.settlement else None
    return record.state == "received" or (
        record.state == "failed" and is_declined(record.order.parameters, code)
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


@dataclass(frozen=True)
class MissedSlot:
    """A scheduled slot without a run.

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


PROCESS_GONE = "Its process ended without closing it: it was killed, or its machine went down."


def _listed(run: StoredRun) -> Outcome:
    outcome = outcome_of(run)
    state = state_now(run.ledger, run.folder, run.record)
    return outcome if state == outcome.state else replace(outcome, state=state, message=PROCESS_GONE)


def list_runs(settings: Settings, ledger: Ledger) -> list[Outcome | MissedSlot]:
    """List the outcomes of all runs and the slots without a run, newest first."""
    runs = ledger.runs.all()
    # A run never counts as older than the one begun before it, also where the clock was set back in between.
    began_at = [*accumulate((run.started_at for run in reversed(runs)), max)][::-1]
    made: list[tuple[datetime, Outcome | MissedSlot]] = [
        (moment, _listed(StoredRun(settings, ledger, run)))
        for moment, run in zip(began_at, runs, strict=True)
    ]
    known = {run.run_id for run in runs}
    missed: list[tuple[datetime, Outcome | MissedSlot]] = [
        (slot.due_at, MissedSlot(None, slot.campaign, slot.state, slot.due_at, slot.reason))
        for slot in ledger.slots.all()
        if slot.state in ("skipped", "failed") and slot.run_id not in known
    ]
    return [entry for _, entry in sorted([*made, *missed], key=lambda entry: entry[0], reverse=True)]
