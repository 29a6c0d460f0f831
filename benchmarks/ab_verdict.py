"""How often the A/B test is wrong, and how often it finds what is there.

Campaigns are drawn whose truth is known: prompts of uneven luck (standard deviation 0.1 of score), pictures
that vary by 0.1 around their prompt, and arms that behave ``unlike`` from prompt to prompt. For equal arms it
counts false wins (5 % is the aim) and how often the 95 % interval holds the truth; for arms 0.05 apart, how
often the better one is found, against an oracle: a z-test that is told the true variances.

Run: python -m benchmarks.ab_verdict [campaigns, default 1000]
"""

import sys
import time
from collections.abc import Iterator
from decimal import Decimal

import numpy as np
from scipy import stats

from tasks.ab_test import NOT_ENOUGH, ScoredDraft, compare_arms

PROMPT_SPREAD = PICTURE_SPREAD = 0.1
LIFT = 0.05
SHAPES = [(1, 16), (2, 8), (3, 8), (6, 1), (6, 4), (12, 8), (30, 4)]
UNLIKE = [0.0, 0.03, 0.1]


def main() -> None:
    """Print the table, then how long a large campaign takes."""
    campaigns = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000
    print("rows replicates unlike | false wins  interval holds | found at +0.05  oracle")
    for rows, replicates in SHAPES:
        for unlike in UNLIKE if rows > 1 else UNLIKE[:1]:
            rng = np.random.default_rng([rows, replicates, int(unlike * 100)])
            wins, holds = measure_errors(rng, campaigns, rows, replicates, unlike)
            found = measure_power(rng, campaigns, rows, replicates, unlike)
            print(
                f"{rows:4} {replicates:10} {unlike:6} | {wins:10.1%} {holds:15.1%} |"
                f" {found:14.1%} {oracle_power(rows, replicates, unlike):7.1%}"
            )
    drafts = list(draw(np.random.default_rng(0), rows=625, replicates=8))
    started = time.perf_counter()
    compare_arms(drafts)
    print(f"{len(drafts):,} candidates, 2,000 resamples: {time.perf_counter() - started:.2f} s")


def draw(
    rng: np.random.Generator, rows: int, replicates: int, unlike: float = 0.0, lift: float = 0.0
) -> Iterator[ScoredDraft]:
    """Draw one campaign of two arms; B is better by ``lift``."""
    prompts = rng.normal(0.5, PROMPT_SPREAD, rows)
    for arm in "AB":
        means = prompts + rng.normal(0, unlike, rows) + (lift if arm == "B" else 0)
        scores = means[:, None] + rng.normal(0, PICTURE_SPREAD, (rows, replicates))
        for (row, replicate), score in np.ndenumerate(scores):
            name = f"{arm}-{row}-{replicate}"
            yield ScoredDraft(
                name, arm, row, replicate, "received", Decimal("0.01"), name, "survivor", float(score)
            )


def measure_errors(
    rng: np.random.Generator, campaigns: int, rows: int, replicates: int, unlike: float
) -> tuple[float, float]:
    """Among campaigns of equal arms, return the shares with a winner and with zero inside the interval."""
    wins = holds = 0
    for _ in range(campaigns):
        (pair,) = compare_arms(list(draw(rng, rows, replicates, unlike))).pairs
        wins += pair.verdict != NOT_ENOUGH
        holds += pair.low is not None and pair.high is not None and pair.low <= 0 <= pair.high
    return wins / campaigns, holds / campaigns


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
