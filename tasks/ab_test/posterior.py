"""What combinations of levels are worth, made or not: a posterior of their means, by empirical Bayes.

A combination's mean is a sum of effects: of each level, of every two levels together, and of its own. Effects
of one kind have one variance, which the data give: variances on a grid are weighed by how likely they make
what was seen, and by how likely interactions of that size are (effect hierarchy: they are smaller than main
effects). So levels that do not work together are taken as a sum, and combinations as they are where they do.

A cell's noise is what an arm does to a row beyond its mean, and that of its pictures divided by their number.
Rows and rounds are blocks: what makes a prompt harder, or one day's pictures better, drops out.

Sources: C. R. Henderson (1975), "Best linear unbiased estimation and prediction under a selection model";
S. Searle, G. Casella, C. McCulloch (1992), "Variance Components", chapters 7 and 9; X. Li, N. Sudarsanam,
D. Frey (2006), "Regularities in data from factorial experiments" (hierarchy). How often the best combination
is found: ``benchmarks/factor_best.py``.
"""

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tasks.ab_test.factor_model import Cell, Floats, blocks_of, within_blocks

Combination = Mapping[str, str]

MAINS = np.geomspace(1 / 16, 1024, 8)
"""Variances of main effects on the grid, as multiples of the variance of an arm's estimated mean."""
TOGETHER = ((0.0, 0.4), (0.04, 0.3), (0.16, 0.2), (0.64, 0.1))
"""Variances of interactions of two, as shares of that of main effects, and how likely each is beforehand."""
OWN = ((0.0, 0.6), (0.04, 0.25), (0.16, 0.15))
"""The same of a combination's own effect, beyond all of two."""
_NONE = ((0.0, 1.0),)
_NO_NOISE = 1e-15


@dataclass(frozen=True)
class Posterior:
    """A posterior of combinations' means, relative to one another.

    Args:
        made: The combinations that there are cells of.
        precision: What the cells tell about their means, relative to one another.
        pull: The precision times these means.
        variances: On the grid: of main effects, interactions of two, and own effects; shape (grid, 3).
        weights: The posterior weight of each.
        freedom: The degrees of freedom of the noise.
    """

    made: tuple[Combination, ...]
    precision: Floats
    pull: Floats
    variances: Floats
    weights: Floats
    freedom: int

    def means(self, combinations: Sequence[Combination]) -> Floats:
        """Return the expected means of combinations, relative to one another."""
        weighed = np.einsum("g,gk,ga->ka", self.weights, self.variances, self._pulled)
        found: Floats = np.einsum("kca,ka->c", _shared(combinations, self.made), weighed)
        return found

    def spread(self, combinations: Sequence[Combination], first: int) -> Floats:
        """Return the standard deviation of each combination's difference from one of them, by its place."""
        across = np.einsum("gk,kca->gca", self.variances, _shared(combinations, self.made))
        among = np.einsum("gk,kcd->gcd", self.variances, _shared(combinations, combinations))
        covariance = among - across @ np.linalg.solve(self._system, self.precision @ across.swapaxes(1, 2))
        own = np.einsum("gcc->gc", covariance)
        values = np.einsum("gca,ga->gc", across, self._pulled)
        apart = values - values[:, [first]]
        variances = own + own[:, [first]] - 2 * covariance[:, first] + apart**2
        found: Floats = np.sqrt(np.maximum(self.weights @ variances - (self.weights @ apart) ** 2, 0.0))
        return found

    @cached_property
    def _prior(self) -> Floats:
        found: Floats = np.einsum("gk,kab->gab", self.variances, _shared(self.made, self.made))
        return found

    @cached_property
    def _system(self) -> Floats:
        system: Floats = np.eye(len(self.made)) + self.precision @ self._prior
        return system

    @cached_property
    def _pulled(self) -> Floats:
        pull = np.broadcast_to(self.pull[:, None], (len(self.weights), len(self.pull), 1))
        return np.asarray(np.linalg.solve(self._system, pull)[..., 0], dtype=np.float64)

    def _weighed(self, before: Floats) -> "Posterior":
        """Weigh the grid by how likely each of its points makes what was seen."""
        fitted = np.einsum("a,gab,gb->g", self.pull, self._prior, self._pulled)
        likely = np.log(before) + 0.5 * (fitted - np.linalg.slogdet(self._system)[1])
        weights = np.exp(likely - likely.max())
        return replace(self, weights=weights / weights.sum())


class _Noise(NamedTuple):
    """The variance of each cell, and the degrees of freedom by which it is known."""

    variances: Floats
    freedom: int


def fit_posterior(cells: Sequence[Cell], factors: Sequence[str]) -> Posterior | None:
    """Fit a posterior to cells.

    Args:
        cells: One for each arm, row and round.
        factors: The factors that combinations differ by.

    Returns:
        ``None`` where the cells do not show how far values vary.
    """
    names: dict[tuple[str, ...], int] = {}
    levels = (tuple(cell.levels[factor] for factor in factors) for cell in cells)
    arms = np.array([names.setdefault(each, len(names)) for each in levels], dtype=int)
    made, blocks = tuple(dict(zip(factors, each, strict=True)) for each in names), blocks_of(cells)
    noise = _estimate_noise(cells, arms, blocks) if len(made) > 1 else None
    if noise is None:
        return None
    precision, pull = _told(cells, arms, blocks, noise.variances)
    unit = 1 / float(np.mean(np.diag(precision)))
    together = TOGETHER if len(made[0]) > 1 else _NONE
    own = OWN if len(made[0]) > 2 else _NONE  # of two factors it is their interaction
    points = list(itertools.product(MAINS, together, own))
    variances = np.array([(main, main * two, main * one) for main, (two, _), (one, _) in points]) * unit
    before = np.array([of_two * of_one for _, (_, of_two), (_, of_one) in points])
    return Posterior(made, precision, pull, variances, before / before.sum(), noise.freedom)._weighed(before)


def _shared(some: Sequence[Combination], others: Sequence[Combination]) -> Floats:
    """Count the levels that combinations share, the pairs of levels, and whether all; (3, some, others)."""
    levels = np.zeros((len(some), len(others)))
    for factor in others[0]:
        here, there = (np.array([each[factor] for each in group]) for group in (some, others))
        levels += here[:, None] == there
    return np.stack([levels, levels * (levels - 1) / 2, (levels == len(others[0])).astype(float)])


def _estimate_noise(cells: Sequence[Cell], arms: NDArray[np.int_], blocks: NDArray[np.int_]) -> _Noise | None:
    """Estimate the noise from what arms and blocks leave of the cells, and from the pictures within cells."""
    design = within_blocks(np.eye(arms.max() + 1)[arms][:, 1:], blocks)
    values = within_blocks(np.array([cell.value for cell in cells]), blocks)
    fitted, _, rank, _ = np.linalg.lstsq(design, values, rcond=None)
    freedom = len(cells) - int(blocks.max()) - 1 - int(rank)
    total = float(((values - design @ fitted) ** 2).sum()) / freedom if freedom > 0 else 0.0
    if total <= _NO_NOISE:
        return None
    counts = np.array([cell.pictures for cell in cells], dtype=float)
    n_within = counts.sum() - len(cells)
    of_picture = sum(cell.squares for cell in cells) / n_within if n_within else total
    of_arm_and_row = max(total - of_picture * float(np.mean(1 / counts)), 0.0)
    shape = of_arm_and_row + of_picture / counts if of_picture > 0 else np.ones(len(cells))
    return _Noise(total * shape / shape.mean(), freedom)


def _told(
    cells: Sequence[Cell], arms: NDArray[np.int_], blocks: NDArray[np.int_], variances: Floats
) -> tuple[Floats, Floats]:
    """Return what cells tell about the arms' means relative to one another: a precision, and its pull."""
    weights, weighed = np.zeros((2, blocks.max() + 1, arms.max() + 1))
    np.add.at(weights, (blocks, arms), 1 / variances)
    np.add.at(weighed, (blocks, arms), np.array([cell.value for cell in cells]) / variances)
    shares = weights / weights.sum(axis=1, keepdims=True)
    precision: Floats = np.diag(weights.sum(axis=0)) - shares.T @ weights
    return precision, weighed.sum(axis=0) - shares.T @ weighed.sum(axis=1)
