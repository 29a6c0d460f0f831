"""How much better one arm's pictures score than another's, row by row, with confidence intervals.

Pictures of one row share a prompt, so rows and not pictures are the units: the difference is the mean over
the rows of (mean of A minus mean of B). The spread of the rows' differences contains both the noise of the
replicates and the effect of arms that differ from prompt to prompt, so neither has to be estimated by itself.
The p-value is that of the paired t-test over the rows, which is right for any number of rows. The interval is
the paired t interval over a few rows. From eight rows on it comes from a cluster bootstrap: whole rows are
drawn with all their pictures, and the quantiles of Student's t are replaced by those of the resamples, which
takes skew into account. With one row the replicates are the units and Welch's interval is used: it holds for
that prompt alone.

Source: A. Davison, D. Hinkley (1997), "Bootstrap Methods and their Application", sections 2.4 (studentized
bootstrap) and 3.8 (draw the outer level only: drawing replicates again counts their noise twice); R. Hayes,
L. Moulton (2017), "Cluster Randomised Trials", chapter 10 (t-test on summaries of few clusters); B. Welch
(1947), "The generalization of Student's problem". How often the intervals hold is measured by
``benchmarks/ab_verdict.py``.
"""

import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

CONFIDENCE = 0.95
RESAMPLES = 2_000
LEAST_ROWS_TO_RESAMPLE = 8
"""With fewer rows there are too few different resamples to estimate a quantile of 2.5 %."""
DRAWS_AT_ONCE = 2_000_000
"""Bounds the memory of one block of resamples to some 16 MB."""
NO_SPREAD = 1e-12

Floats = NDArray[np.float64]
ByRow = Mapping[int, Sequence[float]]


@dataclass(frozen=True, slots=True)
class RowDifference:
    """A minus B, over the rows that both were scored in.

    Args:
        difference: Mean over the rows of the difference of the arms' means; ``None`` when they share no row.
        low: Lower end of the 95 % interval; ``None`` when the spread is unknown: with no shared row, or
            one in which an arm has one picture, or a few that are all alike.
        high: Upper end.
        standard_error: Of ``difference``; ``None`` like the interval.
        p_value: Two-sided: the probability that equal arms show so large a difference; ``None`` like the
            interval.
        rows: Number of rows compared.
    """

    difference: float | None
    low: float | None
    high: float | None
    standard_error: float | None
    p_value: float | None
    rows: int


def row_difference(
    scores_a: ByRow, scores_b: ByRow, rng: np.random.Generator, resamples: int = RESAMPLES
) -> RowDifference:
    """Compare two arms over the rows in which both have a score.

    Args:
        scores_a: Row to the scores of A's pictures in it, in [0, 1]; rows without a score may be missing.
        scores_b: The same for B.
        rng: Source of the resamples.
        resamples: How many.

    Returns:
        The difference with its interval, as far as they are known.
    """
    rows = sorted(row for row in scores_a.keys() & scores_b.keys() if scores_a[row] and scores_b[row])
    if not rows:
        return RowDifference(None, None, None, None, None, 0)
    if len(rows) == 1:
        return _compare_replicates(np.asarray(scores_a[rows[0]]), np.asarray(scores_b[rows[0]]))
    differences = np.array([np.mean(scores_a[row]) - np.mean(scores_b[row]) for row in rows])
    return _compare_rows(differences, rng, resamples)


def _compare_replicates(of_a: Floats, of_b: Floats) -> RowDifference:
    from scipy import stats

    centre = float(of_a.mean() - of_b.mean())
    if of_a.size < 2 or of_b.size < 2:
        return RowDifference(centre, None, None, None, None, 1)
    error = float(np.hypot(stats.sem(of_a), stats.sem(of_b)))
    if error < NO_SPREAD:
        return _without_spread(centre, 1)
    with _known_spread():
        welch = stats.ttest_ind(of_a, of_b, equal_var=False)
    ends = _within_scores(*welch.confidence_interval(CONFIDENCE))
    return RowDifference(centre, *ends, error, float(welch.pvalue), 1)


def _compare_rows(differences: Floats, rng: np.random.Generator, resamples: int) -> RowDifference:
    from scipy import stats

    rows, centre = differences.size, float(differences.mean())
    error = float(stats.sem(differences))
    if error < NO_SPREAD:
        return _without_spread(centre, rows)
    with _known_spread():
        paired = stats.ttest_1samp(differences, 0.0)
    ends = _within_scores(*paired.confidence_interval(CONFIDENCE))
    if rows >= LEAST_ROWS_TO_RESAMPLE:
        tail = (1 - CONFIDENCE) / 2
        low, high = np.quantile(_redraw_t(differences, rng, resamples), [tail, 1 - tail])
        ends = _within_scores(centre - high * error, centre - low * error)
    return RowDifference(centre, *ends, error, float(paired.pvalue), rows)


@contextmanager
def _known_spread() -> Iterator[None]:
    """Silence SciPy's warning about samples that are all but equal: their spread was checked before."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Precision loss occurred", RuntimeWarning)
        yield


def _without_spread(centre: float, rows: int) -> RowDifference:
    """All alike: there is no spread to measure, so count the rows that agree, as a sign test does.

    SciPy's t-tests divide by the spread and return NaN or a p-value of 0 here.
    A few rows can agree by chance; only many rows show that there is no spread.
    """
    chance = 0.5 ** (rows - 1) if abs(centre) > NO_SPREAD else 1.0
    end = centre if chance <= 1 - CONFIDENCE else None
    return RowDifference(centre, end, end, 0.0, chance, rows)


def _within_scores(low: float, high: float) -> tuple[float, float]:
    """Scores lie in [0, 1], so no difference is larger than 1."""
    return max(float(low), -1.0), min(float(high), 1.0)


def _redraw_t(differences: Floats, rng: np.random.Generator, resamples: int) -> Floats:
    """Draw as many rows as there are, put them back, and take Student's t of each draw around the mean.

    ``scipy.stats.bootstrap`` has the percentile, basic and BCa methods, but not the studentized one.
    """
    block = max(1, DRAWS_AT_ONCE // differences.size)
    sizes = [min(block, resamples - start) for start in range(0, resamples, block)]
    picks = (rng.integers(0, differences.size, (size, differences.size), dtype=np.uint32) for size in sizes)
    return np.concatenate([_t_around(differences[picked], float(differences.mean())) for picked in picks])


def _t_around(drawn: Floats, centre: float) -> Floats:
    errors = drawn.std(axis=1, ddof=1) / drawn.shape[1] ** 0.5
    t: Floats = (drawn.mean(axis=1) - centre) / np.maximum(errors, NO_SPREAD)
    return t
