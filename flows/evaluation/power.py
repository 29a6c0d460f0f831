"""How many rows and replicates a campaign needs to find a difference, and what they cost. Spends nothing."""

from collections import Counter
from dataclasses import asdict, dataclass
from decimal import Decimal
from itertools import combinations
from typing import Any

from flows.evaluation.nights import read_nights
from tasks.ab_test.power import (
    FEWEST_ROWS,
    POWER,
    USUAL,
    Spread,
    difference_found,
    main_effect_found,
    measure_spread,
    rows_needed,
)
from tasks.errors import SettingError
from tasks.ledger import has_ledger, open_ledger
from tasks.plan import Plan
from tasks.settings import Settings

REPLICATES = (1, 2, 4, 8, 16)


@dataclass(frozen=True, slots=True)
class Size:
    """One size of a campaign.

    Args:
        replicates: Pictures of each arm and row.
        rows: Rows needed.
        pictures: Drafts of all arms.
        low_usd: Their lowest cost.
    """

    replicates: int
    rows: int
    pictures: int
    low_usd: Decimal


@dataclass(frozen=True, slots=True)
class PowerPlan:
    """What finds a difference in 80 % of campaigns.

    Args:
        difference: The difference of two arms' scores.
        spread: How much scores vary.
        earlier_runs: Runs that the spread was measured in; 0 if it is an assumption.
        sizes: By number of replicates; those that no reasonable number of rows makes up for are left out.
        found_as_planned: The difference that the campaign finds as it is; ``None`` with a single row.
    """

    difference: float
    spread: Spread
    earlier_runs: int
    sizes: tuple[Size, ...]
    found_as_planned: float | None

    def as_dict(self) -> dict[str, Any]:
        """Turn it into JSON values; dollars are text."""
        sizes = [asdict(size) | {"low_usd": f"{size.low_usd:f}"} for size in self.sizes]
        spread = {"rows": self.spread.rows, "pictures": self.spread.pictures}
        return asdict(self) | {"power": POWER, "spread": spread, "sizes": sizes}


def plan_power(plan: Plan, settings: Settings, difference: float) -> PowerPlan:
    """Plan for a difference.

    Args:
        plan: The campaign's plan.
        settings: The home and the environment, for its earlier runs.
        difference: The difference of two arms' scores that is worth finding, above 0.

    Raises:
        SettingError: The campaign has one arm.
    """
    campaign = plan.campaign
    if len(campaign.arms) < 2:
        raise SettingError(
            where=f"{campaign.name}: arms", what="there is one arm", accepted="two arms or more for --power"
        )
    spread, n_runs = _spread(plan, settings)
    n_pairs = len(campaign.arms) * (len(campaign.arms) - 1) // 2
    per_picture_usd = plan.drafts_low_usd / sum(arm.pictures for arm in plan.rounds or plan.arms)
    sizes = []
    for replicates in sorted({*REPLICATES, campaign.drafts.per_prompt}):
        rows = rows_needed(spread, difference, replicates, n_pairs)
        if rows is not None:
            pictures = rows * replicates * len(campaign.arms)
            sizes.append(Size(replicates, rows, pictures, pictures * per_picture_usd))
    found = difference_found(spread, campaign.n_rows, campaign.drafts.per_prompt, n_pairs)
    return PowerPlan(difference, spread, n_runs, tuple(sizes), found)


@dataclass(frozen=True, slots=True)
class FactorPower:
    """What a campaign with factors finds as it is planned, in 80 % of campaigns.

    Args:
        found: By factor, the smallest main effect that is found, of its rarest level.
        earlier_runs: Runs that the spread of scores was measured in; 0 if it is an assumption.
    """

    found: dict[str, float]
    earlier_runs: int

    def state(self) -> str:
        """State it in a sentence."""
        named = ", ".join(f"{factor} {difference:.2f}" for factor, difference in self.found.items())
        runs = f"{self.earlier_runs} earlier run{'s' if self.earlier_runs > 1 else ''}"
        basis = (
            f"with scores that vary as in {runs}" if self.earlier_runs else "with scores that vary as usual"
        )
        return f"Finds these main effects in 80% of campaigns, {basis}: {named}."


def plan_factor_power(plan: Plan, settings: Settings) -> FactorPower | None:
    """Say which main effects a campaign finds as it is; ``None`` without factors, or with a single row.

    Args:
        plan: The campaign's plan.
        settings: The home and the environment, for its earlier runs.
    """
    campaign = plan.campaign
    made, levels = list(campaign.levels_by_arm.values()), campaign.levels_by_factor
    if not made or campaign.n_rows < FEWEST_ROWS:
        return None
    spread, n_runs = _spread(plan, settings)
    n_effects = sum(len(named) - 1 for named in levels.values())
    found = {}
    for factor, (baseline, *others) in levels.items():
        counts = Counter(each[factor] for each in made)
        rarest = min((counts[level] for level in others if counts[level]), default=0)
        if rarest and counts[baseline]:
            arms = (rarest, counts[baseline])
            difference = main_effect_found(
                spread, campaign.n_rows, campaign.drafts.per_prompt, arms, n_effects
            )
            if difference is not None:
                found[factor] = difference
    return FactorPower(found, n_runs) if found else None


def _spread(plan: Plan, settings: Settings) -> tuple[Spread, int]:
    if not has_ledger(settings.home, settings.environ):
        return USUAL, 0
    with open_ledger(settings.home, settings.environ) as ledger:
        nights = read_nights(settings, ledger, plan.campaign)
    pairs = [
        (night.scores[a], night.scores[b])
        for night in nights
        for a, b in combinations(sorted(night.scores), 2)
    ]
    measured = measure_spread(pairs)
    return (USUAL, 0) if measured is None else (measured, len(nights))
