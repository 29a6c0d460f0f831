"""Drift: since some night, the same arm scores the same rows otherwise, as when a vendor changes a model.

Each night's level is the mean over its rows of how far a score is from the row's mean over all nights. The
night from which on the levels differ most is found, and compared with what the same nights show in random
order: that asks nothing of how scores are distributed, and holds however much nights differ anyhow.

Source: J. Bai (1994), "Least squares estimation of a shift in linear processes" (the change point); A.
Pettitt (1979), "A non-parametric approach to the change-point problem"; P. Good (2005), "Permutation,
Parametric and Bootstrap Tests of Hypotheses" (random order). ``benchmarks/ab_nights.py`` measures how often
it is told falsely.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

FEWEST_NIGHTS = 8
FEWEST_ON_A_SIDE = 2
SIGNIFICANCE = 0.002
"""Drift is looked for every morning: over thirty of them, this gives one false alarm in a few dozen arms."""
LEAST_SHIFT = 0.02
ORDERS = 1_999
NO_SPREAD = 1e-12

Floats = NDArray[np.float64]


class Shift(NamedTuple):
    """A change of level.

    Args:
        first: Index of the first night after it.
        change: Mean level after it minus that before.
        p_value: Probability of one as clear among nights that do not drift.
    """

    first: int
    change: float
    p_value: float


def find_shift(scores: Floats) -> Shift | None:
    """Find the night since which an arm scores otherwise; ``None`` if the evidence is not enough.

    Args:
        scores: Mean score of the arm in each row, shape (nights, rows), NaN where there is none.
    """
    known = ~np.isnan(scores)
    nights = np.flatnonzero(known.any(axis=1))
    if nights.size < FEWEST_NIGHTS:
        return None
    scores, known = scores[nights], known[nights]
    per_row = np.maximum(known.sum(axis=0), 1)
    of_rows = np.where(known, scores, 0.0).sum(axis=0) / per_row
    levels = np.where(known, scores - of_rows, 0.0).sum(axis=1) / known.sum(axis=1)
    if float(np.ptp(levels)) < NO_SPREAD:
        return None
    orders = np.random.default_rng(0).permuted(np.tile(levels, (ORDERS, 1)), axis=1)
    seen = _clearness(levels[None])[0]
    p_value = (1 + int((_clearness(orders).max(axis=1) >= seen.max()).sum())) / (1 + ORDERS)
    first = int(seen.argmax()) + FEWEST_ON_A_SIDE
    change = float(levels[first:].mean() - levels[:first].mean())
    if p_value > SIGNIFICANCE or abs(change) < LEAST_SHIFT:
        return None
    return Shift(int(nights[first]), change, p_value)


def _clearness(levels: Floats) -> Floats:
    """Return how much of the variance each split explains, shape (orders, splits)."""
    n_nights = levels.shape[1]
    before = np.arange(FEWEST_ON_A_SIDE, n_nights - FEWEST_ON_A_SIDE + 1)
    sums = levels.cumsum(axis=1)
    total, first = sums[:, -1:], sums[:, before - 1]
    difference = (total - first) / (n_nights - before) - first / before
    explained: Floats = difference**2 * before * (n_nights - before)
    return explained
