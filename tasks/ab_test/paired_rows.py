"""How much better one arm's pictures score than another's, row by row, with an interval that holds.

Pictures of one row share a prompt, so rows and not pictures are the units: the difference is the mean over
the rows of (mean of A minus mean of B). The spread of the rows' differences contains both the noise of the
replicates and the effect of arms that differ from prompt to prompt, so neither has to be estimated by itself.
Interval and p-value are those of the paired t-test over the rows.

Where nearly all rows differ in nothing, as with a scorer that gives nearly every picture full marks, the few
rows that do differ show too little of how far rows can differ. Then two rows are added, in which one picture
makes all the difference that a score can make, once in favour of each arm. This is the adjustment for paired
proportions, applied to means. With one row the replicates are the units and Welch's interval is used: it
holds for that prompt alone.

Source: R. Hayes, L. Moulton (2017), "Cluster Randomised Trials", chapter 10 (t-test on summaries of few
clusters); A. Agresti, Y. Min (2005), "Simple improved confidence intervals for comparing matched
proportions"; D. Bonett, R. Price (2012), "Adjusted Wald confidence interval for a difference of binomial
proportions based on paired data" (two added pairs); B. Welch (1947), "The generalization of Student's
problem". ``benchmarks/ab_intervals.py`` compares it with other methods; ``benchmarks/ab_verdict.py`` measures
how often the intervals hold.
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
    """

    difference: float | None
    low: float | None
    high: float | None
    standard_error: float | None
    p_value: float | None
    rows: int


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
    from scipy import special

    rows, centre = differences.size, float(differences.mean())
    if _few_differ(differences):
        seen = np.append(differences, [by_one_picture, -by_one_picture])
    elif float(np.ptp(differences)) < NO_SPREAD:
        return _all_alike(centre, rows, by_one_picture, confidence, added)
    else:
        seen = differences
    middle, of_rows = float(seen.mean()), float(seen.var(ddof=1)) / seen.size
    error = (of_rows + added.variance) ** 0.5
    freedom = error**4 / (of_rows**2 / (seen.size - 1) + added.doubt)
    reach = float(special.stdtrit(freedom, (1 + confidence) / 2)) * error
    p_value = 2 * float(special.stdtr(freedom, -abs(middle) / error))
    return RowDifference(centre, *_within_scores(middle - reach, middle + reach), error, p_value, rows)


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
