"""The best combination of levels, made or not, with the score that is predicted for it.

The best of many estimates is too high, the more so the less they differ. So each factor's effects, and all
interactions together, are shrunk by the share of their size that is chance, as James and Stein do: where
nothing matters, every combination is predicted the mean. The interval reaches from the lower end around the
shrunk score to the upper end around the one that is not.

Source: B. Efron, C. Morris (1973), "Stein's estimation rule and its competitors: an empirical Bayes
approach". How often the interval holds, and how often the best is found, is in
``benchmarks/factor_effects.py`` and ``benchmarks/factor_best.py``.
"""

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from tasks.ab_test.effects import interval
from tasks.ab_test.factor_model import FactorModel, Floats, coded

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
    """

    levels: Mapping[str, str]
    value: float
    low: float | None
    high: float | None
    is_made: bool
    is_told: bool = False

    def as_dict(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return asdict(self) | {"levels": dict(self.levels)}


def find_best(
    model: FactorModel, made: Sequence[Mapping[str, str]], *, is_told: bool = False
) -> BestCombination | None:
    """Find the best combination of all levels that there are pictures of.

    Args:
        model: The fitted model.
        made: The combinations that there are pictures of; of equals one of them comes first.
        is_told: Whether any effect is told from none.

    Returns:
        ``None`` with too many combinations to look at.
    """
    if math.prod(map(len, model.levels.values())) > MOST_COMBINATIONS:
        return None
    every = (dict(zip(model.levels, each, strict=True)) for each in itertools.product(*model.levels.values()))
    combinations = sorted(every, key=lambda each: each not in made)
    design = coded(combinations, model.levels, model.terms)
    gains = design @ shrunk(model)
    place = int(np.argmax(np.round(gains, 12)))
    plain = model.predict(combinations[place])
    value = plain.value + float(gains[place] - design[place] @ model.coefficients)
    best = combinations[place]
    if plain.error <= 0:
        return BestCombination(best, value, None, None, best in made, is_told)
    reach = interval(plain)[1] - plain.value
    ends = (min(plain.value, value) - reach, max(plain.value, value) + reach)
    return BestCombination(best, value, *ends, best in made, is_told)


def shrunk(model: FactorModel) -> Floats:
    """Return the coefficients, each factor's and those of all interactions less what of them is chance."""
    pulls = np.array([row.pull for row in model.rows]) @ model.inverse
    variances = (pulls**2).sum(axis=0)
    found = model.coefficients.copy()
    mains = [place for term, place in model.places.items() if len(term) == 1]
    others = slice(mains[-1].stop, len(found))
    for place in (*mains, others):
        size = float((found[place] ** 2).sum())
        found[place] *= max(0.0, 1 - float(variances[place].sum()) / size) if size > 0 else 0.0
    return found
