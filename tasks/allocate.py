"""The step that decides which arms go on to the next round, from the scores so far.

The evidence is the same as for the verdict: unique images with their duplicates, scored, that match their
order. The rule is described in ``tasks.campaign.rounds``; its figures are computed in
``tasks.ab_test.arm_leads``.
"""

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from statistics import fmean

import numpy as np

from tasks.ab_test.arm_leads import measure_leads
from tasks.ab_test.evidence import ScoredDraft, compared_form, gather_evidence
from tasks.ab_test.factor_model import Cell
from tasks.ab_test.level_leads import measure_level_leads
from tasks.campaign.rounds import LAST_ARMS, ArmStanding, Round, RoundDecision

LEAST_CHANCE = 0.05
"""An arm whose chance of leading at the end is lower than this is dropped."""

Scores = dict[str, dict[int, list[float]]]


def allocate(
    scored: Sequence[ScoredDraft],
    arms: Sequence[str],
    rounds: Sequence[Round],
    *,
    number: int,
    levels: Mapping[str, Mapping[str, str]] | None = None,
) -> RoundDecision | None:
    """Decide a round.

    Args:
        scored: Every draft so far, in any order; drafts of dropped arms are ignored.
        arms: The arms of the round, in the campaign's order; among equals the first goes on.
        rounds: The campaign's planned rounds.
        number: The round, from 1; not the last one.
        levels: The levels of every arm ever made, if all are made of factors: then an arm's lead is what its
            levels lead by in all arms, so that a level that is worse goes with all its arms.

    Returns:
        The decision; ``None`` when no picture has a score, so that nothing can be decided. An arm without a
        score ranks last, and is dropped once two others have one.
    """
    this, following = (rounds[min(place, len(rounds) - 1)] for place in (number - 1, number))
    share_made = following.first_replicate / _end(rounds[-1])
    ranked = rank_arms(scored, arms, share_made=share_made)
    if levels is not None:
        ranked = _by_levels(ranked, scored, levels, share_made)
    n_known = sum(standing.lead is not None for standing in ranked)
    if not n_known:
        return None
    most = min(following.n_arms, n_known) if n_known >= LAST_ARMS else following.n_arms
    in_race = [standing.arm for standing in ranked[:most] if _is_in_race(standing)]
    going_on = in_race if len(in_race) >= LAST_ARMS else [standing.arm for standing in ranked[:LAST_ARMS]]
    is_next_last = len(in_race) == 1 or number >= len(rounds) - 1
    return RoundDecision(
        number=number,
        standings=tuple(replace(standing, goes_on=standing.arm in going_on) for standing in ranked),
        next_first_replicate=max(_end(this), 1 + max(draft.replicate for draft in scored)),
        next_replicates=(rounds[-1] if is_next_last else following).replicates,
        is_next_last=is_next_last,
    )


def rank_arms(
    scored: Sequence[ScoredDraft], arms: Sequence[str], *, share_made: float
) -> tuple[ArmStanding, ...]:
    """Rank arms by their leads, the best first; ``goes_on`` is False for all.

    Args:
        scored: Every draft so far, in any order.
        arms: The arms to rank, in the campaign's order, which also decides between equals.
        share_made: The share of an arm's pictures already made, if it stays to the end, 0-1.
    """
    scores = _scores(scored, arms)
    rows = sorted({row for own in scores.values() for row in own})
    cells = [[scores[arm].get(row, []) for row in rows] for arm in arms]
    counts = np.array([[len(cell) for cell in own] for own in cells], dtype=float)
    means = np.array([[fmean(cell) if cell else 0.0 for cell in own] for own in cells])
    squares = np.array([[_squares(cell) for cell in own] for own in cells])
    shape = (len(arms), len(rows))
    found = measure_leads(counts.reshape(shape), means.reshape(shape), squares.reshape(shape), share_made)
    standings = [
        _stand(arm, scores[arm], float(lead), float(chance))
        for arm, lead, chance in zip(arms, found.lead, found.chance, strict=True)
    ]
    return tuple(sorted(standings, key=lambda one: (one.lead is None, -(one.lead or 0.0))))


def _by_levels(
    ranked: Sequence[ArmStanding],
    scored: Sequence[ScoredDraft],
    levels: Mapping[str, Mapping[str, str]],
    share_made: float,
) -> tuple[ArmStanding, ...]:
    """Rank arms by what their levels lead by; as they are where scores do not show how far they vary."""
    scores = _scores(scored, list(levels))
    cells = [
        Cell(levels[arm], row, fmean(values), len(values), _squares(values))
        for arm, rows in scores.items()
        for row, values in rows.items()
        if values
    ]
    known = {one.arm: levels[one.arm] for one in ranked if one.lead is not None}
    found = measure_level_leads(cells, known, share_made) if known else None
    if found is None:
        return tuple(ranked)
    placed = [
        one if one.arm not in found else replace(one, lead=found[one.arm][0], chance=found[one.arm][1])
        for one in ranked
    ]
    return tuple(sorted(placed, key=lambda one: (one.lead is None, -(one.lead or 0.0))))


def _end(each: Round) -> int:
    return each.first_replicate + each.replicates


def _is_in_race(standing: ArmStanding) -> bool:
    return standing.chance is None or standing.chance >= LEAST_CHANCE


def _scores(scored: Sequence[ScoredDraft], arms: Sequence[str]) -> Scores:
    scores: Scores = {arm: defaultdict(list) for arm in arms}
    for piece in gather_evidence(scored, compared_form(scored)):
        if piece.arm in scores:
            scores[piece.arm][piece.row].append(piece.score)
    return scores


def _squares(scores: Sequence[float]) -> float:
    mean = fmean(scores) if scores else 0.0
    return math.fsum((score - mean) ** 2 for score in scores)


def _stand(arm: str, rows: dict[int, list[float]], lead: float, chance: float) -> ArmStanding:
    values = [score for row in rows.values() for score in row]
    return ArmStanding(
        arm=arm,
        lead=None if math.isnan(lead) else lead,
        mean_score=fmean(values) if values else None,
        pictures=len(values),
        goes_on=False,
        chance=None if math.isnan(chance) else chance,
    )
