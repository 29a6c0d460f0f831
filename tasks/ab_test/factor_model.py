"""Least squares over factors, with a coefficient for each row and round; errors robust to clusters: the rows.

The covariance is CR2 with Satterthwaite's degrees of freedom: each row's residuals are scaled by what the fit
took from them, so that few rows, and rows with missing cells, give neither too narrow intervals nor false
effects. With every cell filled it is the one-sample t-test over the rows of the difference within each row.
What a round made of a row is a block of its own: what changes between rounds drops out.

Sources: R. Bell, D. McCaffrey (2002), "Bias reduction in standard errors for linear regression with multi-
stage samples"; J. Pustejovsky, E. Tipton (2018), "Small-sample methods for cluster-robust variance estimation
and hypothesis testing in fixed effects models", sections 2 and 3. Neither statsmodels nor scipy has them; the
coefficients agree with theirs in the tests.
"""

import itertools
from collections import Counter
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
        pictures: How many values it is the mean of.
        squares: The sum of their squared distances from it.
        round: The round that made them: what changes between rounds is no effect.
    """

    levels: Mapping[str, str]
    row: int
    value: float
    pictures: int = 1
    squares: float = 0.0
    round: int = 0


class Estimate(NamedTuple):
    """A sum of coefficients, its standard error, and the degrees of freedom of that error."""

    value: float
    error: float
    freedom: float


class _Rows(NamedTuple):
    """Each row's part of the fit, the rows first; p is the number of coefficients.

    Args:
        squares: The cross product of the scaled design; shape (rows, p, p).
        crossed: That of the design, less the means of its blocks, with the scaled one; (rows, p, p).
        pulls: What was not explained, by the scaled design; (rows, p).
        means: The design's mean; (rows, p).
        values: The values' mean; (rows,).
    """

    squares: Floats
    crossed: Floats
    pulls: Floats
    means: Floats
    values: Floats


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
    rows: _Rows

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
        pulls = self.rows.pulls @ bread
        return Estimate(
            float(weights @ self.coefficients), float((pulls**2).sum() ** 0.5), self._freedom(bread)
        )

    def values(self, combinations: Sequence[Mapping[str, str]]) -> Floats:
        """Return the estimated mean values of combinations of levels over rows like these, made or not."""
        found: Floats = self._alone.mean() + coded(combinations, self.levels, self.terms) @ self.coefficients
        return found

    def predict(self, combination: Mapping[str, str]) -> Estimate:
        """Estimate the mean value of a combination of levels over rows like these, made or not."""
        design = coded([combination], self.levels, self.terms)[0]
        alone, n_rows = self._alone, len(self._alone)
        spread = (alone - alone.mean()) / n_rows * (n_rows / (n_rows - 1)) ** 0.5
        bread = self.inverse @ (design - self.rows.means.mean(axis=0))
        pulls = spread + self.rows.pulls @ bread
        value = float(alone.mean() + design @ self.coefficients)
        return Estimate(value, float((pulls**2).sum() ** 0.5), min(self._freedom(bread), n_rows - 1.0))

    def pair_means(self, one: str, other: str) -> list[list[float]]:
        """Return the mean value of every two levels of two factors, averaged over all others.

        Returns:
            For each level of the first factor, the values by level of the second.
        """
        both = {factor: self.levels[factor] for factor in (one, other)}
        every = [dict(zip(both, each, strict=True)) for each in itertools.product(*both.values())]
        values = np.full(len(every), self._alone.mean())
        for term in ((one,), (other,), (one, other)):
            if term in self.places:
                values += coded(every, both, [term]) @ self.coefficients[self.places[term]]
        table: list[list[float]] = values.reshape(len(both[one]), len(both[other])).tolist()
        return table

    @cached_property
    def _alone(self) -> Floats:
        """Each row's mean value, less what its combinations add to it."""
        return self.rows.values - self.rows.means @ self.coefficients

    def _freedom(self, bread: Floats) -> float:
        """Satterthwaite's degrees of freedom, as if a row's cells varied independently and alike."""
        sizes, crossed = (self.rows.squares @ bread) @ bread, self.rows.crossed @ bread
        across = crossed @ self.inverse
        trace = float(sizes.sum() - (across * crossed).sum())
        gram = self.inverse @ (crossed.T @ crossed)
        squares = float(
            (sizes**2).sum() - 2 * (sizes @ (across * crossed).sum(axis=1)) + np.trace(gram @ gram)
        )
        limit = len(sizes) - 1.0
        return max(1.0, min(trace**2 / squares, limit)) if squares > 0 else limit


def fit_factors(cells: Sequence[Cell], levels: Levels) -> FactorModel | None:
    """Fit the main effects, and the interactions that the cells can tell from all else.

    Args:
        cells: One for each arm and row; those without a value are left out.
        levels: The factors' levels; those of which there is no cell are left out.

    Returns:
        The model; ``None`` with fewer than two rows, or where the factors cannot be told from one another.
    """
    per_block = Counter((cell.row, cell.round) for cell in cells)
    used = [cell for cell in cells if per_block[cell.row, cell.round] > 1]
    seen = {
        factor: [level for level in named if _has(used, factor, level)] for factor, named in levels.items()
    }
    seen = {factor: named for factor, named in seen.items() if len(named) > 1}
    blocks = blocks_of(used)
    if not seen or len({cell.row for cell in used}) < 2:
        return None
    mains: tuple[Term, ...] = tuple((factor,) for factor in seen)
    for terms in (mains + told_interactions(used, seen, blocks), mains):
        design = within_blocks(coded([cell.levels for cell in used], seen, terms), blocks)
        is_told = np.linalg.matrix_rank(design) == design.shape[1]
        if is_told and len(used) - len(set(blocks)) > design.shape[1]:
            return _fit(used, blocks, design, terms, seen)
    return None


def told_interactions(cells: Sequence[Cell], levels: Levels, blocks: NDArray[np.int_]) -> tuple[Term, ...]:
    """List the interactions that no other interaction or main effect can be taken for, with these cells."""
    mains: list[Term] = [(factor,) for factor in levels]
    pairs: list[Term] = list(itertools.combinations(levels, 2))
    combinations = [cell.levels for cell in cells]
    columns = {term: within_blocks(coded(combinations, levels, [term]), blocks) for term in [*mains, *pairs]}
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
    distinct = {id(each): each for each in combinations}  # the cells of an arm share theirs
    places = {key: place for place, key in enumerate(distinct)}
    of_arms = _coded(list(distinct.values()), levels, terms)
    found: Floats = of_arms[[places[id(each)] for each in combinations]]
    return found


def _coded(combinations: Sequence[Mapping[str, str]], levels: Levels, terms: Sequence[Term]) -> Floats:
    alone = {}
    for factor in {factor for term in terms for factor in term}:
        named = levels[factor]
        code = np.vstack([np.full((1, len(named) - 1), -1.0), np.eye(len(named) - 1)])
        numbers = {name: place for place, name in enumerate(named)}
        alone[factor] = code[[numbers[each[factor]] for each in combinations]]
    found = []
    for term in terms:
        columns = np.ones((len(combinations), 1))
        for factor in term:
            columns = (columns[:, :, None] * alone[factor][:, None, :]).reshape(len(combinations), -1)
        found.append(columns)
    return np.hstack(found)


def blocks_of(cells: Sequence[Cell]) -> NDArray[np.int_]:
    """Number the blocks of cells, from 0: what one round made of one row."""
    numbers: dict[tuple[int, int], int] = {}
    return np.array([numbers.setdefault((cell.row, cell.round), len(numbers)) for cell in cells], dtype=int)


def within_blocks(values: Floats, blocks: NDArray[np.int_]) -> Floats:
    """Subtract each block's mean: the same as a coefficient for every block (Frisch and Waugh)."""
    _, places, sizes = np.unique(blocks, return_inverse=True, return_counts=True)
    sums = np.zeros((len(sizes), *values.shape[1:]))
    np.add.at(sums, places, values)
    means: Floats = sums / sizes.reshape(-1, *[1] * (values.ndim - 1))
    centred: Floats = values - means[places]
    return centred


def _has(cells: Sequence[Cell], factor: str, level: str) -> bool:
    return any(cell.levels.get(factor) == level for cell in cells)


def _fit(
    cells: Sequence[Cell], blocks: NDArray[np.int_], design: Floats, terms: Sequence[Term], levels: Levels
) -> FactorModel:
    given = np.array([cell.value for cell in cells], dtype=float)
    values, rows = within_blocks(given, blocks), np.array([cell.row for cell in cells])
    inverse: Floats = np.asarray(np.linalg.inv(design.T @ design), dtype=np.float64)
    coefficients = inverse @ (design.T @ values)
    residuals = values - design @ coefficients
    raw = coded([cell.levels for cell in cells], levels, terms)
    scaled_of: dict[bytes, Floats] = {}  # rows with the same cells, most of them, are scaled alike
    found = []
    for row in np.unique(rows):
        here = rows == row
        own = np.ascontiguousarray(design[here])
        if (key := own.tobytes()) not in scaled_of:
            scaled_of[key] = _scaled(own, inverse)
        scaled = scaled_of[key]
        pull = scaled.T @ residuals[here]
        found.append((scaled.T @ scaled, own.T @ scaled, pull, raw[here].mean(axis=0), given[here].mean()))
    parts = _Rows(*(np.array(each, dtype=np.float64) for each in zip(*found, strict=True)))
    return FactorModel(levels, tuple(terms), coefficients, inverse, parts)


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
