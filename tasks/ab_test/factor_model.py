"""Least squares over factors, with a coefficient for each row, and errors robust to clusters: the rows.

The covariance is CR2 with Satterthwaite's degrees of freedom: each row's residuals are scaled by what the fit
took from them, so that few rows, and rows with missing cells, give neither too narrow intervals nor false
effects. With every cell filled it is the one-sample t-test over the rows of the difference within each row.

Sources: R. Bell, D. McCaffrey (2002), "Bias reduction in standard errors for linear regression with multi-
stage samples"; J. Pustejovsky, E. Tipton (2018), "Small-sample methods for cluster-robust variance estimation
and hypothesis testing in fixed effects models", sections 2 and 3. Neither statsmodels nor scipy has them; the
coefficients agree with theirs in the tests.
"""

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Levels = Mapping[str, Sequence[str]]
"""The names of each factor's levels, its baseline first."""
Term = tuple[str, ...]
"""The factor of a main effect, or both of an interaction."""

_NOTHING_LEFT = 1e-8
"""A share of a row's residuals below this is no information: the fit took all of it."""


@dataclass(frozen=True, slots=True)
class Cell:
    """What the arm of some levels made of one row.

    Args:
        levels: The level of each factor.
        row: Index of the row of variables.
        value: The mean of what is measured.
    """

    levels: Mapping[str, str]
    row: int
    value: float


class Estimate(NamedTuple):
    """A sum of coefficients, its standard error, and the degrees of freedom of that error."""

    value: float
    error: float
    freedom: float


class _Row(NamedTuple):
    """A row's part of the fit: its design less its mean, the scaled design, and what was not explained."""

    design: Floats
    scaled: Floats
    pull: Floats
    mean: Floats
    value: float


@dataclass(frozen=True)
class FactorModel:
    """A fitted model.

    Args:
        levels: The levels that there are cells of.
        terms: The main effects, then the interactions in the model.
        coefficients: In the order of the terms' columns.
        inverse: The inverse of the design's cross product, rows' means taken out.
        rows: Each row's part of the fit.
    """

    levels: Levels
    terms: tuple[Term, ...]
    coefficients: Floats
    inverse: Floats
    rows: tuple[_Row, ...]
    noise: float
    """The variance of what is not explained of a cell."""
    freedom: int
    """The degrees of freedom of the noise."""

    @cached_property
    def places(self) -> dict[Term, slice]:
        """Where each term's columns are."""
        places, start = {}, 0
        for term in self.terms:
            size = width(self.levels, term)
            places[term] = slice(start, start + size)
            start += size
        return places

    def effect(self, term: Term, chosen: Sequence[str]) -> Estimate:
        """Estimate the difference of levels from their baselines.

        Args:
            term: The factor, or both of an interaction.
            chosen: A level of each, not the baseline.
        """
        weights = np.zeros(len(self.coefficients))
        weights[self.places[term]] = _difference(self.levels, term, chosen)
        return self.estimate(weights)

    def estimate(self, weights: Floats) -> Estimate:
        """Estimate a weighted sum of the coefficients."""
        bread = self.inverse @ weights
        pulls = np.array([row.pull @ bread for row in self.rows])
        return Estimate(
            float(weights @ self.coefficients), float((pulls**2).sum() ** 0.5), self._freedom(bread)
        )

    def predict(self, combination: Mapping[str, str]) -> Estimate:
        """Estimate the mean value of a combination of levels over rows like these, made or not."""
        design = coded([combination], self.levels, self.terms)[0]
        centre = np.array([row.mean for row in self.rows]).mean(axis=0)
        alone = np.array([row.value - row.mean @ self.coefficients for row in self.rows])
        n_rows = len(self.rows)
        spread = (alone - alone.mean()) / n_rows * (n_rows / (n_rows - 1)) ** 0.5
        bread = self.inverse @ (design - centre)
        pulls = spread + np.array([row.pull @ bread for row in self.rows])
        value = float(alone.mean() + design @ self.coefficients)
        return Estimate(value, float((pulls**2).sum() ** 0.5), min(self._freedom(bread), n_rows - 1.0))

    def pair_means(self, one: str, other: str) -> list[list[float]]:
        """Return the mean value of every two levels of two factors, averaged over all others.

        Returns:
            For each level of the first factor, the values by level of the second.
        """
        alone = float(np.mean([row.value - row.mean @ self.coefficients for row in self.rows]))
        both = {factor: self.levels[factor] for factor in (one, other)}
        every = [dict(zip(both, each, strict=True)) for each in itertools.product(*both.values())]
        values = np.full(len(every), alone)
        for term in ((one,), (other,), (one, other)):
            if term in self.places:
                values += coded(every, both, [term]) @ self.coefficients[self.places[term]]
        table: list[list[float]] = values.reshape(len(both[one]), len(both[other])).tolist()
        return table

    def _freedom(self, bread: Floats) -> float:
        """Satterthwaite's degrees of freedom, as if a row's cells varied independently and alike."""
        scaled = [row.scaled @ bread for row in self.rows]
        sizes = np.array([float(one @ one) for one in scaled])
        crossed = np.array([row.design.T @ one for row, one in zip(self.rows, scaled, strict=True)])
        across = crossed @ self.inverse
        trace = float(sizes.sum() - (across * crossed).sum())
        gram = self.inverse @ (crossed.T @ crossed)
        squares = float(
            (sizes**2).sum() - 2 * (sizes @ (across * crossed).sum(axis=1)) + np.trace(gram @ gram)
        )
        limit = len(self.rows) - 1.0
        return max(1.0, min(trace**2 / squares, limit)) if squares > 0 else limit


def fit_factors(cells: Sequence[Cell], levels: Levels) -> FactorModel | None:
    """Fit the main effects, and the interactions that the cells can tell from all else.

    Args:
        cells: One for each arm and row; those without a value are left out.
        levels: The factors' levels; those of which there is no cell are left out.

    Returns:
        The model; ``None`` with fewer than two rows, or where the factors cannot be told from one another.
    """
    per_row = {row: sum(cell.row == row for cell in cells) for row in {cell.row for cell in cells}}
    used = [cell for cell in cells if per_row[cell.row] > 1]
    seen = {
        factor: [level for level in named if _has(used, factor, level)] for factor, named in levels.items()
    }
    seen = {factor: named for factor, named in seen.items() if len(named) > 1}
    rows = np.array([cell.row for cell in used])
    if not seen or len(set(rows)) < 2:
        return None
    mains: tuple[Term, ...] = tuple((factor,) for factor in seen)
    for terms in (mains + told_interactions(used, seen, rows), mains):
        design = within_rows(coded([cell.levels for cell in used], seen, terms), rows)
        is_told = np.linalg.matrix_rank(design) == design.shape[1]
        if is_told and len(used) - len(set(rows)) > design.shape[1]:
            return _fit(used, rows, design, terms, seen)
    return None


def told_interactions(cells: Sequence[Cell], levels: Levels, rows: NDArray[np.int_]) -> tuple[Term, ...]:
    """List the interactions that no other interaction or main effect can be taken for, with these cells."""
    mains: list[Term] = [(factor,) for factor in levels]
    pairs: list[Term] = list(itertools.combinations(levels, 2))
    combinations = [cell.levels for cell in cells]
    columns = {term: within_rows(coded(combinations, levels, [term]), rows) for term in [*mains, *pairs]}
    whole = np.linalg.matrix_rank(np.hstack([*columns.values()]))
    return tuple(
        pair
        for pair in pairs
        if np.linalg.matrix_rank(np.hstack([own for term, own in columns.items() if term != pair]))
        == whole - columns[pair].shape[1]
    )


def width(levels: Levels, term: Term) -> int:
    """Return how many columns a term has."""
    return int(np.prod([len(levels[factor]) - 1 for factor in term]))


def coded(combinations: Sequence[Mapping[str, str]], levels: Levels, terms: Sequence[Term]) -> Floats:
    """Code factors, and products of two, so that the effects of a factor's levels add up to 0."""
    alone = {}
    for factor, (first, *others) in levels.items():
        at = [each[factor] for each in combinations]
        alone[factor] = np.array(
            [[-1.0 if name == first else float(name == other) for other in others] for name in at]
        ).reshape(len(at), len(others))
    found = []
    for term in terms:
        columns = np.ones((len(combinations), 1))
        for factor in term:
            columns = (columns[:, :, None] * alone[factor][:, None, :]).reshape(len(combinations), -1)
        found.append(columns)
    return np.hstack(found)


def within_rows(values: Floats, rows: NDArray[np.int_]) -> Floats:
    """Subtract each row's mean: the same as a coefficient for every row (Frisch and Waugh)."""
    _, places, sizes = np.unique(rows, return_inverse=True, return_counts=True)
    sums = np.zeros((len(sizes), *values.shape[1:]))
    np.add.at(sums, places, values)
    means: Floats = sums / sizes.reshape(-1, *[1] * (values.ndim - 1))
    centred: Floats = values - means[places]
    return centred


def _has(cells: Sequence[Cell], factor: str, level: str) -> bool:
    return any(cell.levels.get(factor) == level for cell in cells)


def _fit(
    cells: Sequence[Cell], rows: NDArray[np.int_], design: Floats, terms: Sequence[Term], levels: Levels
) -> FactorModel:
    given = np.array([cell.value for cell in cells], dtype=float)
    values = within_rows(given, rows)
    inverse: Floats = np.asarray(np.linalg.inv(design.T @ design), dtype=np.float64)
    coefficients = inverse @ (design.T @ values)
    residuals = values - design @ coefficients
    raw = coded([cell.levels for cell in cells], levels, terms)
    found = []
    for row in np.unique(rows):
        here = rows == row
        scaled = _scaled(design[here], inverse)
        pull = scaled.T @ residuals[here]
        found.append(_Row(design[here], scaled, pull, raw[here].mean(axis=0), float(given[here].mean())))
    freedom = len(cells) - len(found) - design.shape[1]
    noise = float(residuals @ residuals) / freedom
    return FactorModel(levels, tuple(terms), coefficients, inverse, tuple(found), noise, freedom)


def _scaled(design: Floats, inverse: Floats) -> Floats:
    """Scale a row's design by the inverse root of what the fit leaves of its residuals."""
    left = np.eye(len(design)) - design @ inverse @ design.T
    values, vectors = np.linalg.eigh(left)
    roots = np.where(values > _NOTHING_LEFT, np.maximum(values, _NOTHING_LEFT) ** -0.5, 0.0)
    scaled: Floats = vectors @ (roots[:, None] * (vectors.T @ design))
    return scaled


def _difference(levels: Levels, term: Term, chosen: Sequence[str]) -> Floats:
    """Weigh a term's coefficients to the difference of levels from their baselines."""
    weights = np.ones(1)
    for factor, level in zip(term, chosen, strict=True):
        others = levels[factor][1:]
        of_factor = np.array([1.0 + float(other == level) for other in others])
        weights = np.outer(weights, of_factor).ravel()
    return weights
