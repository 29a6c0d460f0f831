"""Pools the nights of one campaign, so that whoever looks every morning may stop when an arm wins.

The units are rows, as on one night: a row's difference is the mean over its nights. A prompt that suits one
arm does so every night, so more nights do not make up for few rows. What the nights differ by, beyond what
their pictures differ by, comes on top: rows and nights are both clusters.

Looked at every morning and stopped at the first winner, the usual 95 % interval would find winners among
equal arms. The anytime interval contains the truth on all mornings together in 95 % of campaigns. It is
Robbins' normal mixture: an interval of a level that depends on the number of nights, looked up in Student's
t. It has no last night, so that a schedule needs no plan. ``benchmarks/ab_nights.py`` measures its errors and
its power, also beside a plan for thirty nights.

Source: H. Robbins (1970), "Statistical methods related to the law of the iterated logarithm" (the mixture);
S. Howard, A. Ramdas, J. McAuliffe, J. Sekhon (2021), "Time-uniform, nonparametric, nonasymptotic confidence
sequences"; I. Waudby-Smith, D. Arbour, R. Sinha, E. Kennedy, A. Ramdas (2021), "Time-uniform central limit
theory and asymptotic confidence sequences"; S. Pocock (1977), "Group sequential methods in the design and
analysis of clinical trials" (levels of the normal distribution, looked up in t); A. C. Cameron, J. Gelbach,
D. Miller (2011), "Robust inference with multiway clustering"; F. Satterthwaite (1946), "An approximate
distribution of estimates of variance components".
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from tasks.ab_test.paired_rows import CONFIDENCE, NOTHING_ADDED, AddedVariance, RowDifference, compare_rows

NIGHTS_MEANT = 8
"""The mixture is narrowest around this number of nights."""
ALPHA = 1 - CONFIDENCE
FEWEST_NIGHTS = 3
"""Fewer do not show how much nights differ, which may be more than all else."""
MIXTURE = (1 + 2 * np.log(1 / ALPHA)) / NIGHTS_MEANT
"""Variance of the mixture, in units of one night's information."""

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class PooledNights:
    """A minus B over several nights.

    Args:
        nights: Nights with a row that both arms were scored in.
        plain: For a reader who looks once, after a number of nights decided beforehand.
        anytime: For a reader who looks every morning and may stop on any of them; without interval and
            p-value on the first two.
    """

    nights: int
    plain: RowDifference
    anytime: RowDifference


def pool_nights(differences: Floats, pictures: float) -> PooledNights | None:
    """Pool the nights.

    Args:
        differences: Mean score of A minus that of B, shape (nights, rows), NaN where they cannot be compared.
        pictures: Mean number of pictures behind one of them, of the arm with fewer.

    Returns:
        ``None`` with fewer than two rows that were compared on some night.
    """
    known = ~np.isnan(differences)
    differences = differences[known.any(axis=1)][:, known.any(axis=0)]
    if differences.shape[1] < 2:
        return None
    known = ~np.isnan(differences)
    n_nights, per_row = len(differences), known.sum(axis=0)
    rows = np.where(known, differences, 0.0).sum(axis=0) / per_row
    by_one_picture = float((1 / (per_row * pictures)).mean())
    between = _between_nights(differences - rows, known)
    plain = compare_rows(rows, by_one_picture, CONFIDENCE, between)
    if n_nights < FEWEST_NIGHTS:
        return PooledNights(n_nights, plain, replace(plain, low=None, high=None, p_value=None))
    anytime = compare_rows(rows, by_one_picture, 1 - anytime_level(n_nights), between)
    if anytime.p_value is not None:
        anytime = replace(anytime, p_value=anytime_p_value(anytime.p_value, n_nights))
    return PooledNights(n_nights, plain, anytime)


def anytime_level(n_nights: int) -> float:
    """Return the two-sided level at which a look after so many nights may be taken, whatever comes after."""
    from scipy import special

    scale = n_nights * MIXTURE
    boundary = ((1 + 1 / scale) * np.log((1 + scale) / ALPHA**2)) ** 0.5
    return float(2 * special.ndtr(-boundary))


def anytime_p_value(p_value: float, n_nights: int) -> float:
    """Correct a two-sided p-value for having looked after every night so far: 1 over the mixture's odds."""
    from scipy import special

    scale = n_nights * MIXTURE
    squared = float(special.ndtri(max(p_value, 1e-300) / 2)) ** 2
    log_odds = squared * scale / (2 * (1 + scale)) - np.log1p(scale) / 2
    return float(np.exp(min(0.0, -log_odds)))


def _between_nights(within_row: Floats, known: NDArray[np.bool_]) -> AddedVariance:
    """Estimate what nights add to the variance of the mean, from how far each is from its rows' means.

    It is the variance between the nights' means, less what the pictures of a night vary by.
    """
    n_nights, n_rows = known.shape
    freedom = int(known.sum()) - n_nights - n_rows + 1
    if n_nights < 2 or freedom < 1:
        return NOTHING_ADDED
    deviations = np.where(known, within_row, 0.0)
    of_night = deviations.sum(axis=1) / known.sum(axis=1)
    by_night = float((of_night**2).sum()) / (n_nights - 1) / n_nights
    noise = float(np.where(known, (within_row - of_night[:, None]) ** 2, 0.0).sum()) / freedom
    excess = by_night - noise / int(known.sum())
    return AddedVariance(excess, by_night**2 / (n_nights - 1)) if excess > 0 else NOTHING_ADDED
