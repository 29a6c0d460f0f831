"""What a run's drafts say of its arms: the test's material, read from the report's rows, and the test."""

from collections.abc import Container, Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any

from tasks.ab_test.verdict import HeldOut, ScoredDraft, compare_arms
from tasks.allocate import rank_arms
from tasks.campaign import Campaign
from tasks.campaign.rounds import ArmStanding, Pass, RoundDecision, is_complete, passes_of
from tasks.candidate import Candidate
from tasks.orders.missing_scores import half_scored, note_of_test
from tasks.report_page.rows import is_draft


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
            error_code=row["error_code"],
            cost_usd=row["cost_usd"],
            candidate_id=row["candidate_id"],
            status=row["status"],
            score=None if row["candidate_id"] in left_out else row["score"],
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
    """Compare a run's arms by its report's rows; ``None`` with one arm only.

    After a round in which arms were dropped, those left are compared by pictures made since.
    """
    pictures, weights = [one for one in candidates if one.is_draft], campaign.score.weights
    drafts = scored_drafts(rows, half_scored(pictures, weights))
    if len({draft.arm for draft in drafts}) < 2:
        return None
    found = compare_arms(drafts, held_out=held_out(decided)).as_dict()
    note = note_of_test(pictures, weights)
    return found | {"headline": f"{found['headline']} {note}"} if note else found


def held_out(decided: Sequence[RoundDecision]) -> HeldOut | None:
    """Tell which pictures no round was decided by; ``None`` when none was decided."""
    if not decided:
        return None
    return HeldOut(frozenset(decided[-1].arms_going_on), decided[-1].next_first_replicate)


def rounds_told(
    rows: Sequence[Mapping[str, Any]],
    candidates: Sequence[Candidate],
    campaign: Campaign,
    decided: Sequence[RoundDecision],
) -> list[dict[str, Any]]:
    """Lay out a run's rounds for its report; empty when there is only one.

    The last round drops nobody; it is told which of its arms comes first by all pictures of the run. Rounds
    that have not begun are told as they are planned, at most.
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
    scored = scored_drafts(rows, half_scored(made, campaign.score.weights))
    first, *others = rank_arms(scored, last.arms, share_made=1.0)
    if first.lead is None:
        return []
    return [replace(one, goes_on=one is first, chance=None) for one in (first, *others)]
