"""What a run's drafts say of its arms: the test's material, read from the report's rows, and the test."""

from collections.abc import Container, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from tasks.ab_test import HeldOut, ScoredDraft, compare_arms
from tasks.allocate import allocate
from tasks.campaign import Campaign
from tasks.candidate import Candidate
from tasks.rounds import RoundDecision, passes_of
from tasks.unjudged import half_scored, note_of_test


def scored_drafts(rows: Sequence[Mapping[str, Any]], left_out: Container[str]) -> list[ScoredDraft]:
    """Take from the report's rows what the test needs to know of the drafts.

    Args:
        rows: The rows.
        left_out: Candidates whose score is not like the others'; they have none for the test.
    """
    return [
        ScoredDraft(
            order_id=row["order_id"],
            arm=row["arm"],
            row=row["row"],
            replicate=row["replicate"],
            state=row["state"],
            cost_usd=row["cost_usd"],
            candidate_id=row["candidate_id"],
            status=row["status"],
            score=None if row["candidate_id"] in left_out else row["score"],
            is_downgraded=row["downgraded"] is not None,
        )
        for row in rows
        if row["stage"] == "draft"
    ]


def compare_run(
    rows: Sequence[Mapping[str, Any]],
    candidates: Sequence[Candidate],
    campaign: Campaign,
    decided: Sequence[RoundDecision],
) -> dict[str, Any] | None:
    """Compare a run's arms by its report's rows; ``None`` with one arm only.

    After a round in which arms were dropped, those left are compared by pictures made since.
    """
    pictures, weights = [one for one in candidates if one.stage == "draft"], campaign.score.weights
    drafts = scored_drafts(rows, half_scored(pictures, weights))
    if len({draft.arm for draft in drafts}) < 2:
        return None
    found = compare_arms(drafts, held_out=held_out(campaign, decided)).as_dict()
    note = note_of_test(pictures, weights)
    return found | {"headline": f"{found['headline']} {note}"} if note else found


def held_out(campaign: Campaign, decided: Sequence[RoundDecision]) -> HeldOut | None:
    """Tell which pictures no round was decided by; ``None`` when none was decided."""
    if not decided or len(decided) >= len(campaign.rounds):
        return None
    return HeldOut(frozenset(decided[-1].arms_going_on), campaign.rounds[len(decided)].first_replicate)


def rounds_told(
    rows: Sequence[Mapping[str, Any]],
    candidates: Sequence[Candidate],
    campaign: Campaign,
    decided: Sequence[RoundDecision],
) -> list[dict[str, Any]]:
    """Lay out a run's rounds for its report; empty when there is only one.

    The last round drops nobody; it is told which of its arms comes first by all pictures of the run.
    """
    rounds = campaign.rounds
    if len(rounds) == 1:
        return []
    ends = [*decided, _first_in_the_end(rows, candidates, campaign, decided)]
    standings = {end.number: [asdict(one) for one in end.standings] for end in ends if end is not None}
    return [
        {
            "number": each.number,
            "arms": each.n_arms,
            "replicates": each.replicates,
            "standings": standings.get(each.number, []),
        }
        for each in rounds
    ]


def _first_in_the_end(
    rows: Sequence[Mapping[str, Any]],
    candidates: Sequence[Candidate],
    campaign: Campaign,
    decided: Sequence[RoundDecision],
) -> RoundDecision | None:
    last = campaign.rounds[-1]
    made = [one for one in candidates if one.stage == "draft"]
    is_begun = any(draft.replicate >= last.first_replicate for draft in made)
    if len(decided) != len(campaign.rounds) - 1 or not is_begun:
        return None
    arms = passes_of(campaign.rounds, list(campaign.arms), decided)[-1].arms
    scored = scored_drafts(rows, half_scored(made, campaign.score.weights))
    return allocate(scored, arms, number=last.number, n_going_on=1)
