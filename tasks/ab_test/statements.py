"""Statements by arm: how often each is true, worst first, and in which of them arms differ.

Arms are compared row by row, by the probability of yes where answers are graded, else as by a score of 1
where the statement is true and 0 where it is not; over all statements and pairs of arms, Holm's correction
keeps chance from naming one. The interval of a single arm's share is Wilson's, with the pictures counted for
as much as they tell: pictures of one row are alike, so their number is divided by the design effect.

Source: E. Wilson (1927), "Probable inference, the law of succession, and statistical inference"; L. Kish
(1965), "Survey Sampling" (design effect, and its correlation by the analysis of variance).
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from statistics import NormalDist

import numpy as np

from tasks.ab_test.holm import correct_by_holm
from tasks.ab_test.paired_rows import CONFIDENCE, RowDifference, row_difference
from tasks.judging.statement_answers import StatementAnswer

MOST_FAILING = 3
"""How many failing pictures of an arm and statement are named."""


@dataclass(frozen=True, slots=True)
class ArmShare:
    """How often a statement is true of an arm's pictures.

    Args:
        answered: Pictures with an answer.
        true: Those of which it is true.
        share: Their share; ``None`` without an answer.
        low: The lower end of its 95 % interval.
        high: The upper end.
        failing: Some pictures of which it is not true, by candidate id.
        mean_chance: The mean probability of yes where answers are graded; else ``None``.
    """

    answered: int
    true: int
    share: float | None
    low: float | None
    high: float | None
    failing: tuple[str, ...]
    mean_chance: float | None = None


@dataclass(frozen=True, slots=True)
class StatementResult:
    """The answers to one statement.

    Args:
        template: The statement as it is written in the campaign.
        must: Whether it is a condition.
        arms: Each arm's share.
        differing: The pairs of arms that differ, the one of which it is true less often first.
    """

    template: str
    must: bool
    arms: Mapping[str, ArmShare]
    differing: tuple[tuple[str, str], ...]

    @property
    def share(self) -> float | None:
        """The share of all answered pictures of which it is true; ``None`` without an answer."""
        answered = sum(arm.answered for arm in self.arms.values())
        return sum(arm.true for arm in self.arms.values()) / answered if answered else None


def sum_up_statements(
    answers: Sequence[StatementAnswer], scores: Mapping[str, float | None] | None = None
) -> list[StatementResult]:
    """Sum up a judge's answers by statement and arm; the statement that is true least often comes first.

    Args:
        answers: The answers about a run's pictures.
        scores: The pictures' totals by candidate id; the failing pictures with the highest are named, since
            they are the ones that nearly became finalists.
    """
    by_template: dict[str, list[StatementAnswer]] = defaultdict(list)
    for answer in answers:
        by_template[answer.template].append(answer)
    arms = sorted({answer.arm for answer in answers})
    differing = _differing(by_template, arms)
    found = [
        StatementResult(
            template,
            any(one.must for one in given),
            {arm: _share([one for one in given if one.arm == arm], scores or {}) for arm in arms},
            tuple(differing[template]),
        )
        for template, given in by_template.items()
    ]
    return sorted(found, key=lambda one: (one.share is None, one.share))


def state_statements(results: Sequence[StatementResult]) -> list[str]:
    """Say in which statements arms differ, as ``A loses on “hands are right” (31 % against 8 % fail)``.

    Where answers are graded, arms may differ in a statement that no picture fails; so the means are given.
    """
    return [
        f"{worse} loses on “{one.template}” ({_against(one, worse, better)})."
        for one in results
        for worse, better in one.differing
    ]


def _against(one: StatementResult, worse: str, better: str) -> str:
    low, high = one.arms[worse].mean_chance, one.arms[better].mean_chance
    if low is not None and high is not None:
        return f"probability of yes {low:.2f} against {high:.2f}"
    return f"{_failing(one, worse)} against {_failing(one, better)} fail"


def _failing(one: StatementResult, arm: str) -> str:
    share = one.arms[arm].share
    assert share is not None
    return f"{1 - share:.0%}".replace("%", " %")


def _differing(
    by_template: Mapping[str, Sequence[StatementAnswer]], arms: Sequence[str]
) -> dict[str, list[tuple[str, str]]]:
    compared = [
        (template, first, second, row_difference(_by_row(given, first), _by_row(given, second)))
        for template, given in by_template.items()
        for first, second in combinations(arms, 2)
    ]
    corrected = correct_by_holm([difference.p_value for *_, difference in compared])
    found: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for (template, first, second, difference), p_value in zip(compared, corrected, strict=True):
        if p_value is not None and p_value < 1 - CONFIDENCE and (sign := _sign(difference)):
            found[template].append((first, second) if sign < 0 else (second, first))
    return found


def _sign(difference: RowDifference) -> int:
    """Return 1 or -1 where the interval leaves zero out, else 0."""
    low, high = difference.low, difference.high
    if low is None or high is None or low <= 0 <= high:
        return 0
    return 1 if low > 0 else -1


def _by_row(given: Sequence[StatementAnswer], arm: str) -> dict[int, list[float]]:
    found: dict[int, list[float]] = defaultdict(list)
    for one in given:
        if one.arm == arm and one.is_true is not None:
            found[one.row].append(float(one.is_true) if one.chance is None else one.chance)
    return found


def _share(given: Sequence[StatementAnswer], scores: Mapping[str, float | None]) -> ArmShare:
    answered = [one for one in given if one.is_true is not None]
    n_true = sum(one.is_true is True for one in answered)
    failing = sorted(
        (one.candidate_id for one in answered if not one.is_true),
        key=lambda name: (-(scores.get(name) or 0.0), name),
    )
    if not answered:
        return ArmShare(0, 0, None, None, None, ())
    rows: dict[int, list[float]] = defaultdict(list)
    for one in answered:
        rows[one.row].append(float(bool(one.is_true)))
    low, high = wilson_interval(n_true / len(answered), len(answered) / design_effect(list(rows.values())))
    chances = [one.chance for one in answered if one.chance is not None]
    mean_chance = sum(chances) / len(chances) if chances else None
    share = n_true / len(answered)
    return ArmShare(len(answered), n_true, share, low, high, tuple(failing[:MOST_FAILING]), mean_chance)


def design_effect(rows: Sequence[Sequence[float]]) -> float:
    """Estimate how many pictures count for one: 1 + (m - 1) x the correlation within rows, 1 or more.

    Args:
        rows: The answers, 0 or 1, of each row.
    """
    sizes = np.array([len(row) for row in rows], dtype=np.float64)
    n, k = sizes.sum(), len(rows)
    if k < 2 or n <= k:
        return 1.0
    grand = sum(map(sum, rows)) / n
    means = np.array([np.mean(row) for row in rows])
    between = float((sizes * (means - grand) ** 2).sum()) / (k - 1)
    within = sum(
        float(((np.asarray(row) - mean) ** 2).sum()) for row, mean in zip(rows, means, strict=True)
    ) / (n - k)
    size = float((n - (sizes**2).sum() / n) / (k - 1))
    spread = between + (size - 1) * within
    correlation = (between - within) / spread if spread > 0 else 0.0
    return 1 + (float((sizes**2).sum() / n) - 1) * max(0.0, correlation)


def wilson_interval(share: float, n: float) -> tuple[float, float]:
    """Return the 95 % interval of a share by Wilson's method.

    Args:
        share: The share observed, in [0, 1].
        n: The number of observations it is worth, more than 0; not necessarily whole.
    """
    z = NormalDist().inv_cdf((1 + CONFIDENCE) / 2)
    middle = (share + z**2 / (2 * n)) / (1 + z**2 / n)
    reach = z * (share * (1 - share) / n + z**2 / (4 * n**2)) ** 0.5 / (1 + z**2 / n)
    return max(0.0, middle - reach), min(1.0, middle + reach)
