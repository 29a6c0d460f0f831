"""The best combination of levels, made or not, with the score that is predicted for it.

The best of many estimates is too high, the more so the less they differ. So it is chosen, and its score is
predicted, by what is expected of it (``posterior``): where nothing matters, every combination is predicted
the mean. The interval reaches from the lower end around the expected score to the upper end around that of
least squares. How often it holds, and how often the best is found, is in ``benchmarks/factor_effects.py`` and
``benchmarks/factor_best.py``.
"""

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from tasks.ab_test.effects import interval
from tasks.ab_test.factor_model import Cell, FactorModel, Floats, Levels, fit_factors
from tasks.ab_test.posterior import fit_posterior

MOST_COMBINATIONS = 10_000


@dataclass(frozen=True, slots=True)
class BestCombination:
    """The combination of levels with the best prediction.

    Args:
        levels: The level of each factor.
        value: The value that is predicted for it, averaged over rows like these.
        low: Lower end of its 95 % interval; ``None`` where the rows do not show how far they vary.
        high: Upper end.
        is_made: Whether pictures of it were made.
        is_told: Whether a level of it is told from its baseline; without, it is no better than others known.
        next_made: Of the other combinations that were made, the one with the best prediction.
    """

    levels: Mapping[str, str]
    value: float
    low: float | None
    high: float | None
    is_made: bool
    is_told: bool = False
    next_made: Mapping[str, str] | None = None

    def as_dict(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return asdict(self)


def find_best(
    cells: Sequence[Cell], levels: Levels, made: Sequence[Mapping[str, str]], *, is_told: bool = False
) -> BestCombination | None:
    """Find the best combination of all levels that there are pictures of.

    Args:
        cells: One for each arm, row and round; those of arms that were dropped on the way too.
        levels: The factors' levels.
        made: The combinations that there are pictures of; of equals one of them comes first.
        is_told: Whether any effect is told from none.

    Returns:
        ``None`` with too many combinations to look at, or where factors cannot be told from one another.
    """
    model = fit_factors(cells, levels)
    if model is None or math.prod(map(len, model.levels.values())) > MOST_COMBINATIONS:
        return None
    every = (dict(zip(model.levels, each, strict=True)) for each in itertools.product(*model.levels.values()))
    combinations = sorted(every, key=lambda each: each not in made)
    values = _expected(cells, model, combinations)
    place = int(np.argmax(np.round(values, 12)))
    best, value, plain = combinations[place], float(values[place]), model.predict(combinations[place])
    others = (other for other in np.argsort(-values, kind="stable") if other != place)
    next_made = next((combinations[other] for other in others if combinations[other] in made), None)
    found = BestCombination(best, value, None, None, best in made, is_told, next_made)
    if plain.error <= 0:
        return found
    reach = interval(plain)[1] - plain.value
    return replace(found, low=min(plain.value, value) - reach, high=max(plain.value, value) + reach)


def _expected(cells: Sequence[Cell], model: FactorModel, combinations: Sequence[Mapping[str, str]]) -> Floats:
    """Return the values that are expected of combinations, around the mean of those that were made."""
    known = [
        cell for cell in cells if all(cell.levels[factor] in named for factor, named in model.levels.items())
    ]
    posterior = fit_posterior(known, list(model.levels))
    if posterior is None:
        return model.values(combinations)
    middle = float(np.mean(model.values(posterior.made) - posterior.means(posterior.made)))
    expected: Floats = posterior.means(combinations) + middle
    return expected
