"""The verdict of the A/B test: which arm makes the better pictures, or that the evidence is not enough.

Arms are compared in pairs over the rows that both were scored in (``paired_rows``). A verdict needs both an
interval that excludes zero and a p-value that is significant after Holm's correction over all pairs. Left out
are duplicates, which are no independent evidence, downgraded pictures, which are not what was ordered, and
pictures without a score, which are unknown and not bad. The result gives the costs and failures of each arm
too.
"""

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import combinations
from statistics import fmean

import numpy as np

from tasks.ab_test.paired_rows import RowDifference, row_difference
from tasks.ab_test.result import AbTest, ArmResult, PairResult
from tasks.candidate import Status
from tasks.order import OrderState, may_be_billed

NOT_ENOUGH = "not enough evidence"
SIGNIFICANCE = 0.05
POWER = 0.8
LEAST_DIFFERENCE = 0.01
"""A smaller difference of scores is not worth buying pictures for."""
FEW_ROWS = 4


@dataclass(frozen=True, slots=True)
class ScoredDraft:
    """What the test needs to know of one draft order and its picture, if it has one.

    Args:
        order_id: The order; one that asked for several pictures appears once for each.
        arm: The arm's name.
        row: Index of the row of variables.
        replicate: Its place among the pictures of its arm and row.
        state: The order's state.
        cost_usd: This picture's share of what the order cost; ``None`` when unknown.
        candidate_id: The picture, or ``None``.
        status: Its status after deduplication, or ``None``.
        score: Its total score in [0, 1], or ``None``.
        is_downgraded: Whether it differs from what was ordered.
        error_code: What went wrong with the order, or ``None``.
    """

    order_id: str
    arm: str
    row: int
    replicate: int
    state: OrderState
    cost_usd: Decimal | None = None
    candidate_id: str | None = None
    status: Status | None = None
    score: float | None = None
    is_downgraded: bool = False
    error_code: str | None = None


@dataclass(frozen=True, slots=True)
class HeldOut:
    """The pictures that a verdict may use when the arms were selected by other pictures.

    Args:
        arms: The arms that were selected.
        first_replicate: The first replicate made after the selection.
    """

    arms: frozenset[str]
    first_replicate: int

    def holds(self, draft: ScoredDraft) -> bool:
        """Return whether a draft played no part in the selection."""
        return draft.arm in self.arms and draft.replicate >= self.first_replicate


ScoresByRow = dict[int, list[float]]


def counts_as_evidence(draft: ScoredDraft) -> bool:
    """Return whether a draft's score is compared."""
    return draft.score is not None and draft.status == "survivor" and not draft.is_downgraded


def compare_arms(scored: Sequence[ScoredDraft], seed: int = 0, held_out: HeldOut | None = None) -> AbTest:
    """Compare all arms of a run.

    Args:
        scored: One entry for each draft order and picture, in any order.
        seed: Of the bootstrap; the same drafts and seed give the same figures.
        held_out: The arms to compare and the pictures to compare them by; ``None`` for all of both. The cost
            and failures of each arm are always those of all its drafts.

    Returns:
        Figures for each arm and each pair of arms, and the headline.
    """
    drafts = sorted(
        scored, key=lambda draft: (draft.arm, draft.row, draft.replicate, draft.candidate_id or "")
    )
    names = sorted({draft.arm for draft in drafts})
    scores: dict[str, ScoresByRow] = {name: defaultdict(list) for name in names}
    fresh: dict[str, ScoresByRow] = {
        name: defaultdict(list) for name in names if held_out is None or name in held_out.arms
    }
    for draft in drafts:
        if draft.score is not None and counts_as_evidence(draft):
            scores[draft.arm][draft.row].append(draft.score)
            if held_out is None or held_out.holds(draft):
                fresh[draft.arm][draft.row].append(draft.score)
    arms = {name: _sum_up([draft for draft in drafts if draft.arm == name], scores[name]) for name in names}
    pairs = _compare_pairs(fresh, seed)
    compared = {name: arms[name] for name in fresh}
    return AbTest(_headline(compared, pairs) + _dropped(len(arms) - len(compared)), arms, pairs)


def _dropped(n_arms: int) -> str:
    if not n_arms:
        return ""
    return f" The other {f'{n_arms} arms were' if n_arms > 1 else 'arm was'} dropped in earlier rounds."


def _sum_up(drafts: Sequence[ScoredDraft], scores: ScoresByRow) -> ArmResult:
    states = {draft.order_id: draft.state for draft in drafts if draft.state != "planned"}
    answered = sum(state in ("received", "refused", "failed") for state in states.values())
    statuses = [draft.status for draft in drafts if draft.status is not None]
    values = [score for row in scores.values() for score in row]
    return ArmResult(
        orders=len(states),
        pictures=sum(draft.candidate_id is not None for draft in drafts),
        compared=len(values),
        duplicate_rate=_share(statuses.count("duplicate"), len(statuses)),
        refusal_rate=_share(list(states.values()).count("refused"), answered),
        failure_rate=_share(list(states.values()).count("failed"), answered),
        mean_score=fmean(values) if values else None,
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


def _compare_pairs(scores: dict[str, ScoresByRow], seed: int) -> tuple[PairResult, ...]:
    names = list(combinations(sorted(scores), 2))
    found = [
        row_difference(scores[a], scores[b], np.random.default_rng([seed, index]))
        for index, (a, b) in enumerate(names)
    ]
    corrected = _correct([difference.p_value for difference in found])
    return tuple(
        _judge_pair(arms, scores, difference, p_holm, len(names))
        for arms, difference, p_holm in zip(names, found, corrected, strict=True)
    )


def _correct(p_values: Sequence[float | None]) -> list[float | None]:
    """Apply Holm's correction over the p-values that exist; a single one needs none.

    Source: S. Holm (1979), "A simple sequentially rejective multiple test procedure".
    """
    known = [p_value for p_value in p_values if p_value is not None]
    if len(known) < 2:
        return list(p_values)
    from statsmodels.stats.multitest import multipletests

    corrected = iter(multipletests(known, method="holm")[1].tolist())
    return [None if p_value is None else next(corrected) for p_value in p_values]


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
    return PairResult(
        arms=arms,
        difference=found.difference,
        low=found.low,
        high=found.high,
        probability=_probability(of_a, of_b),
        p_value=found.p_value,
        p_value_holm=p_holm,
        verdict=f"{winner} wins" if winner else NOT_ENOUGH,
        more_pictures_needed=None if winner else _more_pictures(found, len(of_a) + len(of_b), n_pairs),
        rows=len(shared),
        rows_left_out=len(a.keys() ^ b.keys()),
        pictures=(len(of_a), len(of_b)),
        note=_note(found, len(a.keys() ^ b.keys())),
    )


def _winner(arms: tuple[str, str], found: RowDifference, p_holm: float | None) -> str | None:
    if p_holm is None or p_holm > SIGNIFICANCE or found.low is None or found.high is None:
        return None
    return arms[0] if found.low > 0 else arms[1] if found.high < 0 else None


def _probability(of_a: Sequence[float], of_b: Sequence[float]) -> float | None:
    """Return the share of all cross pairs that A wins: Mann and Whitney's U over their number."""
    if not of_a or not of_b:
        return None
    from scipy import stats

    # Only U is wanted; the exact p-value would take long for many pictures.
    u = stats.mannwhitneyu(of_a, of_b, method="asymptotic").statistic
    return float(u) / (len(of_a) * len(of_b))


def _more_pictures(found: RowDifference, pictures: int, n_pairs: int) -> int | None:
    """Return how many more pictures each arm needs, in new rows with as many replicates as now.

    With a single row, more replicates of it are counted instead. The standard error falls with the square
    root of the number of units ``m``. Sought is the least ``m`` at which (t of the significance + t of 80 %)
    standard errors are no more than the difference; t has the degrees of freedom that follow from ``m``.

    Source: S.-C. Chow, J. Shao, H. Wang (2008), "Sample Size Calculations in Clinical Research", chapter 3.
    """
    if not found.difference or not found.standard_error or abs(found.difference) < LEAST_DIFFERENCE:
        return None
    per_arm = pictures / 2
    units = found.rows if found.rows > 1 else per_arm
    freedom_of_unit = 1 if found.rows > 1 else 2
    times = found.standard_error**2 * units / found.difference**2
    needed = _least_units(times, SIGNIFICANCE / n_pairs, freedom_of_unit)
    return math.ceil(max(needed - units, 1) * per_arm / units)


def _least_units(times: float, significance: float, freedom_of_unit: int) -> int:
    """Return the least m with (t + t)² · ``times`` ≤ m, to within 2 %."""
    from scipy import special

    needed, reach = 1, math.inf
    while reach**2 * times > needed:
        needed += 1 + needed // 50
        freedom = freedom_of_unit * (needed - 1)
        reach = special.stdtrit(freedom, 1 - significance / 2) + special.stdtrit(freedom, POWER)
    return needed


def _note(found: RowDifference, rows_left_out: int) -> str:
    parts = []
    if not found.rows:
        parts.append("the arms have no scored row in common")
    elif found.low is None and found.standard_error is not None:
        parts.append("the scores do not vary, so the uncertainty cannot be estimated")
    elif found.low is None:
        parts.append("one picture does not show how much pictures vary")
    elif found.rows == 1:
        parts.append("one row only: the verdict holds for this prompt, and other prompts may differ")
    elif found.rows < FEW_ROWS:
        parts.append(f"{found.rows} rows only: other prompts may differ")
    if rows_left_out:
        verb = "row was" if rows_left_out == 1 else "rows were"
        parts.append(f"{rows_left_out} {verb} left out: scored for one arm only")
    return "; ".join(parts)


def _headline(arms: dict[str, ArmResult], pairs: Sequence[PairResult]) -> str:
    if not pairs:
        return "Only one arm: there is nothing to compare." if arms else "There is nothing to compare."
    if len(pairs) == 1:
        return _sentence(pairs[0])
    beaten = {arm: [_loser(pair) for pair in pairs if pair.verdict == f"{arm} wins"] for arm in arms}
    best = max(sorted(arms), key=lambda arm: (len(beaten[arm]), arms[arm].mean_score or 0.0))
    if len(beaten[best]) == len(arms) - 1:
        return f"Arm {best} beats every other arm."
    if not beaten[best]:
        return f"Not enough evidence that any of the {len(arms)} arms is better than another."
    return f"Not enough evidence for one best arm; {best} beats {' and '.join(beaten[best])}."


def _loser(pair: PairResult) -> str:
    return pair.arms[1] if pair.verdict == f"{pair.arms[0]} wins" else pair.arms[0]


def _sentence(pair: PairResult) -> str:
    a, b = pair.arms
    if pair.difference is None:
        return f"Arms {a} and {b} cannot be compared: {pair.note}."
    leader, other = (a, b) if pair.difference >= 0 else (b, a)
    if pair.low is None or pair.high is None:
        return f"Not enough evidence that arms {a} and {b} differ: {pair.note}."
    ends = sorted([pair.low, pair.high] if leader == a else [-pair.high, -pair.low])
    by = _figure(abs(pair.difference))
    interval = f"(95% interval {_figure(ends[0])} to {_figure(ends[1])})"
    rows = "1 row" if pair.rows == 1 else f"{pair.rows} rows"
    if pair.verdict != NOT_ENOUGH:
        return f"Arm {leader} beats arm {other} by {by} of score {interval}, over {rows}."
    more = pair.more_pictures_needed
    settle = f"; about {more:,} more pictures per arm would decide it" if more else ""
    lead = f"{leader} leads by {by} {interval}"
    return f"Not enough evidence that arms {a} and {b} differ: {lead}{settle}."


def _figure(score: float) -> str:
    """Write a difference of scores: two decimals, or three where two would show nothing."""
    return f"{score:.2f}" if round(score, 2) else f"{score:.3f}"
