"""The nights of one campaign, looked at every morning: false wins, coverage and power, simulated.

Two arms make three pictures of the same rows every night. Pictures vary by 0.1, the arms' effect differs from
row to row by ``unlike``, the same on all nights, and from night to night by ``nights``. A look stops
at the first winner. Given are, over thirty looks: how often equal arms have a winner by the anytime interval
(at most 5 %), by the plain one, and by a plan for just thirty nights (Pocock's constant level); how often the
anytime interval contains the truth on all mornings together; and how often the better of two arms 0.05 apart
is found by the thirtieth night, and after how many nights in half of the campaigns, by the anytime interval
and by the plan. Then drift: how often it is told falsely of one arm over thirty mornings, and how often a
change by 0.1 after ten nights is told by the twentieth.

Run: python -m benchmarks.ab_nights [campaigns, default 300]
"""

import sys
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from tasks.ab_test.drift import find_shift
from tasks.ab_test.nights import pool_nights
from tasks.ab_test.paired_rows import RowDifference

LOOKS = 30
REPLICATES = 3
PICTURE_SPREAD = 0.1
LIFT = 0.05
POCOCK_30 = 0.0065
"""Two-sided level of each of thirty equally spaced looks; ``pocock_level`` computes it."""
SETTINGS = [
    (rows, unlike, nights) for rows in (3, 6, 12, 40) for unlike, nights in ((0, 0), (0.05, 0), (0.05, 0.03))
]

Floats = NDArray[np.float64]


class Path(NamedTuple):
    """What 30 mornings of one campaign said: by plain, anytime and planned interval whether an arm wins."""

    plain: list[bool]
    anytime: list[bool]
    planned: list[bool]
    always_holds: bool


def draw(rng: np.random.Generator, rows: int, unlike: float, nights: float, lift: float) -> Floats:
    """Draw the differences, shape (nights, rows)."""
    of_rows, of_nights = rng.normal(lift, 2**0.5 * unlike, rows), rng.normal(0, nights, (LOOKS, 1))
    noise = rng.normal(0, PICTURE_SPREAD * (2 / REPLICATES) ** 0.5, (LOOKS, rows))
    drawn: Floats = of_rows + of_nights + noise
    return drawn


def look_every_morning(differences: Floats, truth: float) -> Path:
    """Look after each night."""
    path = Path([], [], [], True)
    holds = True
    for n_nights in range(1, LOOKS + 1):
        pooled = pool_nights(differences[:n_nights], REPLICATES)
        assert pooled is not None
        path.plain.append(_wins(pooled.plain))
        path.anytime.append(_wins(pooled.anytime))
        path.planned.append((pooled.plain.p_value or 1.0) <= POCOCK_30)
        low, high = pooled.anytime.low, pooled.anytime.high
        holds &= low is None or high is None or low <= truth <= high
    return path._replace(always_holds=holds)


def _wins(found: RowDifference) -> bool:
    return found.low is not None and found.high is not None and not found.low <= 0 <= found.high


def describe(paths: list[Path], *, name: str) -> str:
    """Say how often an arm wins, and after how many nights in half of the campaigns."""
    looks = np.array([getattr(path, name) for path in paths])
    by_night = np.maximum.accumulate(looks, axis=1).mean(axis=0)
    half = np.flatnonzero(by_night >= 0.5)
    return f"{by_night[-1]:6.1%} {int(half[0]) + 1 if half.size else '–':>3}"


def pocock_level(paths: int = 20_000) -> float:
    """Compute the level of ``POCOCK_30`` again."""
    steps = np.random.default_rng(1).normal(size=(paths, LOOKS)).cumsum(axis=1)
    highest = np.abs(steps / np.arange(1, LOOKS + 1) ** 0.5).max(axis=1)
    return float(2 * stats.norm.sf(np.quantile(highest, 0.95)))


def main() -> None:
    """Print the tables."""
    print_nights(int(sys.argv[1]) if len(sys.argv) > 1 else 300)


def print_nights(campaigns: int) -> None:
    """Print the tables of so many campaigns for each figure."""
    print(f"level of 30 looks: {pocock_level():.4f}")
    print("rows unlike nights | equal: anytime  plain  planned 30 | always holds | 0.05 apart: found, nights")
    for rows, unlike, nights in SETTINGS:
        rng = np.random.default_rng([rows, round(100 * unlike), round(100 * nights)])
        equal, better = (
            [look_every_morning(draw(rng, rows, unlike, nights, lift), lift) for _ in range(campaigns)]
            for lift in (0.0, LIFT)
        )
        false = "  ".join(describe(equal, name=name)[:6] for name in ("anytime", "plain", "planned"))
        holds = np.mean([path.always_holds for path in better])
        found = "   ".join(describe(better, name=name) for name in ("anytime", "planned"))
        print(f"{rows:4} {unlike:6} {nights:6} | {false} | {holds:6.1%} | {found}", flush=True)
    print("rows nights | drift told falsely, of a change by 0.1")
    for rows, nights in ((6, 0.0), (6, 0.03), (40, 0.0), (40, 0.03)):
        print(f"{rows:4} {nights:6} | {_drift(campaigns, rows, nights)}", flush=True)


def _drift(campaigns: int, rows: int, nights: float) -> str:
    rng = np.random.default_rng([rows, round(100 * nights), 1])
    steady = [draw(rng, rows, 0.1, nights, 0.5) for _ in range(campaigns)]
    false = np.mean([any(find_shift(one[:look]) for look in range(1, LOOKS + 1)) for one in steady])
    changed = [one[:20] - 0.1 * (np.arange(20) >= 10)[:, None] for one in steady]
    told = np.mean([any(find_shift(one[:look]) for look in range(11, 21)) for one in changed])
    return f"{false:6.1%}   {told:6.1%}"


if __name__ == "__main__":
    main()
