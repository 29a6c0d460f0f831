"""Designs: which combinations of levels are made, where not all of them are.

The designs are pydoe's: regular fractions of two-level factors with main effects clear of interactions of
two, Plackett-Burman designs, and D-optimal ones for any levels. All are the same at every call. What a design
confounds is found from its arms alone, so it holds for exclusions too.

Source: G. E. P. Box, J. S. Hunter, W. G. Hunter (2005), "Statistics for Experimenters", chapters 6 and 7
(fractions, Plackett-Burman, alias patterns); V. V. Fedorov (1972), "Theory of Optimal Experiments".
"""

import itertools
import math
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from tasks.limits import ARMS

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

Design = Literal["full", "fractional", "main_effects"]
Combination = dict[str, str]
Levels = Mapping[str, Sequence[str]]

RESOLUTION = 4
"""Main effects are confounded with interactions of three factors at least."""
SPARE_ARMS = 1.25
"""Arms for each effect of a D-optimal design: some more than effects, so that one refused arm loses none."""
_CANDIDATES, _STARTS = 48, 6
"""D-optimal designs are chosen from so many combinations, drawn so often: from all, pydoe's exchange ends far
from the best, and leaves levels out."""
_CONFOUNDED, _SHOWN = 0.05, 3


def designed(design: Design, levels: Levels, allowed: Sequence[Combination]) -> list[Combination]:
    """List the combinations that a design makes, the baseline of every factor first where it is made.

    Args:
        design: The kind of design.
        levels: Each factor's levels, its baseline first.
        allowed: The combinations that may be made.
    """
    if design == "full" or not allowed:
        return list(allowed)
    sizes = [len(named) for named in levels.values()]
    if set(sizes) == {2} and len(allowed) == math.prod(sizes):
        return _of_two_levels(design, levels)
    named = tuple((factor, tuple(own)) for factor, own in levels.items())
    places = _d_optimal(named, tuple(tuple(each.values()) for each in allowed))
    return [allowed[place] for place in places]


def n_effects(levels: Levels) -> int:
    """Return how many main effects there are, the mean included: the fewest arms that tell them."""
    return 1 + sum(len(named) - 1 for named in levels.values())


def _of_two_levels(design: Design, levels: Levels) -> list[Combination]:
    import numpy as np
    import pydoe

    n_factors = len(levels)
    if design == "fractional":
        signs = (
            pydoe.ff2n(n_factors) if n_factors < RESOLUTION else pydoe.fracfact_by_res(n_factors, RESOLUTION)
        )
    else:
        signs = pydoe.pbdesign(n_factors)
    signs = np.asarray(signs)[:, :n_factors]
    turned = signs * -signs[0]  # the first arm has every baseline
    return [
        {factor: named[int(sign > 0)] for (factor, named), sign in zip(levels.items(), row, strict=True)}
        for row in sorted(turned.tolist())
    ]


@lru_cache(maxsize=8)  # a campaign is checked and made of the same factors
def _d_optimal(
    named: tuple[tuple[str, tuple[str, ...]], ...], allowed: tuple[tuple[str, ...], ...]
) -> list[int]:
    """Choose the places of the combinations that tell the main effects best."""
    import numpy as np
    import pydoe

    levels = dict(named)
    n_arms = min(ARMS, len(allowed), 2 * math.ceil(SPARE_ARMS * n_effects(levels) / 2))
    if n_arms >= len(allowed):
        return list(range(len(allowed)))
    combinations = [dict(zip(levels, each, strict=True)) for each in allowed]
    candidates = _coded(combinations, {(factor,): levels for factor in levels})
    dice = np.random.default_rng(0)
    starts = _STARTS if len(allowed) > _CANDIDATES else 1
    drawn = [candidates[dice.permutation(len(allowed))[:_CANDIDATES]] for _ in range(starts)]
    found = [np.asarray(pydoe.optimal_design(each, n_arms, degree=1, method="detmax")[0]) for each in drawn]
    best = max(found, key=_information)
    places = {tuple(row): place for place, row in enumerate(candidates.tolist())}
    return sorted({places[tuple(row)] for row in best.tolist()})


def _information(design: "Floats") -> float:
    import numpy as np

    whole = np.hstack([np.ones((len(design), 1)), design])
    return float(np.linalg.slogdet(whole.T @ whole)[1])


class Confounding(NamedTuple):
    """What a design cannot tell.

    Args:
        mains: By factor, the pairs of others whose interaction its main effect may be taken for.
        pairs: The pairs of factors of which it cannot be told whether they work together.
        is_too_small: Whether its arms do not even tell the factors from one another.
    """

    mains: dict[str, list[tuple[str, str]]]
    pairs: list[tuple[str, str]]
    is_too_small: bool = False


def find_confounding(made: Sequence[Mapping[str, str]], levels: Levels) -> Confounding:
    """Find what a design cannot tell, of main effects and interactions of two factors.

    Args:
        made: The combinations that are made.
        levels: Each factor's levels, its baseline first.
    """
    import numpy as np

    pairs = list(itertools.combinations(levels, 2))
    if not made:
        return Confounding({factor: [] for factor in levels}, pairs, is_too_small=True)
    columns = {pair: _coded(made, {pair: levels}) for pair in pairs}
    first = np.hstack([np.ones((len(made), 1)), _coded(made, {(factor,): levels for factor in levels})])
    found = Confounding({factor: [] for factor in levels}, [])
    if np.linalg.matrix_rank(first) < first.shape[1]:  # an arm or two of a design, with --only-arm
        return found._replace(pairs=pairs, is_too_small=True)
    if not pairs:
        return found
    every, inverse = np.linalg.matrix_rank(np.hstack([first, *columns.values()])), np.linalg.pinv(first)
    for pair, own in columns.items():
        others = [each for other, each in columns.items() if other != pair]
        if np.linalg.matrix_rank(np.hstack([first, *others])) == every - own.shape[1]:
            continue
        found.pairs.append(pair)
        start, biases = 1, np.abs(inverse @ own)
        for factor, named in levels.items():
            stop = start + len(named) - 1
            if factor not in pair and biases[start:stop].max() > _CONFOUNDED:
                found.mains[factor].append(pair)
            start = stop
    return found


def describe_design(
    design: Design, levels_by_arm: Mapping[str, Mapping[str, str]], levels: Levels
) -> dict[str, Any]:
    """Describe a design as JSON values: its levels and arms, and what it cannot tell.

    Args:
        design: Its kind.
        levels_by_arm: The levels of each arm.
        levels: Each factor's levels, its baseline first.
    """
    confounding = find_confounding(list(levels_by_arm.values()), levels)
    return {
        "factors": {factor: list(named) for factor, named in levels.items()},
        "levels_by_arm": levels_by_arm,
        "design": design,
        "confounded": {factor: [list(pair) for pair in pairs] for factor, pairs in confounding.mains.items()},
        "untold_pairs": [list(pair) for pair in confounding.pairs],
    }


def state_confounding(made: Sequence[Mapping[str, str]], levels: Levels) -> str:
    """State what a design cannot tell, in a sentence or two; empty if it tells all main effects and pairs."""
    found = find_confounding(made, levels)
    n_pairs, n_every = math.comb(len(levels), 2), math.prod(map(len, levels.values()))
    size = f"{len(made)} of {n_every:,} combinations {'is' if len(made) == 1 else 'are'} made."
    if found.is_too_small:
        does = "does" if len(made) == 1 else "do"
        return f"{size[:-1]}, which {does} not tell the factors from one another." if made else ""
    if not found.pairs:
        return ""
    told = f"Which factors work together can be told of {n_pairs - len(found.pairs)} of {n_pairs} pairs."
    taken = [f"{factor} for {_joined(pairs)}" for factor, pairs in found.mains.items() if pairs]
    if not taken:
        return f"{size} Main effects are clear of interactions of two factors. {told}"
    shown = "; ".join(taken[:_SHOWN]) + ("; and so on" if len(taken) > _SHOWN else "")
    return f"{size} A main effect may be taken for two factors that work together: {shown}. {told}"


def _joined(pairs: Sequence[tuple[str, str]]) -> str:
    named = [f"{one} with {other}" for one, other in pairs[:_SHOWN]]
    more = f" or {len(pairs) - _SHOWN} others" if len(pairs) > _SHOWN else ""
    return " or ".join(named) + more


def _coded(made: Sequence[Mapping[str, str]], terms: Mapping[tuple[str, ...], Levels]) -> "Floats":
    """Code factors, or products of two, so that the effects of a factor's levels add up to 0."""
    import numpy as np

    found = []
    for term, levels in terms.items():
        columns = np.ones((len(made), 1))
        for factor in term:
            first, *others = levels[factor]
            own = [
                [-1.0 if each[factor] == first else float(each[factor] == name) for name in others]
                for each in made
            ]
            columns = (columns[:, :, None] * np.array(own)[:, None, :]).reshape(len(made), -1)
        found.append(columns)
    return np.hstack(found)
