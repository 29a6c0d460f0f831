"""Scored drafts of campaigns, by hand and simulated, for tests of the verdict."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal

import numpy as np

from tasks.ab_test.evidence import ScoredDraft

CENT = Decimal("0.01")


def a_scored(arm: str, row: int, replicate: int, score: float | None, **changes: object) -> ScoredDraft:
    """Make a received, surviving draft that cost a cent."""
    name = f"{arm}-{row}-{replicate}"
    draft = ScoredDraft(f"o-{name}", arm, row, replicate, "received", CENT, f"c-{name}", "survivor", score)
    return replace(draft, **changes)  # type: ignore[arg-type]


def a_campaign(scores: Mapping[str, Sequence[Sequence[float | None]]]) -> list[ScoredDraft]:
    """Make the drafts of a table: arm to rows of scores."""
    return [
        a_scored(arm, row, replicate, score)
        for arm, rows in scores.items()
        for row, values in enumerate(rows)
        for replicate, score in enumerate(values)
    ]


def simulate(
    rng: np.random.Generator,
    rows: int,
    replicates: int,
    lift: float = 0.0,
    unlike: float = 0.0,
    arms: str = "AB",
) -> list[ScoredDraft]:
    """Make a campaign whose last arm is better by ``lift``, and behaves ``unlike`` from row to row."""
    prompts = rng.normal(0.5, 0.1, rows)
    means = {arm: prompts + rng.normal(0, unlike, rows) + (lift if arm == arms[-1] else 0) for arm in arms}
    noise = {arm: rng.normal(0, 0.1, (rows, replicates)) for arm in arms}
    return a_campaign({arm: np.clip(means[arm][:, None] + noise[arm], 0, 1).tolist() for arm in arms})
