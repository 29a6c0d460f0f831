"""How often the intervals of factors' effects hold the truth, and how often an effect is named that is none.

Designs of 2 x 2 x 2, 3 x 4 x 2 and 12 levels, and seven factors of two levels in eight arms, 2^(7-4).
Pictures vary by 0.1 around their prompt; every arm differs from row to row by 0.03, and every level of the
first factor by another 0.03, so that rows matter. One order in ten is refused; a cell without a picture is
missing. Planted: nothing; or +0.1 for the last level of the first factor and, in full designs of several
factors, +0.08 for it together with the last level of the third. ``ceiling``: scores end at 1, where a quarter
of the pictures are.

Figures are shares: of all main effects' intervals that hold the truth, of all interactions'; of campaigns in
which any effect is named that is none, main effect or interaction; in which the planted one is found; and the
share of campaigns in which the interval of the best combination's score holds the truth. Of many kinds of
campaigns that are at 5 % by right, some are above it by chance. So one that is above it by more than its
standard error is measured anew: ``again`` is the share of ten times as many other campaigns.

Run: python -m benchmarks.factor_effects [campaigns, default 1000]; writes its table into benchmarks/README.md
"""

import itertools
import math
import sys
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from typing import NamedTuple

import numpy as np

from benchmarks.figures import write_figures
from tasks.ab_test.best_combination import find_best
from tasks.ab_test.effects import ALPHA, Effect, effects_of, estimate_effects
from tasks.ab_test.factor_model import Cell, fit_factors

ROWS, REPLICATES = (4, 24), (1, 4)
PROMPT_SPREAD, PICTURE_SPREAD, ARM_SPREAD, LEVEL_SPREAD = 0.1, 0.1, 0.03, 0.03
REFUSED = 0.1
MAIN, TOGETHER = 0.1, 0.08
USUAL, NEAR_THE_CEILING = 0.5, 0.88
AGAIN, NOTHING = 10, 1e-9
PROCESSES = 3
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
    campaigns = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000
    lines = [
        "design    levels  rows pictures planted"
        " | held: main, together | falsely named,  again | found | best held"
    ]
    print(lines[0])
    kinds = list(itertools.product(DESIGNS, ROWS, REPLICATES, (0.0, 1.0)))
    falsely: list[list[bool]] = []
    with ProcessPoolExecutor(PROCESSES) as pool:
        found = pool.map(measure, itertools.repeat(campaigns), *zip(*kinds, strict=True))
        for (design, rows, replicates, planted), (figures, of_kind) in zip(kinds, found, strict=True):
            sizes = "x".join(map(str, design.sizes))[:7]
            lines.append(f"{design.name:9} {sizes:7} {rows:4} {replicates:8} {planted:7.0f} | {figures}")
            falsely.append(of_kind)
            print(lines[-1], flush=True)
    write_figures("benchmarks.factor_effects", "\n".join(["```text", *lines, "```", "", _pooled(falsely)]))


def measure(
    campaigns: int, design: Design, rows: int, replicates: int, planted: float
) -> tuple[str, list[bool]]:
    """Simulate campaigns of one kind; returns its shares, and which of them, or of others, name falsely."""
    rng = np.random.default_rng([len(design.arms), rows, replicates, int(planted), int(design.is_cut)])
    held: dict[int, list[bool]] = {1: [], 2: []}
    falsely, found, best_held = [], [], []
    planted_one = (("a",), (f"a{design.sizes[0] - 1}",))
    for _ in range(campaigns):
        cells = draw(rng, design, rows, replicates, planted)
        model = fit_factors(cells, design.levels)
        if model is None:
            continue
        effects = effects_of(model)
        truth = {(one.factors, one.levels): true_effect(one, design, planted) for one in effects}
        for one in effects:
            if one.low is not None and one.high is not None:
                held[len(one.factors)].append(one.low <= truth[one.factors, one.levels] <= one.high)
        named = [one for one in effects if one.matters]
        falsely.append(_is_false(effects, design, planted))
        found.append(any((one.factors, one.levels) == planted_one for one in named))
        best = find_best(cells, design.levels, [])
        if best is not None and best.low is not None and best.high is not None:
            places = tuple(names.index(best.levels[factor]) for factor, names in design.levels.items())
            best_held.append(best.low <= design.expected(places, planted) <= best.high)
    again: list[bool] = []
    if np.mean(falsely) > ALPHA + (ALPHA * (1 - ALPHA) / campaigns) ** 0.5:
        others = np.random.default_rng(
            [1, len(design.arms), rows, replicates, int(planted), int(design.is_cut)]
        )
        for _ in range(AGAIN * campaigns):
            effects = estimate_effects(draw(others, design, rows, replicates, planted), design.levels)
            again.append(_is_false(effects, design, planted))
    shares = "  ".join(
        "      –" if not shares else f"{np.mean(shares):7.1%}"
        for shares in (held[1], held[2], falsely, again, found, best_held)
    )
    return shares, again or falsely


def _pooled(falsely: Sequence[Sequence[bool]]) -> str:
    """Say how many campaigns name an effect that is none, over all kinds, and of the kind with the most."""
    of_all = np.concatenate(falsely)
    worst = max(falsely, key=np.mean)
    shares = [
        (np.mean(one), (np.mean(one) * (1 - np.mean(one)) / len(one)) ** 0.5) for one in (of_all, worst)
    ]
    (share, error), (most, its_error) = shares
    return (
        f"An effect that is none is named in {share:.2%} of {len(of_all):,} campaigns"
        f" (standard error {error:.2%}),"
        f" in the kind with the most in {most:.1%} of {len(worst):,} ({its_error:.1%})."
    )


def _is_false(effects: Sequence[Effect], design: Design, planted: float) -> bool:
    named = (one for one in effects if one.matters)
    return any(abs(true_effect(one, design, planted)) < NOTHING for one in named)


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
        usual = prompts + mean + of_level[places[0]] + rng.normal(0, ARM_SPREAD, rows)
        pictures = rng.normal(usual[:, None], PICTURE_SPREAD, (rows, replicates))
        seen = np.minimum(pictures, 1) if design.is_cut else pictures
        is_made = rng.random((rows, replicates)) >= REFUSED
        for row, (scores, made) in enumerate(zip(seen, is_made, strict=True)):
            own = scores[made]
            if own.size:
                value = float(own.sum() / own.size)
                cells.append(Cell(chosen, row, value, own.size, float(((own - value) ** 2).sum())))
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
