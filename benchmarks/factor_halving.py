"""How often halving finds the best combination, and with how many drafts: over arms, and over levels.

Scores of a level vary by 0.05, those of two levels together by ``together``, every arm from row to row by
0.03, and pictures by 0.1. The best is found if the leader in the end is within 0.02 of it. ``bought`` is the
share of the drafts that ``fixed`` buys.

Run: python -m benchmarks.factor_halving [campaigns, default 300]
"""

import itertools
import sys

import numpy as np

from tasks.ab_test.evidence import ScoredDraft
from tasks.allocate import ArmsOfLevels, allocate
from tasks.campaign.rounds import RoundDecision, is_complete, passes_of, plan_rounds

SIZES, N_ROWS, PER_PROMPT = ((2, 2, 2), (3, 4, 2)), (4, 12), 6
MAIN_SPREAD, PICTURE_SPREAD, ARM_SPREAD, NEAR = 0.05, 0.1, 0.03, 0.02
Names = tuple[str, ...]


def main() -> None:
    """Print one line for each design, number of rows, and how much levels work together."""
    campaigns = int(sys.argv[1]) if len(sys.argv) > 1 else 300
    print("design  rows together | over arms: found bought | over levels: found bought")
    for sizes, rows, together in itertools.product(SIZES, N_ROWS, (0.0, 0.02)):
        found: dict[bool, list[tuple[bool, float]]] = {False: [], True: []}
        for seed in range(campaigns):
            for by_levels in (False, True):
                rng = np.random.default_rng([*sizes, rows, seed])
                found[by_levels].append(_campaign(rng, sizes, rows, together, by_levels=by_levels))
        shares = "   ".join(
            f"{np.mean([one[0] for one in each]):6.1%} {np.mean([one[1] for one in each]):6.1%}"
            for each in found.values()
        )
        print(f"{'x'.join(map(str, sizes)):7} {rows:4} {together:8} | {shares}", flush=True)


def _campaign(
    rng: np.random.Generator, sizes: tuple[int, ...], n_rows: int, together: float, *, by_levels: bool
) -> tuple[bool, float]:
    levels = {f"f{n}": [f"{n}{place}" for place in range(size)] for n, size in enumerate(sizes)}
    by_arm = {
        "_".join(each): dict(zip(levels, each, strict=True)) for each in itertools.product(*levels.values())
    }
    mains = {level: float(rng.normal(0, MAIN_SPREAD)) for named in levels.values() for level in named}
    pairs: dict[Names, float] = {}
    for one, other in itertools.combinations(levels.values(), 2):
        pairs |= {pair: float(rng.normal(0, together)) for pair in itertools.product(one, other)}
    means = {
        arm: sum(mains[level] for level in own.values())
        + sum(pairs[pair] for pair in itertools.combinations(own.values(), 2))
        for arm, own in by_arm.items()
    }
    of_cell = {(arm, row): rng.normal(0, ARM_SPREAD) for arm in by_arm for row in range(n_rows)}
    rounds = plan_rounds(len(by_arm), PER_PROMPT, "halving")
    decided: list[RoundDecision] = []
    scored: list[ScoredDraft] = []
    made_of = ArmsOfLevels(levels, by_arm) if by_levels else None
    while True:
        this = passes_of(rounds, list(by_arm), decided)[-1]
        for arm, row, place in itertools.product(this.arms, range(n_rows), range(this.replicates)):
            score = 0.5 + means[arm] + of_cell[arm, row] + rng.normal(0, PICTURE_SPREAD)
            name, replicate = f"{arm}{row}{this.first_replicate + place}", this.first_replicate + place
            scored.append(
                ScoredDraft(
                    name, arm, row, replicate, "received", None, name, "survivor", score, cluster=name
                )
            )
        if is_complete(rounds, decided):
            break
        decision = allocate(scored, this.arms, rounds, number=len(decided) + 1, made_of=made_of)
        assert decision is not None
        decided.append(decision)
    first = decided[-1].standings[0].arm
    return means[first] >= max(means.values()) - NEAR, len(scored) / (len(by_arm) * n_rows * PER_PROMPT)


if __name__ == "__main__":
    main()
