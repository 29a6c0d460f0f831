"""Which factors matter: the effect of each level, averaged over everything else that is varied.

The units are cells: the mean over what one arm made of one row. Rows are blocks, so what makes one prompt
harder than another drops out; and they are clusters, so the interval holds where a level helps one prompt
more than another. With every cell filled, an effect and its interval are those of a one-sample t-test over
the rows of the difference within each row; a refused or failed cell leaves the others as they are.

Least squares and the cluster-robust covariance are statsmodels'. The correction for few clusters is G/(G-1)
and Student's t with G-1 degrees of freedom, G rows: exact for filled cells, where more only widens.

Source: A. C. Cameron, D. L. Miller (2015), "A Practitioner's Guide to Cluster-Robust Inference", sections II
and VI. Coverage is measured in ``benchmarks/factor_effects.py``.
"""

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tasks.ab_test.holm import correct_by_holm

Floats = NDArray[np.float64]
Levels = Mapping[str, Sequence[str]]
"""The names of each factor's levels, its baseline first."""

CONFIDENCE = 0.95
ALPHA = 1 - CONFIDENCE
NO_SPREAD = 1e-9


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


@dataclass(frozen=True, slots=True)
class Effect:
    """What a level changes, or what two levels change together beyond what each does.

    Args:
        factors: The factor; of an interaction both.
        levels: Their levels.
        baselines: The levels that these are compared with.
        difference: By how much the value is larger, averaged over all other factors and the rows.
        low: Lower end of its 95 % interval; ``None`` where the rows do not show how far they vary.
        high: Upper end.
        p_value: Probability that levels that change nothing show so large a difference, before correction.
        p_value_holm: The same, corrected for the number of main effects, or of interactions.
        matters: Whether the difference is told from none.
    """

    factors: tuple[str, ...]
    levels: tuple[str, ...]
    baselines: tuple[str, ...]
    difference: float
    low: float | None
    high: float | None
    p_value: float | None
    p_value_holm: float | None = None
    matters: bool = False

    def as_dict(self) -> dict[str, Any]:
        """Return the effect as JSON values."""
        lists = {"factors": [*self.factors], "levels": [*self.levels], "baselines": [*self.baselines]}
        return asdict(self) | lists


def estimate_effects(cells: Sequence[Cell], levels: Levels, *, is_exact: bool = False) -> list[Effect]:
    """Estimate the main effects, and two-way interactions where the cells can tell them.

    Args:
        cells: One for each arm and row; those without a value are left out.
        levels: The factors' levels. Levels of which there is no cell are not estimated.
        is_exact: Whether a difference that is the same in every row is known, as with prices; of scores, the
            rows then do not show how far others would vary, and there is no interval.

    Returns:
        Main effects in the order of factors and levels, then interactions; empty with fewer than two rows, or
        where the factors cannot be told from one another.
    """
    per_row = {row: sum(cell.row == row for cell in cells) for row in {cell.row for cell in cells}}
    used = [cell for cell in cells if per_row[cell.row] > 1]
    seen = {
        factor: [level for level in named if _has(used, factor, level)] for factor, named in levels.items()
    }
    seen = {factor: named for factor, named in seen.items() if len(named) > 1}
    rows = np.array([cell.row for cell in used])
    if not seen or len(set(rows)) < 2:
        return []
    mains = [(factor,) for factor in seen]
    for terms in ([*mains, *itertools.combinations(seen, 2)], mains):
        columns = {term: _columns(used, seen, term) for term in terms}
        design = _within_rows(np.hstack(list(columns.values())), rows)
        is_told = np.linalg.matrix_rank(design) == design.shape[1]
        if is_told and len(used) - len(set(rows)) > design.shape[1]:
            found = _fitted(used, rows, design, columns, seen)
            return _corrected([_known(one) if is_exact and one.low is None else one for one in found])
    return []


def _has(cells: Sequence[Cell], factor: str, level: str) -> bool:
    return any(cell.levels.get(factor) == level for cell in cells)


def _columns(cells: Sequence[Cell], levels: Levels, term: tuple[str, ...]) -> Floats:
    """Code a factor, or the product of two, so that the effects of its levels add up to 0."""
    columns = np.ones((len(cells), 1))
    for factor in term:
        first, *others = levels[factor]
        at = [cell.levels[factor] for cell in cells]
        coded = np.array(
            [[-1.0 if name == first else float(name == other) for other in others] for name in at]
        )
        columns = (columns[:, :, None] * coded[:, None, :]).reshape(len(cells), -1)
    return columns


def _within_rows(values: Floats, rows: NDArray[np.int_]) -> Floats:
    """Subtract each row's mean: the same as a coefficient for every row (Frisch and Waugh)."""
    result = values.copy()
    for row in set(rows):
        result[rows == row] -= values[rows == row].mean(axis=0)
    return result


def _fitted(
    cells: Sequence[Cell],
    rows: NDArray[np.int_],
    design: Floats,
    columns: Mapping[tuple[str, ...], Floats],
    levels: Levels,
) -> list[Effect]:
    from scipy import special
    from statsmodels.regression.linear_model import OLS

    values = _within_rows(np.array([cell.value for cell in cells], dtype=float), rows)
    kinds = {"groups": rows, "use_correction": False}
    fit = OLS(values, design).fit(cov_type="cluster", cov_kwds=kinds)
    covariance, n_rows = np.asarray(fit.cov_params()), len(set(rows))
    reach = float(special.stdtrit(n_rows - 1, (1 + CONFIDENCE) / 2))
    found, start = [], 0
    for term, of_term in columns.items():
        place = slice(start, start := start + of_term.shape[1])
        for chosen in itertools.product(*(levels[factor][1:] for factor in term)):
            weights = _contrast(levels, term, chosen)
            difference = float(weights @ np.asarray(fit.params)[place])
            variance = float(weights @ covariance[place, place] @ weights) * n_rows / (n_rows - 1)
            baselines = tuple(levels[factor][0] for factor in term)
            effect = Effect(term, chosen, baselines, difference, None, None, None)
            if (error := max(variance, 0.0) ** 0.5) > NO_SPREAD:
                p_value = 2 * float(special.stdtr(n_rows - 1, -abs(difference) / error))
                low, high = difference - reach * error, difference + reach * error
                effect = replace(effect, low=low, high=high, p_value=p_value)
            found.append(effect)
    return found


def _known(effect: Effect) -> Effect:
    """Give an effect that is the same in every row an interval of no width."""
    difference = 0.0 if abs(effect.difference) < NO_SPREAD else effect.difference
    return replace(
        effect, difference=difference, low=difference, high=difference, p_value=float(difference == 0)
    )


def _contrast(levels: Levels, term: tuple[str, ...], chosen: tuple[str, ...]) -> Floats:
    """Weigh a term's coefficients to the difference of levels from their baselines."""
    weights = np.ones(1)
    for factor, level in zip(term, chosen, strict=True):
        others = levels[factor][1:]
        of_factor = np.array([1.0 + float(other == level) for other in others])
        weights = np.outer(weights, of_factor).ravel()
    return weights


def _corrected(effects: Sequence[Effect]) -> list[Effect]:
    """Correct the main effects for their number, and the interactions for theirs."""
    result: list[Effect] = []
    for size in (1, 2):
        family = [effect for effect in effects if len(effect.factors) == size]
        holm = correct_by_holm([effect.p_value for effect in family])
        result += (
            replace(effect, p_value_holm=p_value, matters=p_value is not None and p_value <= ALPHA)
            for effect, p_value in zip(family, holm, strict=True)
        )
    return result
