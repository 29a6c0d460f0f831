"""What finals must keep of their drafts: the judge's statements and the lettering, where an edition asks so.

Answers about finals are bought like those about drafts (``flows.stages.judging``) and read from the ledger
here. Nothing here spends.
"""

from collections.abc import Mapping, Sequence

from flows.evaluation.judge_answers import read_statement_replies
from flows.evaluation.run_questions import questions_of
from flows.runs.lock import fetch_files
from flows.runs.run import StoredRun
from tasks.campaign import Campaign
from tasks.campaign.finals import Finals
from tasks.campaign.statements import statements_of
from tasks.candidate import Candidate, Score
from tasks.judging.conditions import Condition, kept_conditions, kept_statements, spells_its_text
from tasks.score import score_candidates
from tasks.scorers import Assignment


def edition_of(campaign: Campaign, name: str | None) -> Finals:
    """Find an edition's rules; those of the first edition if the campaign no longer has it."""
    return next((edition for edition in campaign.editions if edition.name == name), campaign.editions[0])


def score_finals(run: StoredRun, *, reads_again: bool = False) -> None:
    """Record what the judge answered about finals, and how their text reads, where it must be kept.

    Args:
        run: The run.
        reads_again: Read the text of finals again that were read before: another may be expected now.
    """
    pairs = _pairs(run)
    asked = [final for draft, final in pairs if _asks(run.campaign, draft, final)]
    answered = _judged(run, asked)
    legible = [
        final
        for draft, final in pairs
        if edition_of(run.campaign, final.edition).keep_text
        and not final.is_pruned
        and (reads_again or "legibility" not in final.scores)
        and spells_its_text(run.campaign, draft)
    ]
    for scored in (answered, _read(run, legible)):
        run.ledger.candidates.record_scores(scored, {})


def kept_by_finals(run: StoredRun) -> dict[str, list[Condition]]:
    """List what each final must keep of its draft, by candidate id; without those that must keep nothing."""
    found = {
        final.candidate_id: kept_conditions(
            run.campaign, draft, final, edition_of(run.campaign, final.edition)
        )
        for draft, final in _pairs(run)
    }
    return {name: conditions for name, conditions in found.items() if conditions}


def finals_to_judge(run: StoredRun) -> list[Candidate]:
    """List the finals that the rule accepts, of which it is not known whether they keep every statement.

    So nothing is asked about a final that is refused in any case, nor about one that a person decided about.
    """
    decided = {one.candidate_id for one in run.ledger.acceptances.of_run(run.run_id)}
    return [
        final
        for draft, final in _pairs(run)
        if final.is_accepted and final.candidate_id not in decided and _is_open(run.campaign, draft, final)
    ]


def _pairs(run: StoredRun) -> list[tuple[Candidate, Candidate]]:
    """Pair each sound final with its draft; none where no edition keeps anything."""
    if not any(edition.keep_statements != "none" or edition.keep_text for edition in run.campaign.editions):
        return []
    drafts = {draft.candidate_id: draft for draft in run.read_candidates("draft")}
    finals = run.read_candidates("final")
    return [
        (drafts[final.draft_id], final) for final in finals if final.is_sound and final.draft_id in drafts
    ]


def _is_open(campaign: Campaign, draft: Candidate, final: Candidate) -> bool:
    kept = kept_statements(campaign, draft, edition_of(campaign, final.edition).keep_statements, final)
    return any(one.is_met is None for one in kept)


def _asks(campaign: Campaign, draft: Candidate, final: Candidate) -> bool:
    return bool(kept_statements(campaign, draft, edition_of(campaign, final.edition).keep_statements))


def _judged(run: StoredRun, finals: Sequence[Candidate]) -> Mapping[str, Mapping[str, Score]]:
    """Score finals by the judge's answers; one without an answer to today's statements has no value."""
    if not finals:
        return {}
    questions = questions_of(run)
    replies = read_statement_replies(run.ledger, questions, finals)
    statements = {final.candidate_id: statements_of(run.campaign, final.row, final.arm) for final in finals}
    told = Assignment(run.campaign.score, run.campaign.all_rows, replies=replies, statements=statements)
    return _scores(run, finals, "judge", told)


def _read(run: StoredRun, finals: Sequence[Candidate]) -> Mapping[str, Mapping[str, Score]]:
    """Read the text of finals."""
    fetch_files(run.folder, [final.file for final in finals])
    return _scores(run, finals, "legibility", Assignment(run.campaign.score, run.campaign.all_rows))


def _scores(
    run: StoredRun, finals: Sequence[Candidate], scorer: str, told: Assignment
) -> Mapping[str, Mapping[str, Score]]:
    if not finals:
        return {}
    scored = score_candidates(finals, {scorer: 0}, run.folder, told)
    return {name: one.scores for name, one in scored.items()}
