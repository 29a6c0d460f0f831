"""Runs about which nobody decided in time: declined, or their finalists confirmed, as their campaign says."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from flows.decline import decline
from flows.evaluation.drafts import select_finalists
from flows.runs.deadline import BY, Deadline, deadline_of
from flows.runs.lock import locked_with_campaign
from flows.runs.run import StoredRun
from tasks.candidate import rank_finalists
from tasks.errors import RunoffError
from tasks.ledger import Ledger, has_ledger, open_ledger
from tasks.settings import Settings


@dataclass(frozen=True, slots=True)
class Overdue:
    """A run that was decided because nobody decided in time.

    Args:
        run_id: The run.
        campaign: Its campaign.
        is_to_buy: Its finalists are confirmed and are to be bought; otherwise it is declined.
        sentence: What was decided, for people; or why it could not be.
    """

    run_id: str
    campaign: str
    is_to_buy: bool
    sentence: str


def decide_overdue(settings: Settings, campaigns: Collection[str], now: datetime) -> list[Overdue]:
    """Decide about the runs of some campaigns whose review has ended. Buys nothing.

    Whoever confirmed a list before, decided. A list that was confirmed here and not bought yet, because a
    process was killed, is returned again.

    Args:
        settings: The home and the environment.
        campaigns: The campaigns' names.
        now: Aware time.
    """
    if not has_ledger(settings.home, settings.environ):
        return []
    decided = []
    with open_ledger(settings.home, settings.environ) as ledger:
        for record in ledger.runs.all():
            run = StoredRun(settings, ledger, record)
            if record.campaign not in campaigns or record.state != "awaiting review":
                continue
            deadline = deadline_of(run)
            if deadline is not None and deadline.at <= now and (found := _decide(run, deadline, now)):
                decided.append(found)
    return decided


def is_left_to_buy(settings: Settings, run_id: str) -> bool:
    """Whether a run awaits only its purchase: nobody decided in time, and its list was confirmed."""
    if not has_ledger(settings.home, settings.environ):
        return False
    with open_ledger(settings.home, settings.environ) as ledger:
        states = {run.run_id: run.state for run in ledger.runs.all()}
        return states.get(run_id) == "awaiting review" and is_confirmed_by_campaign(ledger, run_id)


def is_confirmed_by_campaign(ledger: Ledger, run_id: str) -> bool:
    """Whether a run's list was confirmed because nobody decided in time."""
    last = ledger.shortlists.last(run_id)
    return last is not None and last.confirmed_by == BY


def _decide(run: StoredRun, deadline: Deadline, now: datetime) -> Overdue | None:
    """Decide about one run; ``None`` if somebody did before."""
    last = run.ledger.shortlists.last(run.run_id)
    if last is not None and last.confirmed_at is not None and last.confirmed_by != BY:
        return None
    reason = f"nobody decided within {deadline.within}"
    is_to_buy = deadline.then == "auto"
    what = "its finalists are bought" if is_to_buy else "none of its pictures is bought again"
    sentence = f"{run.record.campaign}: {reason} about {run.run_id}; {what}."
    try:
        if is_to_buy:
            _confirm(run.ledger, run, now)
        else:
            decline(run.settings, run.ledger, run.run_id, BY, reason)
    except RunoffError as error:  # somebody decides at this moment: at the next look it is decided
        return Overdue(run.run_id, run.record.campaign, is_to_buy=False, sentence=str(error))
    return Overdue(run.run_id, run.record.campaign, is_to_buy, sentence)


def _confirm(ledger: Ledger, run: StoredRun, now: datetime) -> None:
    with locked_with_campaign(ledger, run.folder):
        last = ledger.shortlists.last(run.run_id)
        if last is None:
            ids = [draft.candidate_id for draft in rank_finalists(run.read_candidates("draft"))]
            last = ledger.shortlists.choose(run.run_id, ids, after=0, by=BY, now=now)
            select_finalists(run)
        if last.confirmed_at is None:
            ledger.shortlists.confirm(run.run_id, last.revision, by=BY, now=now)
