"""Deciding that none of a run's pictures is bought again: the run is done, and no schedule waits for it."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime

from flows.evaluation.drafts import select_finalists
from flows.run_report import write_run_report
from flows.runs.lock import locked_with_campaign
from flows.runs.run import StoredRun
from tasks.errors import RunError
from tasks.ledger import Ledger
from tasks.ledger.replanning import add_warnings
from tasks.settings import Settings


@dataclass(frozen=True, slots=True)
class Declined:
    """The result of declining a run.

    Args:
        run_id: The run, which is ``done`` now.
        report: Its report, written again.
    """

    run_id: str
    report: str

    @property
    def sentence(self) -> str:
        """The result in sentences for people."""
        return (
            f"{self.run_id} is done: none of its pictures is bought again.\nReport  {self.report}\n"
            f"To choose after all: runoff review {self.run_id}"
        )


def decline(settings: Settings, ledger: Ledger, name: str, by: str, reason: str = "") -> Declined:
    """Decide that none of a run's pictures is bought again. Buys nothing; choosing again changes it.

    The list, which is empty or holds what has finals, is written as a person's choice and as confirmed; if
    this process is killed in between, the run is what it was, and declining it again completes it.

    Args:
        settings: The home and the environment.
        ledger: Its ledger.
        name: The run: its id, a unique beginning of it, or ``latest``.
        by: Who decides.
        reason: Why, for the report.

    Raises:
        RunError: There is no such run, it neither awaits review nor stopped among its finals, or another
            process works on it. Nothing was changed.
    """
    run = StoredRun.find(settings, ledger, name)
    _require_undecided(run)
    with locked_with_campaign(ledger, run.folder):
        now = datetime.now(UTC)
        last = ledger.shortlists.last(run.run_id)
        kept = _with_finals(run)
        if last is None or list(last.candidate_ids) != kept:
            last = ledger.shortlists.choose(
                run.run_id, kept, after=last.revision if last else 0, by=by, now=now
            )
        if last.confirmed_at is None:
            ledger.shortlists.confirm(run.run_id, last.revision, by=by, now=now)
        select_finalists(run)
        add_warnings(ledger, run.run_id, [declined_line(by, reason)])
        record = ledger.runs.find(run.run_id)
        written = write_run_report(replace(run, record=replace(record, state="done", finished_at=now)))
        ledger.runs.end(run.run_id, "done", now)
    return Declined(run.run_id, str(written.files.html))


def declined_line(by: str, reason: str) -> str:
    """Say in one line who declined a run, and why if that was given."""
    told = " ".join(reason.split())
    return f"Declined by {by}: {told}" if told else f"Declined by {by}."


def _with_finals(run: StoredRun) -> list[str]:
    """List the drafts of which finals were bought, best first: they stay finalists."""
    candidates = run.read_candidates()
    bought = {one.draft_id for one in candidates if one.is_final}
    drafts = sorted((one for one in candidates if one.candidate_id in bought), key=lambda one: one.rank or 0)
    return [draft.candidate_id for draft in drafts]


def _is_past_drafts(run: StoredRun) -> bool:
    """Whether all drafts have ended and finalists are chosen, so that only finals can be left to buy."""
    planned = run.ledger.orders.of_run(run.run_id, "planned")
    has_drafts_left = any(record.order.is_draft for record in planned)
    return not has_drafts_left and any(draft.is_finalist for draft in run.read_candidates("draft"))


def _require_undecided(run: StoredRun) -> None:
    state = run.record.state
    if state == "awaiting review" or (state == "stopped" and _is_past_drafts(run)):
        return
    reasons = {"done": "is done already", "cancelled": "was cancelled for good"}
    what = reasons.get(state, "does not await a choice")
    raise RunError(
        where=f"run {run.run_id}",
        what=f"cannot be declined: it {what}",
        money="Nothing was changed.",
        next_step="See where it stands: runoff runs. What is not over is ended by: runoff cancel --for-good",
    )
