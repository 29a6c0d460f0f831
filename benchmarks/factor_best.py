"""How often the best combination is found, from factors and from as many plain arms with twice the pictures.

Scores of a level vary by 0.05, those of two levels together by ``together``, every arm from row to row by
0.03, and pictures by 0.1. One order in ten is refused. Factors choose the combination that is predicted best;
arms the one with the best mean. It is found if it is within 0.02 of the best. ``none made``: the share of
campaigns that found it where the best combination itself was left out of the design.

Run: python -m benchmarks.factor_best [campaigns, default 1000]
"""

import itertools
import sys
from typing import NamedTuple

import numpy as np

from tasks.ab_test.best_combination import find_best
from tasks.ab_test.factor_model import Cell, fit_factors

SIZES = ((2, 2, 2), (3, 4, 2), (2, 2, 2, 2))
ROWS = (4, 12)
PICTURES = (1, 2, 4)
MAIN_SPREAD, PICTURE_SPREAD, ARM_SPREAD, PROMPT_SPREAD = 0.05, 0.1, 0.03, 0.1
TOGETHER = (0.0, 0.02)
REFUSED, NEAR = 0.1, 0.02
Means = dict[tuple[int, ...], float]


class Found(NamedTuple):
    """Whether the best was found: by factors, arms, twice the pictures, and where it was not made."""

    by_factors: bool
    by_arms: bool
    by_twice: bool
    none_made: bool


def main() -> None:
    """Print one line for each design, number of rows and pictures of a cell."""
    campaigns = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000
    print("design   together rows pictures | by factors | by arms | arms of twice the pictures | none made")
    for sizes, together, rows, pictures in itertools.product(SIZES, TOGETHER, ROWS, PICTURES):
        rng = np.random.default_rng([*sizes, rows, pictures])
        found = [
            _campaign(rng, _means(rng, sizes, together), sizes, rows, pictures) for _ in range(campaigns)
        ]
        shares = "   ".join(f"{np.mean(each):6.1%}" for each in zip(*found, strict=True))
        print(f"{'x'.join(map(str, sizes)):8} {together:8} {rows:4} {pictures:8} | {shares}", flush=True)


def _campaign(
    rng: np.random.Generator, means: Means, sizes: tuple[int, ...], rows: int, pictures: int
) -> Found:
    best = max(means, key=lambda places: means[places])
    values = {share: _draw(rng, means, rows, share * pictures) for share in (1, 2)}
    arms = {share: max(means, key=lambda places: _mean(found[places])) for share, found in values.items()}
    picks = {
        name: _by_factors(sizes, {places: row for places, row in values[1].items() if places != left_out})
        for name, left_out in (("all", None), ("none", best))
    }
    near = means[best] - NEAR
    return Found(*(means[one] >= near for one in (picks["all"], arms[1], arms[2], picks["none"])))


def _mean(values: np.ndarray) -> float:
    """Return the mean of what was made; an arm without a picture is last."""
    return -np.inf if np.isnan(values).all() else float(np.nanmean(values))


def _means(rng: np.random.Generator, sizes: tuple[int, ...], together: float) -> Means:
    mains = [rng.normal(0, MAIN_SPREAD, size) for size in sizes]
    pairs = {
        pair: rng.normal(0, together, (sizes[pair[0]], sizes[pair[1]]))
        for pair in itertools.combinations(range(len(sizes)), 2)
    }
    return {
        places: sum(float(main[place]) for main, place in zip(mains, places, strict=True))
        + sum(float(both[places[one], places[other]]) for (one, other), both in pairs.items())
        for places in itertools.product(*map(range, sizes))
    }


def _draw(
    rng: np.random.Generator, means: Means, rows: int, pictures: int
) -> dict[tuple[int, ...], np.ndarray]:
    """Draw each cell's mean; nan where every order was refused."""
    prompts = rng.normal(0.5, PROMPT_SPREAD, rows)
    found = {}
    for places, mean in means.items():
        made = rng.binomial(pictures, 1 - REFUSED, rows)
        usual = prompts + mean + rng.normal(0, ARM_SPREAD, rows)
        noise = rng.normal(0, PICTURE_SPREAD, rows) / np.sqrt(np.maximum(made, 1))
        found[places] = np.where(made, usual + noise, np.nan)
    return found


def _by_factors(sizes: tuple[int, ...], values: dict[tuple[int, ...], np.ndarray]) -> tuple[int, ...]:
    levels = {f"f{factor}": [str(level) for level in range(size)] for factor, size in enumerate(sizes)}
    cells = [
        Cell({f"f{factor}": str(place) for factor, place in enumerate(places)}, row, float(value))
        for places, of_rows in values.items()
        for row, value in enumerate(of_rows)
        if not np.isnan(value)
    ]
    model = fit_factors(cells, levels)
    best = None if model is None else find_best(model, [])
    return next(iter(values)) if best is None else tuple(int(best.levels[name]) for name in levels)


if __name__ == "__main__":
    main()
