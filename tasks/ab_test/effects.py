"""Which factors matter: the effect of each level, averaged over everything else that is varied.

The units are cells: the mean over what one arm made of one row. Rows are blocks, so what makes one prompt
harder than another drops out; and they are clusters, so the interval holds where a level helps one prompt
more than another. With every cell filled, an effect and its interval are those of a one-sample t-test over
the rows of the difference within each row; a refused or failed cell leaves the others as they are.

Main effects and interactions are tested together at 5 %, corrected for their numbers by Holm's method: main
effects have four fifths of it, so that many interactions do not hide them. Coverage and false effects are
measured in ``benchmarks/factor_effects.py``.
"""

import itertools
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from tasks.ab_test.factor_model import Cell, Estimate, FactorModel, Levels, Term, fit_factors
from tasks.ab_test.holm import correct_by_holm

CONFIDENCE = 0.95
ALPHA = 1 - CONFIDENCE
SHARES = {1: 0.8, 2: 0.2}
"""The share of the 5 % that main effects have, and interactions."""
NO_SPREAD = 1e-9


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
    model = fit_factors(cells, levels)
    return [] if model is None else effects_of(model, is_exact=is_exact)


def effects_of(model: FactorModel, *, is_exact: bool = False) -> list[Effect]:
    """List the effects of a fitted model; the arguments are those of ``estimate_effects``."""
    found = [
        _effect(model, term, chosen)
        for term in model.terms
        for chosen in itertools.product(*(model.levels[factor][1:] for factor in term))
    ]
    return corrected([_known(one) if is_exact and one.low is None else one for one in found])


def _effect(model: FactorModel, term: Term, chosen: tuple[str, ...]) -> Effect:
    estimate = model.effect(term, chosen)
    baselines = tuple(model.levels[factor][0] for factor in term)
    effect = Effect(term, chosen, baselines, estimate.value, None, None, None)
    if estimate.error <= NO_SPREAD:
        return effect
    low, high, p_value = interval(estimate)
    return replace(effect, low=low, high=high, p_value=p_value)


def interval(estimate: Estimate, confidence: float = CONFIDENCE) -> tuple[float, float, float]:
    """Return the ends of an estimate's interval, and the probability that nothing shows so large a value."""
    from scipy import special

    reach = float(special.stdtrit(estimate.freedom, (1 + confidence) / 2)) * estimate.error
    p_value = 2 * float(special.stdtr(estimate.freedom, -abs(estimate.value) / estimate.error))
    return estimate.value - reach, estimate.value + reach, p_value


def _known(effect: Effect) -> Effect:
    """Give an effect that is the same in every row an interval of no width."""
    difference = 0.0 if abs(effect.difference) < NO_SPREAD else effect.difference
    return replace(
        effect, difference=difference, low=difference, high=difference, p_value=float(difference == 0)
    )


def corrected(effects: Sequence[Effect]) -> list[Effect]:
    """Correct the main effects for their number and share, and the interactions for theirs."""
    result: list[Effect] = []
    has_both = len({len(effect.factors) for effect in effects}) > 1
    for size, share in SHARES.items():
        family = [effect for effect in effects if len(effect.factors) == size]
        holm = correct_by_holm([effect.p_value for effect in family])
        for effect, p_value in zip(family, holm, strict=True):
            p_all = None if p_value is None else min(1.0, p_value / (share if has_both else 1.0))
            matters = p_all is not None and p_all <= ALPHA
            result.append(replace(effect, p_value_holm=p_all, matters=matters))
    return result
