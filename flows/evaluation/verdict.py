"""The A/B test of a run: its data, read from the report's rows, its verdict, and its rounds."""

from collections.abc import Container, Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any

from tasks.ab_test.verdict import HeldOut, ScoredDraft, compare_arms
from tasks.allocate import rank_arms
from tasks.campaign import Campaign
from tasks.campaign.rounds import ArmStanding, Pass, RoundDecision, is_complete, passes_of
from tasks.candidate import Candidate
from tasks.orders.missing_scores import note_of_test, partly_scored
from tasks.report_page.rows import is_draft


def scored_drafts(rows: Sequence[Mapping[str, Any]], excluded: Container[str]) -> list[ScoredDraft]:
    """Convert the report's rows to the drafts that the test compares.

    Args:
        rows: The rows.
        excluded: Candidates whose scores cannot be compared with the others; they count as unscored.
    """
    return [
        ScoredDraft(
            order_id=row["order_id"],
            arm=row["arm"],
            row=row["row"],
            replicate=row["replicate"],
            state=row["state"],
            error_code=row["error_code"],
            cost_usd=row["cost_usd"],
            candidate_id=row["candidate_id"],
            status=row["status"],
            score=None if row["candidate_id"] in excluded else row["score"],
            is_downgraded=row["downgraded"] is not None,
        )
        for row in rows
        if is_draft(row)
    ]


def compare_run(
    rows: Sequence[Mapping[str, Any]],
    candidates: Sequence[Candidate],
    campaign: Campaign,
    decided: Sequence[RoundDecision],
) -> dict[str, Any] | None:
    """Compare a run's arms by its report's rows; ``None`` with only one arm.

    After a round in which arms were dropped, the others are compared by the pictures made since.

    Args:
        rows: The report's rows.
        candidates: The run's pictures.
        campaign: The campaign.
        decided: The run's decided rounds, in order.
    """
    pictures, weights = [one for one in candidates if one.is_draft], campaign.score.weights
    drafts = scored_drafts(rows, partly_scored(pictures, weights))
    if len({draft.arm for draft in drafts}) < 2:
        return None
    found = compare_arms(drafts, held_out=held_out(decided)).as_dict()
    note = note_of_test(pictures, weights)
    return found | {"headline": f"{found['headline']} {note}"} if note else found


def held_out(decided: Sequence[RoundDecision]) -> HeldOut | None:
    """Return which pictures no round was decided by; ``None`` if no round was decided."""
    if not decided:
        return None
    return HeldOut(frozenset(decided[-1].arms_going_on), decided[-1].next_first_replicate)


def describe_rounds(
    rows: Sequence[Mapping[str, Any]],
    candidates: Sequence[Candidate],
    campaign: Campaign,
    decided: Sequence[RoundDecision],
) -> list[dict[str, Any]]:
    """Describe a run's rounds for its report; empty if there is only one.

    The last round drops no arm; its entry shows which arm is first by all pictures of the run. Rounds that
    have not begun are described by their planned maximum.

    Args:
        rows: The report's rows.
        candidates: The run's pictures.
        campaign: The campaign.
        decided: The run's decided rounds, in order.
    """
    rounds = campaign.rounds
    if len(rounds) == 1 and not decided:
        return []
    begun = passes_of(rounds, list(campaign.arms), decided)
    standings = {decision.number: list(decision.standings) for decision in decided}
    has_ended = is_complete(rounds, decided)
    if has_ended:
        standings[len(begun)] = _first_in_the_end(rows, candidates, campaign, begun[-1])
    sizes = [(len(one.arms), one.replicates) for one in begun]
    if not has_ended:
        sizes += [(each.n_arms, each.replicates) for each in rounds[len(begun) :]]
    return [
        {
            "number": number,
            "arms": n_arms,
            "replicates": replicates,
            "is_last": number == len(sizes),
            "standings": [asdict(standing) for standing in standings.get(number, ())],
        }
        for number, (n_arms, replicates) in enumerate(sizes, 1)
    ]


def _first_in_the_end(
    rows: Sequence[Mapping[str, Any]], candidates: Sequence[Candidate], campaign: Campaign, last: Pass
) -> list[ArmStanding]:
    made = [one for one in candidates if one.is_draft]
    if not any(draft.replicate >= last.first_replicate for draft in made):
        return []
    scored = scored_drafts(rows, partly_scored(made, campaign.score.weights))
    first, *others = rank_arms(scored, last.arms, share_made=1.0)
    if first.lead is None:
        return []
    return [replace(one, goes_on=one is first, chance=None) for one in (first, *others)]
