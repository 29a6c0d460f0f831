"""The error rates and the power of the A/B test, on simulated campaigns.

The truth of each campaign is known: prompts of unequal difficulty (standard deviation 0.1 of score), pictures
that vary by 0.1 around their prompt, and arms whose effect differs from prompt to prompt by ``unlike``. With
``graded`` scores each picture has 0, 1/3, 2/3 or 1, as from a judge's few statements. For equal arms the
benchmark counts false wins (target 5 %) and how often the 95 % interval contains the truth (93 to 97 %); for
arms 0.05 apart, how often the better one is found with how many pictures, compared with an oracle, a z-test
that knows the true variances. With five equal arms it counts campaigns in which one is reported to win. Then
come awkward scores (``benchmarks.ab_awkward``), and nights (``benchmarks.ab_nights``).

Run: python -m benchmarks.ab_verdict [campaigns, default 1000]
"""

import sys
import time
from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from benchmarks.ab_awkward import print_awkward
from benchmarks.ab_nights import print_nights
from tasks.ab_test.evidence import ScoredDraft
from tasks.ab_test.result import NOT_ENOUGH
from tasks.ab_test.verdict import compare_arms

PROMPT_SPREAD = PICTURE_SPREAD = 0.1
LIFT = 0.05
ROWS = (1, 2, 3, 6, 12, 30)
REPLICATES = (2, 4, 16)
UNLIKE = (0.0, 0.03, 0.1)
POWER_UNLIKE = 0.03

Floats = NDArray[np.float64]
Scores = Callable[[np.random.Generator, Floats, int], Floats]


def main() -> None:
    """Print the tables, then how long a large campaign takes."""
    campaigns = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000
    print("equal arms        | false wins / interval holds")
    print("rows   replicates | " + "   ".join(f"unlike {unlike:4}" for unlike in UNLIKE) + "   graded, 0.1")
    for rows in ROWS:
        for replicates in REPLICATES:
            print(f"{rows:4} {replicates:12} | " + "   ".join(_errors(campaigns, rows, replicates)))
    print(f"five equal arms, 6 rows, 4 a prompt: any win in {any_win(campaigns):.1%}")
    print(f"arms {LIFT} apart, unlike {POWER_UNLIKE} | found  oracle, by replicates")
    for rows in ROWS:
        print(
            f"{rows:4} rows | " + "   ".join(_power(campaigns, rows, replicates) for replicates in REPLICATES)
        )
    drafts = list(draw(np.random.default_rng(0), rows=625, replicates=8))
    started = time.perf_counter()
    compare_arms(drafts)
    print(f"{len(drafts):,} candidates: {time.perf_counter() - started:.2f} s")
    print_awkward(campaigns)
    print_nights(max(campaigns // 5, 20))  # each is looked at on thirty mornings


def _errors(campaigns: int, rows: int, replicates: int) -> Iterator[str]:
    """Write one line of the table; the interaction of arm and row is not identifiable within one row."""
    kinds: list[tuple[float, Scores]] = [(unlike, spread_scores) for unlike in UNLIKE]
    for index, (unlike, kind) in enumerate([*kinds, (0.1, graded_scores)]):
        if rows == 1 and unlike:
            yield "    –      "
            continue
        rng = np.random.default_rng([rows, replicates, index])
        wins, holds = measure_errors(rng, campaigns, rows, replicates, unlike, kind)
        yield f"{wins:5.1%} {holds:5.1%}"


def _power(campaigns: int, rows: int, replicates: int) -> str:
    unlike = POWER_UNLIKE if rows > 1 else 0.0
    found = measure_power(np.random.default_rng([rows, replicates]), campaigns, rows, replicates, unlike)
    return f"{found:5.1%} {oracle_power(rows, replicates, unlike):6.1%}"


def spread_scores(rng: np.random.Generator, means: Floats, replicates: int) -> Floats:
    """Draw scores around each row's mean."""
    return means[:, None] + rng.normal(0, PICTURE_SPREAD, (means.size, replicates))


def graded_scores(rng: np.random.Generator, means: Floats, replicates: int) -> Floats:
    """Draw scores of four grades with each row's mean."""
    chances = np.clip(means, 0, 1)[:, None]
    return rng.binomial(3, chances, (means.size, replicates)) / 3


def draw(
    rng: np.random.Generator,
    rows: int,
    replicates: int,
    unlike: float = 0.0,
    lift: float = 0.0,
    kind: Scores = spread_scores,
    arms: Sequence[str] = "AB",
) -> Iterator[ScoredDraft]:
    """Draw one campaign; B is better by ``lift``."""
    prompts = rng.normal(0.5, PROMPT_SPREAD, rows)
    for arm in arms:
        means = prompts + rng.normal(0, unlike, rows) + (lift if arm == "B" else 0)
        for (row, replicate), score in np.ndenumerate(kind(rng, means, replicates)):
            name = f"{arm}-{row}-{replicate}"
            yield ScoredDraft(
                name, arm, row, replicate, "received", Decimal("0.01"), name, "survivor", float(score)
            )


def measure_errors(
    rng: np.random.Generator,
    campaigns: int,
    rows: int,
    replicates: int,
    unlike: float,
    kind: Scores = spread_scores,
) -> tuple[float, float]:
    """Return the share of campaigns of equal arms with a winner, and of intervals that contain zero."""
    wins = holds = reported = 0
    for _ in range(campaigns):
        (pair,) = compare_arms(list(draw(rng, rows, replicates, unlike, kind=kind))).pairs
        wins += pair.verdict != NOT_ENOUGH
        reported += pair.low is not None
        holds += pair.low is not None and pair.high is not None and pair.low <= 0 <= pair.high
    return wins / campaigns, holds / reported


def any_win(campaigns: int) -> float:
    """Return in how many campaigns of five equal arms one is reported to beat another."""
    rng = np.random.default_rng(5)
    tests = (compare_arms(list(draw(rng, 6, 4, POWER_UNLIKE, arms="ABCDE"))) for _ in range(campaigns))
    return sum(any(pair.verdict != NOT_ENOUGH for pair in test.pairs) for test in tests) / campaigns


def measure_power(
    rng: np.random.Generator, campaigns: int, rows: int, replicates: int, unlike: float
) -> float:
    """Return how often B wins when it is better by ``LIFT``."""
    verdicts = [
        compare_arms(list(draw(rng, rows, replicates, unlike, LIFT))).pairs[0].verdict
        for _ in range(campaigns)
    ]
    return verdicts.count("B wins") / campaigns


def oracle_power(rows: int, replicates: int, unlike: float) -> float:
    """Return how often a two-sided z-test at 5 % finds ``LIFT`` when it knows every variance."""
    error = np.sqrt(2 * (PICTURE_SPREAD**2 / replicates + unlike**2) / rows)
    return float(stats.norm.sf(stats.norm.isf(0.025) - LIFT / error))


if __name__ == "__main__":
    main()
