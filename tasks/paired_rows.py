"""How much better one arm's pictures score than another's, row by row, and how sure that is.

Pictures of one row share a prompt's luck, so rows and not pictures are the units: the difference is the mean
over the rows of (mean of A minus mean of B). Its interval comes from a two-level bootstrap, rows then
replicates. Drawn naively that counts the replicates' noise twice, once inside the spread of the rows and once
below it, and asks for up to twice as many pictures as are needed. So the spread of the rows is first shrunk
to what the noise does not explain. With few rows a percentile interval is too narrow; it is stretched by
Student's t with Satterthwaite's degrees of freedom. What is left: over two or three rows, arms that differ
wildly from prompt to prompt are still given a win about twice as often as they should be.

Source: J. Carpenter, H. Goldstein, J. Rasbash (2003), "A novel bootstrap procedure for assessing the
relationship between class size and achievement" (rescaled residuals at each level); T. Hesterberg (2015),
"What teachers should know about the bootstrap" (expanded percentiles); F. Satterthwaite (1946), "An
approximate distribution of estimates of variance components". How often the intervals hold is measured by
``benchmarks/ab_verdict.py``.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

CONFIDENCE = 0.95
RESAMPLES = 2_000
DRAWS_AT_ONCE = 2_000_000
"""Bounds the memory of one block of resamples to some 16 MB."""

Floats = NDArray[np.float64]
ByRow = Mapping[int, Sequence[float]]


@dataclass(frozen=True, slots=True)
class RowDifference:
    """A minus B, over the rows that both were scored in.

    Args:
        difference: Mean over the rows of the difference of the arms' means; ``None`` when they share no row.
        low: Lower end of the 95 % interval; ``None`` when the spread cannot be told: with no shared row, or
            with one in which an arm has one picture.
        high: Upper end.
        standard_error: Of ``difference``; ``None`` like the interval.
        p_value: Two-sided, that so large a difference comes by chance from equal arms; ``None`` likewise.
        rows: Number of rows compared.
    """

    difference: float | None
    low: float | None
    high: float | None
    standard_error: float | None
    p_value: float | None
    rows: int


@dataclass(frozen=True, slots=True)
class _Side:
    """One arm's scores over the shared rows: how many in each, their means, and what is left around them."""

    counts: Floats
    means: Floats
    residuals: Floats
    freedom: int

    @property
    def noise(self) -> float:
        """Part of the variance of the mean over the rows that comes from the replicates."""
        return float((self._variance / self.counts).sum()) / len(self.counts) ** 2 if self.freedom else 0.0

    @property
    def _variance(self) -> float:
        return float(self.residuals @ self.residuals) / self.freedom

    def redraw(self, rng: np.random.Generator, resamples: int) -> Floats:
        """Draw replicates anew, ``resamples`` times: the change of the mean over the rows each time."""
        if not self.freedom or not self.residuals.any():
            return np.zeros(resamples)
        pool = self.residuals * math.sqrt(self.residuals.size / self.freedom)
        return _redraw(
            pool, np.repeat(1 / (self.counts * len(self.counts)), self.counts.astype(int)), rng, resamples
        )


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
        The difference with its interval, as far as they can be told.
    """
    rows = sorted(row for row in scores_a.keys() & scores_b.keys() if scores_a[row] and scores_b[row])
    if not rows:
        return RowDifference(None, None, None, None, None, 0)
    sides = [_side(scores, rows) for scores in (scores_a, scores_b)]
    differences = sides[0].means - sides[1].means
    if len(rows) == 1 and not (sides[0].freedom and sides[1].freedom):
        return RowDifference(float(differences[0]), None, None, None, None, 1)
    row_variance = _row_variance(differences, sides)
    draws = _redraw_rows(differences, row_variance, rng, resamples)
    draws += sides[0].redraw(rng, resamples) - sides[1].redraw(rng, resamples)
    return _interval(differences, draws, row_variance, sides)


def _side(scores: ByRow, rows: Sequence[int]) -> _Side:
    cells = [np.asarray(scores[row], dtype=np.float64) for row in rows]
    counts = np.array([cell.size for cell in cells], dtype=np.float64)
    means = np.array([cell.mean() for cell in cells])
    residuals = np.concatenate([cell - mean for cell, mean in zip(cells, means, strict=True)])
    return _Side(counts, means, residuals, int(residuals.size - len(rows)))


def _row_variance(differences: Floats, sides: Sequence[_Side]) -> float:
    """Estimate how much the true difference varies from row to row.

    What the rows show less what the replicates' noise explains, but never less than a share 1/√rows of it:
    with few rows the excess is too poorly known to be taken for zero.
    """
    if len(differences) < 2:
        return 0.0
    shown = float(differences.var(ddof=1))
    explained = len(differences) * (sides[0].noise + sides[1].noise)
    return max(shown - explained, shown / math.sqrt(len(differences)))


def _redraw_rows(
    differences: Floats, row_variance: float, rng: np.random.Generator, resamples: int
) -> Floats:
    mean, spread, rows = float(differences.mean()), float(differences.std()), len(differences)
    if spread == 0:
        return np.full(resamples, mean)
    effects = (differences - mean) * (math.sqrt(row_variance) / spread)
    return _redraw(effects, np.full(rows, 1 / rows), rng, resamples) + mean


def _redraw(pool: Floats, weights: Floats, rng: np.random.Generator, resamples: int) -> Floats:
    """Draw as many from the pool as it holds, put them back, and sum them by weight; ``resamples`` times."""
    block = max(1, DRAWS_AT_ONCE // pool.size)
    sizes = [min(block, resamples - start) for start in range(0, resamples, block)]
    picks = (rng.integers(0, pool.size, (size, pool.size), dtype=np.uint32) for size in sizes)
    return np.concatenate([pool[picked] @ weights for picked in picks])


def _interval(
    differences: Floats, draws: Floats, row_variance: float, sides: Sequence[_Side]
) -> RowDifference:
    from scipy import special

    rows, centre = len(differences), float(differences.mean())
    parts = [row_variance / rows, sides[0].noise, sides[1].noise]
    error = math.sqrt(sum(parts))
    if error == 0:  # all alike: no spread to measure, so count the rows that agree
        chance = 0.5 ** (rows - 1) if centre else 1.0
        return RowDifference(centre, centre, centre, 0.0, chance, rows)
    freedom = sum(parts) ** 2 / sum(
        part**2 / free
        for part, free in zip(parts, (rows - 1, sides[0].freedom, sides[1].freedom), strict=True)
        if part
    )
    tail = (1 - CONFIDENCE) / 2
    stretch = float(special.stdtrit(freedom, tail) / special.ndtri(tail))
    low, high = (centre + stretch * (end - centre) for end in np.quantile(draws, [tail, 1 - tail]))
    p_value = float(2 * special.stdtr(freedom, -abs(centre) / error))
    return RowDifference(centre, float(low), float(high), error, p_value, rows)
