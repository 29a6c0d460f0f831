"""How far each arm leads by its levels, and the probability that it leads in the end.

What is known of an arm made of factors is known from all arms that share a level with it: a level that is
worse drags all its arms down at once. The chance is that of ``arm_leads``, with the difference of two arms
and its error from a posterior (``posterior``). ``benchmarks/factor_best.py`` measures it.
"""

from collections.abc import Mapping, Sequence

import numpy as np

from tasks.ab_test.factor_model import Cell
from tasks.ab_test.posterior import fit_posterior
from tasks.ab_test.verdict import LEAST_DIFFERENCE


def measure_level_leads(
    cells: Sequence[Cell], arms: Mapping[str, Mapping[str, str]], share_made: float
) -> dict[str, tuple[float, float | None]] | None:
    """Compare arms by their levels.

    Args:
        cells: The cells of all arms that were ever made, those that were dropped included.
        arms: The levels of each arm that is in the race.
        share_made: Share of an arm's pictures made so far, if it stays to the end; above 0, at most 1.

    Returns:
        By arm, its lead over the mean of these arms, and its chance, ``None`` for the leader and while the
        difference is known exactly; ``None`` where the cells do not show how far values vary.
    """
    from scipy import special

    combinations = list(arms.values())
    posterior = fit_posterior(cells, list(combinations[0]))
    if posterior is None:
        return None
    values = posterior.means(combinations)
    first = int(np.argmax(values))
    spread = posterior.spread(combinations, first) * (1 - share_made) ** 0.5
    found: dict[str, tuple[float, float | None]] = {}
    for place, name in enumerate(arms):
        lead, chance = float(values[place] - values.mean()), None
        if place != first and spread[place] > 0:
            behind = values[first] - values[place] + LEAST_DIFFERENCE
            chance = float(special.stdtr(posterior.freedom, -behind / spread[place]))
        found[name] = (lead, chance)
    return found
