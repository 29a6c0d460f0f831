"""How often the intervals of factors' effects hold the truth, and how often an effect is named that is none.

Designs of 2 x 2 x 2, 3 x 4 x 2 and 12 levels, and seven factors of two levels in eight arms, 2^(7-4).
Pictures vary by 0.1 around their prompt; every arm differs from row to row by 0.03, and every level of the
first factor by another 0.03, so that rows matter. One order in ten is refused; a cell without a picture is
missing. Planted: nothing; or +0.1 for the last level of the first factor and, in full designs of several
factors, +0.08 for it together with the last level of the third. ``ceiling``: scores end at 1, where a quarter
of the pictures are.

Figures are shares: of all main effects' intervals that hold the truth, of all interactions'; of campaigns in
which any effect is named that is none, main effect or interaction; in which the planted one is found; and the
share of campaigns in which the interval of the best combination's score holds the truth.

Run: python -m benchmarks.factor_effects [campaigns, default 2000]
"""

import itertools
import math
import sys
from typing import NamedTuple

import numpy as np

from tasks.ab_test.best_combination import find_best
from tasks.ab_test.effects import Effect, effects_of
from tasks.ab_test.factor_model import Cell, fit_factors

ROWS, REPLICATES = (4, 8, 24), (1, 4)
PROMPT_SPREAD, PICTURE_SPREAD, ARM_SPREAD, LEVEL_SPREAD = 0.1, 0.1, 0.03, 0.03
REFUSED = 0.1
MAIN, TOGETHER = 0.1, 0.08
USUAL, NEAR_THE_CEILING = 0.5, 0.88
Places = tuple[int, ...]


class Design(NamedTuple):
    """A kind of campaign: its factors' sizes, its arms, and what is planted and cut."""

    name: str
    sizes: tuple[int, ...]
    arms: tuple[Places, ...]
    is_cut: bool = False

    @property
    def levels(self) -> dict[str, list[str]]:
        """The names of the levels."""
        return {
            factor: [f"{factor}{place}" for place in range(size)]
            for factor, size in zip("abcdefg", self.sizes, strict=False)
        }

    @property
    def is_full(self) -> bool:
        """Whether every combination is an arm."""
        return len(self.arms) == math.prod(self.sizes)

    def expected(self, places: Places, planted: float) -> float:
        """Return the mean score of a combination over all prompts."""
        is_last = [place == size - 1 for place, size in zip(places, self.sizes, strict=True)]
        together = self.is_full and len(places) > 2 and is_last[0] and is_last[2]
        mean = (NEAR_THE_CEILING if self.is_cut else USUAL) + planted * (
            MAIN * is_last[0] + TOGETHER * together
        )
        return _cut_mean(mean) if self.is_cut else mean


def full(name: str, *sizes: int, is_cut: bool = False) -> Design:
    """Make a design of all combinations."""
    return Design(name, sizes, tuple(itertools.product(*map(range, sizes))), is_cut)


def saturated() -> Design:
    """Make the 2^(7-4): the last four factors are products of the first three."""
    arms = [(a, b, c, a ^ b, a ^ c, b ^ c, a ^ b ^ c) for a, b, c in itertools.product(range(2), repeat=3)]
    return Design("2^(7-4)", (2,) * 7, tuple(arms))


DESIGNS = (
    full("2x2x2", 2, 2, 2),
    full("3x4x2", 3, 4, 2),
    saturated(),
    full("12 levels", 12),
    full("ceiling", 2, 2, 2, is_cut=True),
    full("ceiling", 3, 4, 2, is_cut=True),
)


def main() -> None:
    """Print one line for each design, number of rows, pictures of a cell, and what is planted."""
    campaigns = int(sys.argv[1]) if len(sys.argv) > 1 else 2_000
    print(
        "design    levels  rows pictures planted | held: main, together | falsely named | found | best held"
    )
    for design, rows, replicates, planted in itertools.product(DESIGNS, ROWS, REPLICATES, (0.0, 1.0)):
        sizes = "x".join(map(str, design.sizes))[:7]
        figures = measure(campaigns, design, rows, replicates, planted)
        print(f"{design.name:9} {sizes:7} {rows:4} {replicates:8} {planted:7.0f} | {figures}", flush=True)


def measure(campaigns: int, design: Design, rows: int, replicates: int, planted: float) -> str:
    """Simulate campaigns of one kind; returns its shares as text."""
    rng = np.random.default_rng([len(design.arms), rows, replicates, int(planted), int(design.is_cut)])
    held: dict[int, list[bool]] = {1: [], 2: []}
    falsely, found, best_held = [], [], []
    planted_one = (("a",), (f"a{design.sizes[0] - 1}",))
    for _ in range(campaigns):
        model = fit_factors(draw(rng, design, rows, replicates, planted), design.levels)
        if model is None:
            continue
        effects = effects_of(model)
        truth = {(one.factors, one.levels): true_effect(one, design, planted) for one in effects}
        for one in effects:
            if one.low is not None and one.high is not None:
                held[len(one.factors)].append(one.low <= truth[one.factors, one.levels] <= one.high)
        named = [one for one in effects if one.matters]
        falsely.append(any(abs(truth[one.factors, one.levels]) < 1e-9 for one in named))
        found.append(any((one.factors, one.levels) == planted_one for one in named))
        best = find_best(model, [])
        if best is not None and best.low is not None and best.high is not None:
            places = tuple(names.index(best.levels[factor]) for factor, names in design.levels.items())
            best_held.append(best.low <= design.expected(places, planted) <= best.high)
    return "  ".join(
        "      –" if not shares else f"{np.mean(shares):7.1%}"
        for shares in (held[1], held[2], falsely, found, best_held)
    )


def draw(rng: np.random.Generator, design: Design, rows: int, replicates: int, planted: float) -> list[Cell]:
    """Draw the cells of one campaign."""
    latent = Design(design.name, design.sizes, design.arms)
    lift = NEAR_THE_CEILING - USUAL if design.is_cut else 0.0
    prompts = rng.normal(0, PROMPT_SPREAD, rows)
    of_level = rng.normal(0, LEVEL_SPREAD, (design.sizes[0], rows))
    names, cells = design.levels, []
    for places in design.arms:
        mean = latent.expected(places, planted) + lift
        chosen = {factor: names[factor][place] for factor, place in zip(names, places, strict=True)}
        for row in range(rows):
            made = rng.binomial(replicates, 1 - REFUSED)
            usual = prompts[row] + mean + of_level[places[0], row] + rng.normal(0, ARM_SPREAD)
            pictures = rng.normal(usual, PICTURE_SPREAD, made)
            seen = np.minimum(pictures, 1) if design.is_cut else pictures
            if made:
                cells.append(Cell(chosen, row, float(seen.mean())))
    return cells


def _cut_mean(mean: float) -> float:
    """Return the mean of a normal score that ends at 1."""
    spread = math.hypot(PROMPT_SPREAD, PICTURE_SPREAD, ARM_SPREAD, LEVEL_SPREAD)
    reach = (1 - mean) / spread
    below = 0.5 * math.erfc(-reach / 2**0.5)
    density = math.exp(-(reach**2) / 2) / (2 * math.pi) ** 0.5
    return float(mean * below - spread * density + 1 - below)


def true_effect(effect: Effect, design: Design, planted: float) -> float:
    """Return an effect's true difference: by levels, averaged over the other factors."""
    names = design.levels
    wanted = dict(zip(effect.factors, zip(effect.levels, effect.baselines, strict=True), strict=True))
    factors = [*wanted]
    others = [range(len(names[factor])) for factor in names if factor not in wanted]
    total = 0.0
    for picks in itertools.product(range(2), repeat=len(factors)):
        for rest in itertools.product(*others):
            left = iter(rest)
            places = tuple(
                named.index(wanted[factor][picks[factors.index(factor)]]) if factor in wanted else next(left)
                for factor, named in names.items()
            )
            total += (-1) ** sum(picks) * design.expected(places, planted)
    return total / math.prod(map(len, others))


if __name__ == "__main__":
    main()
