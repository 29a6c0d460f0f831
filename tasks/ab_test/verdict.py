"""The verdict of the A/B test: which arm makes the better pictures, or that the evidence is not enough.

Arms are compared in pairs over the rows that both were scored in (``paired_rows``). A verdict needs both an
interval that excludes zero and a p-value that is significant after Holm's correction over all pairs.
Duplicates count together as one picture, and pictures that are not as ordered are left out (``evidence``), as
are those without a score, which are unknown and not bad. The result gives the costs and failures of each arm
too.
"""

import math
from collections import defaultdict
from collections.abc import Sequence
from decimal import Decimal
from itertools import combinations
from statistics import fmean

import numpy as np

from tasks.ab_test.evidence import HeldOut, ScoredDraft, compared_form, describe_forms, gather_evidence
from tasks.ab_test.holm import correct_by_holm
from tasks.ab_test.paired_rows import RowDifference, row_difference, unseen_share
from tasks.ab_test.power import SIGNIFICANCE, least_units
from tasks.ab_test.result import NOT_ENOUGH, AbTest, ArmResult, PairResult, state_winner
from tasks.ab_test.segment_verdicts import compare_in_segments, find_interactions
from tasks.ab_test.segments import Segment
from tasks.ab_test.sentences import describe_pair, name_segments, state_headline
from tasks.order import may_be_billed

LEAST_DIFFERENCE = 0.01
"""A smaller difference of scores is not worth buying pictures for."""

ScoresByRow = dict[int, list[float]]


def compare_arms(
    scored: Sequence[ScoredDraft],
    held_out: HeldOut | None = None,
    by: str = "",
    segments: Sequence[Segment] = (),
) -> AbTest:
    """Compare all arms of a run.

    Args:
        scored: One entry for each draft order and picture, in any order.
        held_out: The arms to compare and the pictures to compare them by; ``None`` for all of both. The cost
            and failures of each arm are always those of all its drafts.
        by: By which scorers, for the headline, such as ``on technical quality alone``.
        segments: Rows in which the arms are also compared by themselves.

    Returns:
        Figures for each arm and each pair of arms, and the headline.
    """
    names = sorted({draft.arm for draft in scored})
    form = compared_form(scored)
    pieces = gather_evidence(scored, form)
    arms = {
        name: _sum_up(
            [draft for draft in scored if draft.arm == name],
            [piece.score for piece in pieces if piece.arm == name],
        )
        for name in names
    }
    fresh: dict[str, ScoresByRow] = {
        name: defaultdict(list) for name in names if held_out is None or name in held_out.arms
    }
    if held_out is not None:
        pieces = gather_evidence([draft for draft in scored if held_out.holds(draft)], form)
    for piece in pieces:
        fresh[piece.arm][piece.row].append(piece.score)
    pairs = _compare_pairs(fresh)
    in_segments = compare_in_segments(fresh, segments)
    headline = state_headline(by, {name: arms[name] for name in fresh}, pairs, fresh)
    headline += name_segments(pairs, in_segments)
    headline += _dropped(len(arms) - len(fresh))
    headline += describe_forms(scored, form) if len(names) > 1 else ""
    return AbTest(headline, arms, pairs, in_segments, find_interactions(fresh, segments))


def _dropped(n_arms: int) -> str:
    if not n_arms:
        return ""
    return f" The other {f'{n_arms} arms were' if n_arms > 1 else 'arm was'} dropped in earlier rounds."


def _sum_up(drafts: Sequence[ScoredDraft], scores: Sequence[float]) -> ArmResult:
    states = {draft.order_id: draft.state for draft in drafts if draft.state != "planned"}
    answered = sum(state in ("received", "refused", "failed") for state in states.values())
    statuses = [draft.status for draft in drafts if draft.status is not None]
    return ArmResult(
        orders=len(states),
        pictures=sum(draft.candidate_id is not None for draft in drafts),
        compared=len(scores),
        duplicate_rate=_share(statuses.count("duplicate"), len(statuses)),
        refusal_rate=_share(list(states.values()).count("refused"), answered),
        failure_rate=_share(list(states.values()).count("failed"), answered),
        mean_score=fmean(scores) if scores else None,
        cost_per_unique_image_usd=_cost_per_unique_image_usd(drafts, statuses.count("survivor")),
    )


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None


def _cost_per_unique_image_usd(drafts: Sequence[ScoredDraft], unique_images: int) -> Decimal | None:
    """Divide what was spent; a refused or failed order is free unless it has a cost."""
    costs = [draft.cost_usd for draft in drafts if draft.cost_usd is not None]
    is_known = all(
        draft.cost_usd is not None or not may_be_billed(draft.state, draft.error_code) for draft in drafts
    )
    return sum(costs, Decimal(0)) / unique_images if unique_images and costs and is_known else None


def _compare_pairs(scores: dict[str, ScoresByRow]) -> tuple[PairResult, ...]:
    names = list(combinations(sorted(scores), 2))
    found = [row_difference(scores[a], scores[b]) for a, b in names]
    corrected = correct_by_holm([difference.p_value for difference in found])
    return tuple(
        _judge_pair(arms, scores, difference, p_holm, len(names))
        for arms, difference, p_holm in zip(names, found, corrected, strict=True)
    )


def _judge_pair(
    arms: tuple[str, str],
    scores: dict[str, ScoresByRow],
    found: RowDifference,
    p_holm: float | None,
    n_pairs: int,
) -> PairResult:
    a, b = (scores[arm] for arm in arms)
    shared = sorted(a.keys() & b.keys())
    of_a, of_b = ([score for row in shared for score in arm[row]] for arm in (a, b))
    winner = _winner(arms, found, p_holm)
    more = (None, None) if winner else _more_units(found, len(of_a) + len(of_b), n_pairs)
    return PairResult(
        arms=arms,
        difference=found.difference,
        low=found.low,
        high=found.high,
        probability=_probability(of_a, of_b),
        p_value=found.p_value,
        p_value_holm=p_holm,
        verdict=state_winner(winner) if winner else NOT_ENOUGH,
        more_rows_needed=more[0],
        more_pictures_needed=more[1],
        rows=len(shared),
        rows_left_out=len(a.keys() ^ b.keys()),
        pictures=(len(of_a), len(of_b)),
        note=describe_pair(found, len(a.keys() ^ b.keys())),
        unseen_share=unseen_share(len(shared)) if shared else None,
    )


def _winner(arms: tuple[str, str], found: RowDifference, p_holm: float | None) -> str | None:
    if p_holm is None or p_holm > SIGNIFICANCE or found.low is None or found.high is None:
        return None
    return arms[0] if found.low > 0 else arms[1] if found.high < 0 else None


def _probability(of_a: Sequence[float], of_b: Sequence[float]) -> float | None:
    """Return the share of all cross pairs that A wins: Mann and Whitney's U over their number."""
    if not of_a or not of_b:
        return None
    below = np.sort(of_b)
    # A draw counts half to either; SciPy's ranks say the same, and its statistics take 0.7 s to load.
    n_won = np.searchsorted(below, of_a, "left") + np.searchsorted(below, of_a, "right")
    return float(n_won.sum()) / 2 / (len(of_a) * len(of_b))


def _more_units(found: RowDifference, pictures: int, n_pairs: int) -> tuple[int | None, int | None]:
    """Return how many more rows, and how many more pictures for each arm, decide with a power of 80 %.

    Rows are the units; with a single row, replicates of it are. The standard error falls with the square root
    of the number of units ``m``. Sought is the least ``m`` at which (t of the significance + t of 80 %)
    standard errors are no more than the difference; t has the degrees of freedom that follow from ``m``.

    Source: S.-C. Chow, J. Shao, H. Wang (2008), "Sample Size Calculations in Clinical Research", chapter 3.
    """
    if not found.difference or not found.standard_error or abs(found.difference) < LEAST_DIFFERENCE:
        return None, None
    per_arm = pictures / 2
    units = found.rows if found.rows > 1 else per_arm
    freedom_of_unit = 1 if found.rows > 1 else 2
    times = found.standard_error**2 * units / found.difference**2
    more = max(least_units(times, SIGNIFICANCE / n_pairs, freedom_of_unit) - units, 1)
    return math.ceil(more) if found.rows > 1 else None, math.ceil(more * per_arm / units)
