"""How far each arm leads over the rows, and the probability that a trailing arm would lead in the end.

An arm's lead is how far its pictures score above the mean of all arms in the same row, averaged over the
rows. So a row whose prompt suits every arm favours none, and neither does one in which some arm was refused.

The chance is the predictive probability of stochastic curtailment: how likely the arm is to be ahead once the
rest of the pictures are made. With the share ``t`` of them made, the difference ``d`` of two leads and its
standard error ``e``, the difference in the end is expected around ``d`` with the spread ``e * sqrt(1 - t)``.
The variance is estimated from the residuals of all arms together, so Student's t distribution is used instead
of the normal distribution.

Source: K. Lan, R. Simon, M. Halperin (1982), "Stochastically curtailed tests in long-term clinical trials";
D. Spiegelhalter, L. Freedman, P. Blackburn (1986), "Monitoring clinical trials: conditional or predictive
power?" (the chance by the pictures so far); C. Jennison, B. Turnbull (2000), "Group Sequential Methods",
chapter 10. The spread is the residual of the two-way layout of arms and rows.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
NO_SPREAD = 1e-12


class Leads(NamedTuple):
    """How far each arm leads; both of the shape (..., arms), NaN where unknown.

    Args:
        lead: Mean over the rows of the arm's mean score minus that of all arms.
        chance: Probability that the trailing arm is ahead of the leader once all its pictures are made;
            NaN for the leader, and for all arms while the variance of pictures is unknown.
    """

    lead: Floats
    chance: Floats


def measure_leads(counts: Floats, means: Floats, squares: Floats, share_made: float) -> Leads:
    """Compare arms over rows; any number of campaigns at once.

    Args:
        counts: Shape (..., arms, rows): how many pictures are compared.
        means: The same shape: their mean score; anything where there are none.
        squares: The same shape: the sum of their squared deviations from that mean.
        share_made: Share of an arm's pictures made so far, if it stays to the end; above 0, at most 1.
    """
    is_there = counts > 0
    cell = np.where(is_there, means, 0.0)
    level = _divide(cell.sum(axis=-2), is_there.sum(axis=-2))[..., None, :]
    n_rows = is_there.sum(axis=-1)
    above = np.where(is_there, cell - level, 0.0)
    lead = _divide(above.sum(axis=-1), n_rows)
    residual = np.where(is_there, squares + counts * (above - lead[..., None]) ** 2, 0.0).sum(axis=(-2, -1))
    n_known_rows = is_there.any(axis=-2).sum(axis=-1)
    freedom = counts.sum(axis=(-2, -1)) - (n_rows > 0).sum(axis=-1) - n_known_rows + 1
    noise: Floats = np.where(residual > NO_SPREAD, residual, np.nan) / np.where(freedom > 0, freedom, np.nan)
    shares: Floats = _divide(is_there.astype(np.float64), counts, 0.0).sum(axis=-1)
    error: Floats = noise[..., None] * _divide(shares, n_rows**2)
    return Leads(lead, _chance(lead, error, freedom, share_made))


def _chance(lead: Floats, error: Floats, freedom: Floats, share_made: float) -> Floats:
    from scipy import special

    first = np.where(np.isnan(lead), -np.inf, lead).argmax(axis=-1)[..., None]
    behind = np.take_along_axis(lead, first, axis=-1) - lead
    spread = np.sqrt((np.take_along_axis(error, first, axis=-1) + error) * (1 - share_made))
    with np.errstate(divide="ignore", invalid="ignore"):  # once all are made the spread is 0
        chance: Floats = special.stdtr(np.maximum(freedom, 1)[..., None], -behind / spread)
    np.put_along_axis(chance, first, np.nan, axis=-1)
    return chance


def _divide(total: Floats, number: Floats, otherwise: float = np.nan) -> Floats:
    """Divide where the divisor is above 0; give ``otherwise`` elsewhere."""
    divided: Floats = np.divide(total, number, out=np.full(np.shape(total), otherwise), where=number > 0)
    return divided
