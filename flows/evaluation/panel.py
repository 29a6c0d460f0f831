"""A run's panel: which pictures it is asked about, what it says of them, and how that orders finalists.

What it answered is read from the ledger by what was asked, as with any judge. It is in no score and no total,
so that arms are compared by what all their pictures were asked.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace

from flows.evaluation.judge_answers import read_statement_replies
from flows.evaluation.run_questions import questions_of
from flows.runs.run import StoredRun
from tasks.campaign import Campaign
from tasks.campaign.row_groups import row_groups_of
from tasks.campaign.statements import statements_of
from tasks.candidate import Candidate
from tasks.judging.conditions import are_met, conditions_of
from tasks.judging.panel import Opinion, opinion_of
from tasks.judging.reply_reading import read_reply
from tasks.money import count_of
from tasks.orders.missing_scores import partly_scored
from tasks.orders.questions import Questions, as_asked_by_panel, worth_judging
from tasks.score import weighted_mean
from tasks.select import Merit

LOOKED_AT, NOT_LOOKED_AT, NOT_JUDGED = 0, 1, 2
"""The order of finalists: what the panel looked at comes first, what the judge was not asked about last."""


def has_panel(run: StoredRun) -> bool:
    """Whether finalists are chosen by a panel."""
    score = run.campaign.score
    return score.panel is not None and "judge" in score.weights and run.campaign.finalists.most != 0


def panel_questions(questions: Questions) -> list[Questions]:
    """Return what builds the questions to each further judge."""
    return [replace(questions, campaign=asked) for asked in as_asked_by_panel(questions.campaign)]


def best_pictures(campaign: Campaign, drafts: Sequence[Candidate]) -> list[Candidate]:
    """List the pictures that a panel is asked about: the best that meet every condition, equal bytes once.

    Where finalists are limited by row, rows take turns, so that each has its best among them.

    Args:
        campaign: A campaign with a panel.
        drafts: The run's drafts, judged.
    """
    panel = campaign.score.panel
    able = [
        one
        for one in worth_judging(drafts)
        if one.is_campaign_draft
        and one.value_of("judge") is not None
        and are_met(conditions_of(campaign, one)) is not False
    ]
    able.sort(key=lambda one: (-(one.score or 0.0), one.candidate_id))
    groups = row_groups_of(campaign)
    turns: dict[object, int] = defaultdict(int)
    ordered = []
    for place, one in enumerate(able):
        group = groups[0].group_of.get(one.row) if groups else None
        ordered.append((turns[group] if groups else 0, place, one))
        turns[group] += 1
    ordered.sort(key=lambda each: each[:2])
    return [one for *_, one in ordered[: panel.best if panel else 0]]


def read_panel(run: StoredRun, drafts: Sequence[Candidate]) -> dict[str, Opinion]:
    """Read what a run's panel says of its drafts, by candidate id; only of those that it looked at.

    Args:
        run: The run.
        drafts: Its drafts.
    """
    if not has_panel(run):
        return {}
    first = questions_of(run)
    pictures = [draft for draft in drafts if draft.is_survivor]
    members = [first, *panel_questions(first)]
    replies = [read_statement_replies(run.ledger, one, pictures) for one in members]
    found: dict[str, Opinion] = {}
    for picture in pictures:
        asked = statements_of(run.campaign, picture.row, picture.arm)
        name = picture.candidate_id
        read = [read_reply(each[name], asked) for each in replies if name in each]
        if opinion := opinion_of([answer for answer in read if answer is not None]):
            found[name] = opinion
    return found


def panel_warnings(run: StoredRun, drafts: Sequence[Candidate]) -> list[str]:
    """Warn of each further judge of a panel who gave no answer about pictures that it was asked about.

    Args:
        run: The run.
        drafts: Its drafts.
    """
    if not has_panel(run):
        return []
    best, warnings = best_pictures(run.campaign, drafts), []
    for questions in panel_questions(questions_of(run)):
        judge = questions.campaign.score.judge
        replies = read_statement_replies(run.ledger, questions, best)
        faults = [replies[one.candidate_id].fault for one in best if one.candidate_id in replies]
        lacking = [fault for fault in faults if fault]
        if judge is not None and lacking:
            who = f"{judge.model} at {judge.provider or run.campaign.provider}"
            what = f"no answer about {len(lacking)} of {count_of(len(best), 'picture')}"
            why = lacking[0].partition(": ")[0]
            warnings.append(
                f"score.panel: {who} gave {what} ({why}); finalists are chosen by the other judges."
            )
    return warnings


def merits_of(
    campaign: Campaign, drafts: Sequence[Candidate], opinions: Mapping[str, Opinion]
) -> dict[str, Merit]:
    """Order drafts for the choice of finalists, where their totals alone do not.

    Args:
        campaign: The campaign.
        drafts: The run's drafts.
        opinions: What its panel says, by candidate id.

    Returns:
        Candidate id to its merit; empty where the totals order them.
    """
    weights = campaign.score.weights
    last = partly_scored(drafts, weights) if campaign.score.max_share is not None or opinions else set()
    merits = {}
    for draft in drafts:
        name = draft.candidate_id
        if name in last:
            merits[name] = Merit(NOT_JUDGED, draft.score)
        elif opinion := opinions.get(name):
            values = {scorer: score.value for scorer, score in draft.scores.items()}
            total = weighted_mean(values | {"judge": opinion.value}, weights)
            said = f"by a panel of {opinion.judges} {opinion.value:.2f}"
            merits[name] = Merit(LOOKED_AT, total, said)
        elif opinions:
            merits[name] = Merit(NOT_LOOKED_AT, draft.score)
    return merits


def unmet_by_panel(
    campaign: Campaign, drafts: Sequence[Candidate], opinions: Mapping[str, Opinion]
) -> dict[str, str]:
    """Say which condition a draft breaks as most of its panel see it, by candidate id.

    Args:
        campaign: The campaign.
        drafts: The run's drafts.
        opinions: What its panel says.
    """
    found: dict[str, str] = {}
    for draft in drafts:
        opinion = opinions.get(draft.candidate_id)
        for place, one in enumerate(statements_of(campaign, draft.row, draft.arm) if opinion else ()):
            if opinion and one.must and place in opinion.broken:
                found.setdefault(draft.candidate_id, f"the panel says that it is not true that “{one.text}”")
    return found


def panel_columns(opinion: Opinion | None) -> dict[str, float | None]:
    """Return the report's columns about a picture's panel; null where it was not asked."""
    return {
        "panel_score": opinion.value if opinion else None,
        "panel_disagreement": opinion.disagreement if opinion else None,
    }


def most_disputed(opinions: Mapping[str, Opinion]) -> list[str]:
    """List the pictures about which a panel's judges disagree, the most disputed first, by candidate id."""
    differ = {name: one.disagreement for name, one in opinions.items() if one.disagreement}
    return sorted(differ, key=lambda name: (-differ[name], name))
