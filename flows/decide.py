"""What is decided about a run's pictures: each function reads the ledger, calls a step and writes back.

Steps know nothing of the ledger or of one another; what they are given and where their results go is said
here, once. Nothing here spends or needs Prefect, so that a run can be decided anew at any time.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Protocol

from flows.opinions import read_opinions
from tasks.bradley_terry import meetings_of
from tasks.campaign import Campaign
from tasks.campaign_choice import Deduplicate, Finalists
from tasks.candidate import Candidate
from tasks.compare import choose_attempt, measure_fidelity
from tasks.decisions import Acceptance
from tasks.deduplicate import deduplicate
from tasks.inspect import inspect_pictures
from tasks.judge_orders import BOUGHT, Questions
from tasks.ledger import Ledger
from tasks.ledger.report_rows import report_rows
from tasks.lineage import write_lineage
from tasks.score import score, weighted_total
from tasks.scorers import Assignment
from tasks.select import choose_as_told, select
from tasks.transparency import mark_missing_transparency


class Run(Protocol):
    """A run whose pictures are to be decided about."""

    @property
    def run_id(self) -> str:
        """The run's id."""

    @property
    def campaign(self) -> Campaign:
        """The rules."""

    @property
    def ledger(self) -> Ledger:
        """Where its pictures are known."""

    @property
    def folder(self) -> Path:
        """Where its pictures are."""


@dataclass(frozen=True, slots=True)
class RunOnDisk:
    """A run that nobody buys for now."""

    run_id: str
    campaign: Campaign
    ledger: Ledger
    folder: Path


def inspect_new(run: Run) -> int:
    """Look at every picture of the run that nobody has looked at; returns how many."""
    waiting = run.ledger.candidates.uninspected(run.run_id)
    files = [(picture.file, _thumbnail(picture.file)) for picture in waiting]
    seen = dict(inspect_pictures(run.folder, files))
    marks = {
        picture.candidate_id: mark
        for picture in waiting
        if (mark := mark_missing_transparency(picture.parameters, seen[picture.file], picture.downgraded))
    }
    run.ledger.candidates.mark_downgraded(marks)  # first: a kill in between only marks them again
    found = {picture.candidate_id: seen[picture.file] for picture in waiting}
    run.ledger.candidates.record_inspections(found)
    return len(found)


def _thumbnail(file: str) -> str:
    path = PurePosixPath(file)
    return f"thumbnails/{path.parent.name}-{path.stem}.webp"


def score_drafts(run: Run) -> int:
    """Score every draft by what is free; returns how many. Opinions that are bought come after the copies."""
    drafts = run.ledger.candidates.of_run(run.run_id, "draft")
    rules = run.campaign.score
    weights = {name: weight for name, weight in rules.weights.items() if name not in BOUGHT}
    told = Assignment(rules, run.campaign.all_rows, meetings_of(run.ledger.votes.of_run(run.run_id)))
    given = score(drafts, weights, run.folder, told)
    run.ledger.candidates.record_scores(
        {name: opinion.scores for name, opinion in given.items()},
        {name: opinion.total for name, opinion in given.items()},
    )
    return len(given)


def score_judged(run: Run) -> int:
    """Add what judging models said to every draft's scores; returns how many. Asks nobody, spends nothing."""
    rules = run.campaign.score
    bought = {name: rules.weights[name] for name in BOUGHT if name in rules.weights}
    if not bought:
        return 0
    drafts = run.ledger.candidates.of_run(run.run_id, "draft")
    opinions = read_opinions(run.ledger, Questions(run.campaign, run.run_id, str(run.folder)), drafts)
    told = Assignment(rules, run.campaign.all_rows, replies=opinions.replies, duels=opinions.duels)
    given = {name: found.scores for name, found in score(drafts, bought, run.folder, told).items()}
    totals = {
        draft.candidate_id: weighted_total({**draft.scores, **given[draft.candidate_id]}, rules.weights)
        for draft in drafts
    }
    run.ledger.candidates.record_scores(given, totals)
    return len(given)


def deduplicate_drafts(run: Run) -> int:
    """Fold copies under their representatives; returns how many.

    What a person said of a pair, or chose as a finalist, goes before the rule.
    """
    drafts = run.ledger.candidates.of_run(run.run_id, "draft")
    shortlist = run.ledger.shortlists.last(run.run_id)
    chosen = shortlist.candidate_ids if shortlist else ()
    liked = [replace(draft, is_liked=True) if draft.candidate_id in chosen else draft for draft in drafts]
    folds = run.ledger.folds.of_run(run.run_id)
    standings = deduplicate(liked, run.campaign.deduplicate, earlier_drafts(run), folds)
    run.ledger.candidates.record_standings(standings)
    return sum(standing.status == "duplicate" for standing in standings.values())


def earlier_drafts(run: Run) -> list[Candidate]:
    """List the survivors of the campaign's earlier runs that copies are looked for among."""
    wanted = run.campaign.deduplicate.history_runs
    earlier = [
        other
        for other in run.ledger.runs.all()
        if other.campaign == run.campaign.name and other.run_id != run.run_id
    ]
    return [
        draft
        for other in earlier[:wanted]
        for draft in run.ledger.candidates.of_run(other.run_id, "draft")
        if draft.standing and draft.standing.status == "survivor"
    ]


@dataclass(frozen=True, slots=True)
class SelectionRule:
    """The campaign's rule for finalists, and the radius within which two are the same picture."""

    count: int
    max_per_arm: int | None
    max_per_prompt: int | None
    min_score: float | None
    radius_bits: int | None

    @classmethod
    def of(cls, finalists: Finalists, copies: Deduplicate) -> "SelectionRule":
        """Take the rule from a campaign."""
        return cls(
            count=finalists.count,
            max_per_arm=finalists.max_per_arm,
            max_per_prompt=finalists.max_per_prompt,
            min_score=finalists.min_score,
            radius_bits=copies.radius_bits,
        )


def select_finalists(run: Run) -> int:
    """Choose the finalists by the campaign's rule, or as a person chose them; returns how many."""
    drafts = run.ledger.candidates.of_run(run.run_id, "draft")
    rule = SelectionRule.of(run.campaign.finalists, run.campaign.deduplicate)
    choices = select(drafts, rule)
    if shortlist := run.ledger.shortlists.last(run.run_id):
        choices = choose_as_told(choices, shortlist)
    run.ledger.candidates.record_choices(choices)
    return sum(choice.is_finalist for choice in choices.values())


def compare_finals(run: Run) -> int:
    """Measure how far each final still is its draft and accept the best that is; returns how many."""
    drafts = {draft.candidate_id: draft for draft in run.ledger.candidates.of_run(run.run_id, "draft")}
    tries: dict[str, list[Candidate]] = {}
    for final in run.ledger.candidates.of_run(run.run_id, "final"):
        if final.draft_id is not None:
            tries.setdefault(final.draft_id, []).append(final)
    told = {word.candidate_id: word for word in run.ledger.acceptances.of_run(run.run_id)}
    accepted = [_accept_best(run, drafts[draft_id], finals, told) for draft_id, finals in tries.items()]
    ledger = run.ledger
    rows = report_rows(run.run_id, ledger.orders.of_run(run.run_id), ledger.candidates.of_run(run.run_id))
    write_lineage(rows, run.folder)
    return sum(accepted)


def _accept_best(
    run: Run, draft: Candidate, finals: Sequence[Candidate], told: Mapping[str, Acceptance]
) -> bool:
    """Compare the tries at one final with its draft; tell whether one is accepted.

    A try that a person accepted is the one, and the best of the others is not; a rejected one never is.
    """
    fidelities = {
        final.candidate_id: final.fidelity
        or measure_fidelity(run.folder / draft.file, run.folder / final.file)
        for final in finals
        if final.inspection is not None and final.inspection.fault is None
    }
    rejected = {name for name, word in told.items() if not word.is_accepted}
    eligible = {name: fidelity for name, fidelity in fidelities.items() if name not in rejected}
    chosen, reason = choose_attempt(eligible, run.campaign.finals.min_fidelity)
    if words := [told[f.candidate_id] for f in finals if f.candidate_id in told.keys() - rejected]:
        word = max(words, key=lambda word: word.decided_at)
        chosen, reason = word.candidate_id, f"another try was accepted by {word.decided_by}"
    for name, fidelity in fidelities.items():
        run.ledger.candidates.record_fidelity(name, fidelity)
    run.ledger.candidates.record_acceptance(
        {
            final.candidate_id: _verdict(
                is_accepted=final.candidate_id == chosen, word=told.get(final.candidate_id), reason=reason
            )
            for final in finals
        }
    )
    return chosen is not None


def _verdict(*, is_accepted: bool, word: Acceptance | None, reason: str) -> tuple[bool, str]:
    """Say who decided about a final where a person did, else why the rule did."""
    if word is None or word.is_accepted != is_accepted:
        return is_accepted, reason
    return is_accepted, f"{'accepted' if is_accepted else 'rejected'} by {word.decided_by}"
