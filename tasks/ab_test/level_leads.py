"""How far each arm leads by its levels, and the probability that it leads in the end.

What is known of an arm made of factors is known from all arms that share a level with it: a level that is
worse drags all its arms down at once. The chance is that of ``arm_leads``, with the difference of two arms
from the model of factors; what of it is chance is taken off (``best_combination``), and with it as much of
its variance, as an empirical Bayes posterior has it. ``benchmarks/factor_halving.py`` measures it.
"""

from collections.abc import Mapping, Sequence

import numpy as np

from tasks.ab_test.best_combination import shrunk
from tasks.ab_test.factor_model import Cell, Levels, coded, fit_factors
from tasks.ab_test.verdict import LEAST_DIFFERENCE

LEAST_SHARES = {1: 0.25, 2: 0.5}
"""The least of its variance that a main effect keeps, and an interaction, of which less is known so early."""


def measure_level_leads(
    cells: Sequence[Cell],
    levels: Levels,
    arms: Mapping[str, Mapping[str, str]],
    share_made: float,
) -> dict[str, tuple[float, float | None]] | None:
    """Compare arms by their levels.

    Args:
        cells: The cells of all arms that were ever made, those that were dropped included.
        levels: The factors' levels.
        arms: The levels of each arm that is in the race.
        share_made: Share of an arm's pictures made so far, if it stays to the end; above 0, at most 1.

    Returns:
        By arm, its lead over the mean of these arms, and its chance, ``None`` for the leader and while the
        noise is unknown; ``None`` where the levels cannot be told from one another, or one has no cell.
    """
    from scipy import special

    model = fit_factors(cells, levels)
    if model is None or any(
        arm[factor] not in model.levels.get(factor, [arm[factor]]) for arm in arms.values() for factor in arm
    ):
        return None
    design, kept = coded(list(arms.values()), model.levels, model.terms), shrunk(model)
    values = design @ kept
    first = int(np.argmax(values))
    shares = np.divide(kept, model.coefficients, out=np.zeros_like(kept), where=model.coefficients != 0)
    for term, of_term in model.places.items():
        shares[of_term] = np.maximum(shares[of_term], LEAST_SHARES[len(term)])
    apart = (design - design[first]) * np.sqrt(shares)
    errors = np.sqrt(np.maximum(np.einsum("ij,jk,ik->i", apart, model.inverse, apart) * model.noise, 0.0))
    spread = errors * (1 - share_made) ** 0.5
    found: dict[str, tuple[float, float | None]] = {}
    for place, name in enumerate(arms):
        lead, chance = float(values[place] - values.mean()), None
        if place != first and spread[place] > 0:
            behind = values[first] - values[place] + LEAST_DIFFERENCE
            chance = float(special.stdtr(model.freedom, -behind / spread[place]))
        found[name] = (lead, chance)
    return found
