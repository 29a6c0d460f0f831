"""Scores of a run's drafts: first the free scorers, then those that use bought answers.

Scorers of ``tasks.orders.questions.BOUGHT`` use a judging model's answers, which are bought for unique images
only; so they come after deduplication.
"""

from collections.abc import Collection

from flows.evaluation.judge_answers import read_judge_answers
from flows.evaluation.run_questions import questions_of, sent_with_drafts
from flows.runs.lock import fetch_files
from flows.runs.run import StoredRun
from tasks.campaign.statements import statements_of
from tasks.orders.questions import BOUGHT
from tasks.pairwise.bradley_terry import meetings_of
from tasks.score import score_candidates, weighted_total
from tasks.scorers import Assignment, Masked


def add_free_scores(
    run: StoredRun, candidate_ids: Collection[str] | None = None, kept: Collection[str] = ()
) -> int:
    """Score drafts, by default all, with the free scorers; returns how many.

    Args:
        run: The run.
        candidate_ids: Only these drafts; by default all.
        kept: Drafts whose files are not what was bought: they keep their scores.

    Raises:
        SettingError: A scorer cannot be loaded or returned an invalid value. Nothing was written.
    """
    drafts = run.read_candidates("draft")
    if candidate_ids is not None:
        wanted = set(candidate_ids)
        drafts = [draft for draft in drafts if draft.candidate_id in wanted]
    scorable = [draft for draft in drafts if draft.candidate_id not in kept]
    fetch_files(run.folder, [draft.file for draft in drafts if not draft.is_pruned])
    rules = run.campaign.score
    weights = {name: weight for name, weight in rules.weights.items() if name not in BOUGHT}
    assignment = Assignment(
        rules,
        run.campaign.all_rows,
        meetings_of(run.ledger.votes.of_run(run.run_id)),
        masked=_masked(run) if "untouched" in weights else {},
    )
    scored = score_candidates(scorable, weights, run.folder, assignment)
    totals = {draft.candidate_id: weighted_total(draft.scores, weights) for draft in drafts}
    totals |= {name: candidate.total for name, candidate in scored.items()}
    run.ledger.candidates.record_scores(
        {name: candidate.scores for name, candidate in scored.items()}, totals
    )
    return len(scored)


def _masked(run: StoredRun) -> dict[str, Masked]:
    """Find the reference and the mask that each draft's order sent; only of those with a mask."""
    return {
        name: Masked(sent.references[0], sent.mask)
        for name, sent in sent_with_drafts(run).items()
        if sent.mask is not None
    }


def add_bought_scores(run: StoredRun) -> int:
    """Score drafts by the judging models' answers in the ledger; returns how many. Spends nothing."""
    rules = run.campaign.score
    bought = {name: rules.weights[name] for name in BOUGHT if name in rules.weights}
    if not bought:
        return 0
    drafts = run.read_candidates("draft")
    answers = read_judge_answers(run.ledger, questions_of(run), drafts)
    asked = {
        draft.candidate_id: statements_of(run.campaign, draft.row, draft.arm)
        for draft in drafts
        if draft.candidate_id in answers.replies
    }
    assignment = Assignment(
        rules, run.campaign.all_rows, replies=answers.replies, statements=asked, duels=answers.duels
    )
    scored = score_candidates(drafts, bought, run.folder, assignment)
    scores = {name: candidate.scores for name, candidate in scored.items()}
    totals = {
        draft.candidate_id: weighted_total({**draft.scores, **scores[draft.candidate_id]}, rules.weights)
        for draft in drafts
    }
    run.ledger.candidates.record_scores(scores, totals)
    return len(scored)
