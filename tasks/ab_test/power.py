"""How many rows and replicates a difference takes, from how much scores have varied.

Rows are the units: a row's difference varies by how unlike the arms suit its prompt, and by its pictures.
More replicates lower only the second part, so beyond a few they help little, and more rows always do.

Source: S.-C. Chow, J. Shao, H. Wang (2008), "Sample Size Calculations in Clinical Research", chapter 3 (the
paired t-test); R. Hayes, L. Moulton (2017), "Cluster Randomised Trials", chapter 7 (clusters and members).
"""

import math
from collections.abc import Mapping, Sequence
from statistics import fmean
from typing import Any, NamedTuple

import numpy as np

SIGNIFICANCE = 0.05
POWER = 0.8
FEWEST_ROWS = 2
MOST_ROWS = 100_000
"""So many rows find no difference worth finding; more are not counted."""


Scores = Mapping[Any, Sequence[float]]
"""Scores by row, whatever names a row."""


class Spread(NamedTuple):
    """How much scores vary.

    Args:
        rows: Standard deviation from row to row of the difference of two arms, beyond that of their pictures.
        pictures: Standard deviation of the pictures of one arm and row.
    """

    rows: float
    pictures: float

    def variance_of_row(self, replicates: int) -> float:
        """Return the variance of a row's difference, with so many pictures of each arm."""
        return float(self.rows**2 + 2 * self.pictures**2 / replicates)


USUAL = Spread(rows=0.03 * 2**0.5, pictures=0.1)
"""What the benchmarks assume, for a campaign that has no earlier run."""


def measure_spread(pairs: Sequence[tuple[Scores, Scores]]) -> Spread | None:
    """Measure the spread of two arms' scores; ``None`` with fewer than two rows, or one picture in each.

    Args:
        pairs: For every two arms, each one's scores by row; of several pairs the mean variance counts.
    """
    found = [one for pair in pairs if (one := _variances(*pair)) is not None]
    if not found:
        return None
    of_rows, of_pictures = (fmean(values) for values in zip(*found, strict=True))
    return Spread(of_rows**0.5, of_pictures**0.5)


def _variances(a: Scores, b: Scores) -> tuple[float, float] | None:
    shared = [row for row in a.keys() & b.keys() if a[row] and b[row]]
    cells = [cell for row in shared for cell in (a[row], b[row])]
    freedom = sum(len(cell) - 1 for cell in cells)
    if len(shared) < FEWEST_ROWS or freedom < 1:
        return None
    of_pictures = sum(float(np.var(cell)) * len(cell) for cell in cells) / freedom
    of_differences = float(np.var([fmean(a[row]) - fmean(b[row]) for row in shared], ddof=1))
    by_pictures = of_pictures * fmean(1 / len(a[row]) + 1 / len(b[row]) for row in shared)
    return max(of_differences - by_pictures, 0.0), of_pictures


def rows_needed(spread: Spread, difference: float, replicates: int, n_pairs: int = 1) -> int | None:
    """Return how many rows find a difference in 80 % of campaigns; ``None`` if not even 100,000 do.

    Args:
        spread: How much scores vary.
        difference: The true difference of two arms, above 0.
        replicates: Pictures of each arm and row.
        n_pairs: Pairs of arms that are compared; the significance is divided by it.
    """
    times = spread.variance_of_row(replicates) / difference**2
    found = least_units(times, SIGNIFICANCE / n_pairs)
    return None if found > MOST_ROWS else max(found, FEWEST_ROWS)


def difference_found(spread: Spread, rows: int, replicates: int, n_pairs: int = 1) -> float | None:
    """Return the difference that so many rows find in 80 % of campaigns; ``None`` with a single row.

    Args:
        spread: How much scores vary.
        rows: The rows.
        replicates: Pictures of each arm and row.
        n_pairs: Pairs of arms that are compared.
    """
    if rows < FEWEST_ROWS:
        return None
    reach = _reach(rows - 1, SIGNIFICANCE / n_pairs)
    return reach * float((spread.variance_of_row(replicates) / rows) ** 0.5)


def main_effect_found(
    spread: Spread, rows: int, replicates: int, arms: tuple[int, int], n_effects: int = 1
) -> float | None:
    """Return the main effect that so many rows find in 80 % of campaigns; ``None`` with a single row.

    Args:
        spread: How much scores vary.
        rows: The rows.
        replicates: Pictures of each arm and row.
        arms: How many arms have the level, and its baseline.
        n_effects: Main effects that are tested; the significance is divided by it.
    """
    if rows < FEWEST_ROWS:
        return None
    of_arm = spread.variance_of_row(replicates) / 2
    variance = of_arm * (1 / arms[0] + 1 / arms[1])
    return _reach(rows - 1, SIGNIFICANCE / n_effects) * float((variance / rows) ** 0.5)


def least_units(times: float, significance: float, freedom_of_unit: int = 1) -> int:
    """Return the least m with (t of the significance + t of the power)² · ``times`` ≤ m, to within 2 %.

    Args:
        times: Variance of a unit over the squared difference.
        significance: Two-sided.
        freedom_of_unit: Degrees of freedom that each unit but the first adds.
    """
    needed, reach = 1, math.inf
    while reach**2 * times > needed and needed <= MOST_ROWS:
        needed += 1 + needed // 50
        reach = _reach(freedom_of_unit * (needed - 1), significance)
    return needed


def _reach(freedom: int, significance: float) -> float:
    from scipy import special

    return float(special.stdtrit(freedom, 1 - significance / 2) + special.stdtrit(freedom, POWER))
