"""The scores that the A/B test compares, read from the report's rows.

A duplicate counts together with the picture that represents it. Judging models are not asked about it again,
so it takes their scores from its representative: otherwise its total would be of another kind.

Drafts of further rounds are left out: a person asked for them of a picture that looked good, so they say
nothing of what an arm makes.
"""

from collections.abc import Container, Mapping, Sequence
from typing import Any

from tasks.ab_test.evidence import ScoredDraft
from tasks.ab_test.preferences import ArmVote, votes_between_arms
from tasks.campaign import Campaign
from tasks.candidate import Candidate
from tasks.orders.questions import BOUGHT
from tasks.pairwise.votes import Vote
from tasks.pictures.differences import Form, split_by_form
from tasks.report_page.rows import is_campaign_draft
from tasks.score import weighted_mean

SPOKEN = {
    "technical": "technical quality",
    "judge": "the judge",
    "duel": "the judge's duels",
    "votes": "the votes for pictures",
    "palette": "brand colours",
    "framing": "whole subjects",
    "copy_space": "room for lettering",
    "untouched": "what was kept outside the mask",
    "clip": "the match with the prompt",
}
"""Scorers as a sentence names them; others by their own names."""

ReportRow = Mapping[str, Any]


def scored_drafts(
    rows: Sequence[ReportRow], excluded: Container[str], weights: Mapping[str, float]
) -> list[ScoredDraft]:
    """Convert the report's rows to the drafts that the test compares.

    Args:
        rows: The rows.
        excluded: Candidates whose scores cannot be compared with the others; they count as unscored.
        weights: Scorer's name to weight; the test compares the weighted mean of the scores with a value.
    """
    drafts = [row for row in rows if is_campaign_draft(row)]
    representatives = {row["candidate_id"]: row for row in drafts if row["status"] == "survivor"}
    return [
        _scored_draft(row, _total(row, _representative(row, representatives), excluded, weights))
        for row in drafts
    ]


def split_by_round(drafts: Sequence[ScoredDraft], campaign: Campaign) -> dict[int, list[ScoredDraft]]:
    """Split drafts into those of the campaign's own rounds, 0, and those of each round that added arms."""
    found: dict[int, list[ScoredDraft]] = {}
    for draft in drafts:
        found.setdefault(campaign.added_round_of(draft.replicate), []).append(draft)
    return dict(sorted(found.items()))


def votes_of_rounds(
    votes: Sequence[Vote], candidates: Sequence[Candidate], campaign: Campaign | None
) -> list[ArmVote]:
    """Keep the votes on two arms' pictures of one row and round: what changes between rounds is no arm's."""
    made_by: dict[int, dict[str, tuple[str, int]]] = {}
    for one in candidates:
        if one.is_campaign_draft:
            number = campaign.added_round_of(one.replicate) if campaign else 0
            made_by.setdefault(number, {})[one.candidate_id] = (one.arm, one.row)
    return [vote for own in made_by.values() for vote in votes_between_arms(votes, own)]


def name_scorers(names: Sequence[str]) -> str:
    """Begin a verdict with the scorers that it is by: what one alone says may be another's opposite.

    Example:
        >>> name_scorers(["technical"]), name_scorers(["judge", "technical"])
        ('on technical quality alone', 'by the judge and technical quality')
    """
    if not names:
        return ""
    *first, last = [SPOKEN.get(name, name) for name in names]
    return f"by {', '.join(first)} and {last}" if first else f"on {last} alone"


def _representative(row: ReportRow, representatives: Mapping[str, ReportRow]) -> ReportRow | None:
    """Find what a duplicate duplicates within its own arm and row; elsewhere a judge was asked otherwise."""
    found = representatives.get(row["cluster"]) if row["status"] == "duplicate" else None
    is_alike = found is not None and (found["arm"], found["row"]) == (row["arm"], row["row"])
    return found if is_alike else None


def _total(
    row: ReportRow, original: ReportRow | None, excluded: Container[str], weights: Mapping[str, float]
) -> float | None:
    """Average a picture's scores; those of a duplicate by the scorers that its original has a value of."""
    if row["candidate_id"] in excluded or (original and original["candidate_id"] in excluded):
        return None
    if row["status"] == "duplicate" and original is None and any(weights.get(name) for name in BOUGHT):
        return None
    return weighted_mean({name: _value(row, original, f"score_{name}") for name in weights}, weights)


def _value(row: ReportRow, original: ReportRow | None, column: str) -> float | None:
    own: float | None = row.get(column)
    if original is None:
        return own
    of_original: float | None = original.get(column)
    return None if of_original is None else of_original if own is None else own


def _scored_draft(row: ReportRow, score: float | None) -> ScoredDraft:
    asked = {"size": row["size"], "output_format": row["requested_format"]}
    found = Form(row["format"], row["width"], row["height"])
    form, is_downgraded = split_by_form(row["downgraded"], asked, found)
    return ScoredDraft(
        order_id=row["order_id"],
        arm=row["arm"],
        row=row["row"],
        replicate=row["replicate"],
        state=row["state"],
        error_code=row["error_code"],
        cost_usd=row["cost_usd"],
        candidate_id=row["candidate_id"],
        status=row["status"],
        cluster=row["cluster"],
        score=score,
        form=form,
        is_downgraded=is_downgraded,
    )
