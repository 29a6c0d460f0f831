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

    The empty list is written as a person's choice and as confirmed; if this process is killed in between, the
    run still awaits review, and declining it again completes it.

    Args:
        settings: The home and the environment.
        ledger: Its ledger.
        name: The run: its id, a unique beginning of it, or ``latest``.
        by: Who decides.
        reason: Why, for the report.

    Raises:
        RunError: There is no such run, it does not await review, finals of it were bought, or another process
            works on it. Nothing was changed.
    """
    run = StoredRun.find(settings, ledger, name)
    _require_undecided(run)
    with locked_with_campaign(ledger, run.folder):
        now = datetime.now(UTC)
        last = ledger.shortlists.last(run.run_id)
        if last is None or last.candidate_ids:
            last = ledger.shortlists.choose(
                run.run_id, (), after=last.revision if last else 0, by=by, now=now
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


def _require_undecided(run: StoredRun) -> None:
    state = run.record.state
    bought = any(one.is_final for one in run.read_candidates())
    if state == "awaiting review" and not bought:
        return
    reasons = {"done": "is done already", "cancelled": "was cancelled for good"}
    what = "has finals already" if bought else reasons.get(state, "does not await a choice")
    raise RunError(
        where=f"run {run.run_id}",
        what=f"cannot be declined: it {what}",
        money="Nothing was changed.",
        next_step="See where it stands: runoff runs. What is not over is ended by: runoff cancel --for-good",
    )
