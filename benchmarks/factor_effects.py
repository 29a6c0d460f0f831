"""How often the intervals of factors' effects hold the truth, and how often an effect is named that is none.

Designs of 2 x 2 x 2 and 3 x 4 x 2 levels, one arm for each combination. Pictures vary by 0.1 around
their prompt; every arm differs from row to row by 0.03, and every level of the first factor by another 0.03,
so that rows matter. One order in ten is refused; a cell without a picture is missing. Planted: nothing; or
+0.1 for the last level of the first factor, and +0.08 for it together with the last level of the third.

Figures are shares: of all main effects' intervals that hold the truth, of all interactions'; of campaigns in
which a main effect is named that is none, and likewise an interaction; and in which the planted one is found.

Run: python -m benchmarks.factor_effects [campaigns, default 500]
"""

import itertools
import sys
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from tasks.ab_test.effects import Cell, Effect, estimate_effects

SIZES = ((2, 2, 2), (3, 4, 2))
ROWS = (4, 8, 12, 24)
REPLICATES = (1, 4)
PICTURE_SPREAD, PROMPT_SPREAD, ARM_SPREAD, LEVEL_SPREAD = 0.1, 0.1, 0.03, 0.03
REFUSED = 0.1
MAIN, TOGETHER = 0.1, 0.08


class Campaign(NamedTuple):
    """Cells of a simulated campaign, its levels, and the true difference of each effect."""

    cells: list[Cell]
    levels: dict[str, list[str]]


def main() -> None:
    """Print one line for each design, number of rows, pictures of a cell, and what is planted."""
    campaigns = int(sys.argv[1]) if len(sys.argv) > 1 else 500
    print("design  rows pictures planted | held: main interaction | falsely named: main interaction | found")
    for sizes, rows, replicates in itertools.product(SIZES, ROWS, REPLICATES):
        for planted in (0.0, 1.0):
            name = "x".join(map(str, sizes))
            figures = _figures(campaigns, sizes, rows, replicates, planted)
            print(f"{name:7} {rows:4} {replicates:8} {planted:7.0f} | {figures}", flush=True)


def _figures(campaigns: int, sizes: Sequence[int], rows: int, replicates: int, planted: float) -> str:
    rng = np.random.default_rng([*sizes, rows, replicates, int(planted)])
    held: dict[int, list[bool]] = {1: [], 2: []}
    falsely: dict[int, list[bool]] = {1: [], 2: []}
    found, planted_one = [], (("a",), (f"a{sizes[0] - 1}",))
    for _ in range(campaigns):
        cells, levels = _draw(rng, sizes, rows, replicates, planted)
        effects = estimate_effects(cells, levels)
        truth = {(one.factors, one.levels): _truth(one, levels, planted) for one in effects}
        for one in effects:
            if one.low is not None and one.high is not None:
                held[len(one.factors)].append(one.low <= truth[one.factors, one.levels] <= one.high)
        for size in (1, 2):
            named = [one for one in effects if len(one.factors) == size and one.matters]
            falsely[size].append(any(abs(truth[one.factors, one.levels]) < 1e-12 for one in named))
        found.append(any(one.matters and (one.factors, one.levels) == planted_one for one in effects))
    both = [np.mean(held[1]), np.mean(held[2]), np.mean(falsely[1]), np.mean(falsely[2]), np.mean(found)]
    return "   ".join(f"{share:6.1%}" for share in both)


def _draw(
    rng: np.random.Generator, sizes: Sequence[int], rows: int, replicates: int, planted: float
) -> Campaign:
    levels = {
        factor: [f"{factor}{place}" for place in range(size)]
        for factor, size in zip("abc", sizes, strict=True)
    }
    prompts = rng.normal(0.5, PROMPT_SPREAD, rows)
    of_level = rng.normal(0, LEVEL_SPREAD, (sizes[0], rows))
    cells = []
    for places in itertools.product(*map(range, sizes)):
        mean = _mean(places, sizes, planted)
        chosen = {factor: levels[factor][place] for factor, place in zip(levels, places, strict=True)}
        for row in range(rows):
            made = rng.binomial(replicates, 1 - REFUSED)
            usual = prompts[row] + mean + of_level[places[0], row] + rng.normal(0, ARM_SPREAD)
            if made:
                cells.append(Cell(chosen, row, float(rng.normal(usual, PICTURE_SPREAD, made).mean())))
    return Campaign(cells, levels)


def _mean(places: Sequence[int], sizes: Sequence[int], planted: float) -> float:
    is_last = [place == size - 1 for place, size in zip(places, sizes, strict=True)]
    return planted * (MAIN * is_last[0] + TOGETHER * (is_last[0] and is_last[2]))


def _truth(effect: Effect, levels: Mapping[str, Sequence[str]], planted: float) -> float:
    """Return an effect's true difference: by levels, averaged over the other factors."""
    sizes = [len(named) for named in levels.values()]
    wanted = dict(zip(effect.factors, zip(effect.levels, effect.baselines, strict=True), strict=True))
    total, n_others = 0.0, 0
    for places in itertools.product(*map(range, sizes)):
        sign = 1
        for (factor, named), place in zip(levels.items(), places, strict=True):
            if factor in wanted:
                level, baseline = wanted[factor]
                sign *= 1 if named[place] == level else -1 if named[place] == baseline else 0
        total += sign * _mean(places, sizes, planted)
        n_others += sign > 0 and all(
            named[place] == wanted[factor][0]
            for (factor, named), place in zip(levels.items(), places, strict=True)
            if factor in wanted
        )
    return total / n_others


if __name__ == "__main__":
    main()
