"""How much better one arm's pictures score than another's, row by row, with an interval that holds.

Pictures of one row share a prompt, so rows and not pictures are the units: the difference is the mean over
the rows of (mean of A minus mean of B). The spread of the rows' differences contains both the noise of the
replicates and the effect of arms that differ from prompt to prompt, so neither has to be estimated by itself.
Interval and p-value are those of the paired t-test over the rows.

Where nearly all rows differ in nothing, as with a scorer that gives nearly every picture full marks, the few
rows that do differ show too little of how far rows can differ. Then two rows are added, in which one picture
makes all the difference that a score can make, once in favour of each arm. This is the adjustment for paired
proportions, applied to means. Where one row differs from the others by far more than they do from one
another, as with an arm that fails now and then, such rows may as well have come once more: the end of the
interval on its side is that of the rows with this one counted twice. With one row in all the replicates are
the units and Welch's interval is used: it holds for that prompt alone.

What no row has shown cannot be in the interval. ``unseen_share`` says how much that may be.

Source: R. Hayes, L. Moulton (2017), "Cluster Randomised Trials", chapter 10 (t-test on summaries of few
clusters); A. Agresti, Y. Min (2005), "Simple improved confidence intervals for comparing matched
proportions"; D. Bonett, R. Price (2012), "Adjusted Wald confidence interval for a difference of binomial
proportions based on paired data" (two added pairs); B. Iglewicz, D. Hoaglin (1993), "How to Detect and Handle
Outliers" (by the median deviation); C. Clopper, E. Pearson (1934), "The use of confidence or fiducial limits"
(what was not seen); B. Welch (1947), "The generalization of Student's problem".
``benchmarks/ab_intervals.py`` compares it with other methods; ``benchmarks/ab_verdict.py`` measures how often
the intervals hold.
"""

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

CONFIDENCE = 0.95
MOST_OF_FEW = 4
"""Five rows that differ, all to one side, are the fewest that could be told from chance by their signs."""
SHARE_OF_FEW = 0.4
"""In a campaign of few rows four may be most of them, which is enough to see how far rows differ."""
NO_SPREAD = 1e-12
FAR = 5.0
"""From the median, in standard deviations as the median deviation gives them."""
FEWEST_FOR_FAR = 5
"""Of fewer rows none can be told to be unlike all others."""
DEVIATION = 1.4826
"""Standard deviation of normal values over their median deviation."""

Floats = NDArray[np.float64]
ByRow = Mapping[int, Sequence[float]]


@dataclass(frozen=True, slots=True)
class RowDifference:
    """A minus B, over the rows that both were scored in.

    Args:
        difference: Mean over the rows of the difference of the arms' means; ``None`` when they share no row.
        low: Lower end of the 95 % interval, -1 to 1; ``None`` when the spread is unknown: with no shared row,
            with one in which an arm has one picture or all scores are alike, or with a few that all differ by
            the same.
        high: Upper end.
        standard_error: Of ``difference``; ``None`` when nothing can be said about it, 0 when no score varies.
        p_value: Two-sided: the probability that equal arms show so large a difference; ``None`` where there
            is no standard error.
        rows: Number of rows compared.
        has_far_row: Whether a row differs from the others by so much that it is counted twice at one end.
    """

    difference: float | None
    low: float | None
    high: float | None
    standard_error: float | None
    p_value: float | None
    rows: int
    has_far_row: bool = False


class AddedVariance(NamedTuple):
    """What the mean over the rows varies by besides, such as from night to night.

    Args:
        variance: Added to the variance of the mean.
        doubt: The square of its own estimate over its degrees of freedom, as in Satterthwaite's formula.
    """

    variance: float
    doubt: float


NOTHING_ADDED = AddedVariance(0.0, 0.0)


def row_difference(scores_a: ByRow, scores_b: ByRow) -> RowDifference:
    """Compare two arms over the rows in which both have a score.

    Args:
        scores_a: Row to the scores of A's pictures in it, in [0, 1]; rows without a score may be missing.
        scores_b: The same for B.

    Returns:
        The difference with its interval, as far as they are known.
    """
    rows = sorted(row for row in scores_a.keys() & scores_b.keys() if scores_a[row] and scores_b[row])
    if not rows:
        return RowDifference(None, None, None, None, None, 0)
    if len(rows) == 1:
        return _compare_replicates(np.asarray(scores_a[rows[0]]), np.asarray(scores_b[rows[0]]))
    differences = np.array([np.mean(scores_a[row]) - np.mean(scores_b[row]) for row in rows])
    by_one_picture = float(np.mean([1 / min(len(scores_a[row]), len(scores_b[row])) for row in rows]))
    return compare_rows(differences, by_one_picture)


def _compare_replicates(of_a: Floats, of_b: Floats) -> RowDifference:
    from scipy import stats

    centre = float(of_a.mean() - of_b.mean())
    if of_a.size < 2 or of_b.size < 2:
        return RowDifference(centre, None, None, None, None, 1)
    error = float(np.hypot(stats.sem(of_a), stats.sem(of_b)))
    if error < NO_SPREAD:
        return RowDifference(centre, None, None, 0.0, 1.0, 1)
    with warnings.catch_warnings():  # about samples that are all but equal: their spread was checked
        warnings.filterwarnings("ignore", "Precision loss occurred", RuntimeWarning)
        welch = stats.ttest_ind(of_a, of_b, equal_var=False)
    ends = _within_scores(*welch.confidence_interval(CONFIDENCE))
    return RowDifference(centre, *ends, error, float(welch.pvalue), 1)


def compare_rows(
    differences: Floats,
    by_one_picture: float,
    confidence: float = CONFIDENCE,
    added: AddedVariance = NOTHING_ADDED,
) -> RowDifference:
    """Compare two arms by their difference in each row.

    Args:
        differences: Mean score of A minus that of B, in [-1, 1], shape (rows,); two rows or more.
        by_one_picture: How much one picture can change a row's difference: 1 over the pictures of an arm.
        confidence: Of the interval.
        added: What else the mean varies by, than from row to row.

    SciPy's special functions are a tenth of the time of its t-test, which matters with many arms.
    """
    rows, centre = differences.size, float(differences.mean())
    if _few_differ(differences):
        found = _student(np.append(differences, [by_one_picture, -by_one_picture]), confidence, added)
        return _result(centre, rows, found)
    if float(np.ptp(differences)) < NO_SPREAD:
        return _all_alike(centre, rows, by_one_picture, confidence, added)
    found = _student(differences, confidence, added)
    far = _far_row(differences)
    if far is None:
        return _result(centre, rows, found)
    again = _student(np.append(differences, far), confidence, added)
    if far < centre:
        found = found._replace(low=min(found.low, again.low), p_above=max(found.p_above, again.p_above))
    else:
        found = found._replace(high=max(found.high, again.high), p_below=max(found.p_below, again.p_below))
    return _result(centre, rows, found, has_far_row=True)


class _Student(NamedTuple):
    """What Student's t says of a mean: its error, its interval, and one-sided p-values against zero."""

    error: float
    low: float
    high: float
    p_above: float
    p_below: float


def _student(seen: Floats, confidence: float, added: AddedVariance) -> _Student:
    from scipy import special

    middle, of_rows = float(seen.mean()), float(seen.var(ddof=1)) / seen.size
    error = (of_rows + added.variance) ** 0.5
    freedom = error**4 / (of_rows**2 / (seen.size - 1) + added.doubt)
    reach = float(special.stdtrit(freedom, (1 + confidence) / 2)) * error
    p_above, p_below = (float(special.stdtr(freedom, side * middle / error)) for side in (-1, 1))
    return _Student(error, middle - reach, middle + reach, p_above, p_below)


def _result(centre: float, rows: int, found: _Student, *, has_far_row: bool = False) -> RowDifference:
    ends, p_value = _within_scores(found.low, found.high), 2 * min(found.p_above, found.p_below)
    return RowDifference(centre, *ends, found.error, min(p_value, 1.0), rows, has_far_row)


def _far_row(differences: Floats) -> float | None:
    """Return the difference of the row that is far from all others, if there is one."""
    if differences.size < FEWEST_FOR_FAR:
        return None
    away = differences - np.median(differences)
    place = int(np.abs(away).argmax())
    usual = DEVIATION * float(np.median(np.abs(away)))
    return float(differences[place]) if abs(away[place]) > FAR * max(usual, NO_SPREAD) else None


def unseen_share(rows: int) -> float:
    """Return how large a share of rows an arm may fail in, and so many rows show none in 5 % of campaigns.

    Example:
        >>> [round(unseen_share(rows), 2) for rows in (3, 12, 40)]
        [0.63, 0.22, 0.07]
    """
    return 1 - float((1 - CONFIDENCE) ** (1 / rows))


def _few_differ(differences: Floats) -> bool:
    n_that_differ = int((np.abs(differences) > NO_SPREAD).sum())
    return n_that_differ <= min(MOST_OF_FEW, SHARE_OF_FEW * differences.size)


def _all_alike(
    centre: float, rows: int, by_one_picture: float, confidence: float, added: AddedVariance
) -> RowDifference:
    """All rows differ by the same: count the rows that agree, as a sign test does.

    A few rows can agree by chance; many show that there is hardly a spread, and the two added rows bound it.
    """
    chance = 0.5 ** (rows - 1)
    if chance > 1 - confidence:
        return RowDifference(centre, None, None, 0.0, chance, rows)
    spread = np.append(np.zeros(rows), [by_one_picture, -by_one_picture])
    bounded = compare_rows(centre + spread, by_one_picture, confidence, added)
    return RowDifference(centre, bounded.low, bounded.high, bounded.standard_error, chance, rows)


def _within_scores(low: float, high: float) -> tuple[float, float]:
    """Scores lie in [0, 1], so no difference is larger than 1."""
    return max(float(low), -1.0), min(float(high), 1.0)
