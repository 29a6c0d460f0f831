"""Budgets: what a run, a campaign's month and the whole ledger's month have spent and have left."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Literal

from flows.runs.campaign import run_budget
from tasks.campaign import Campaign
from tasks.ledger import Ledger
from tasks.ledger.monthly_limit import ledger_per_month_usd
from tasks.ledger.spending import Group, MonthSpent
from tasks.ledger.spending_limits import lower_of
from tasks.settings import Settings

BudgetOf = Literal["run", "campaign", "ledger"]
"""Whose budget it is; those of a campaign and of the ledger are per calendar month (UTC)."""


@dataclass(frozen=True)
class Balance:
    """The state of one budget, dollars; without a limit ``limit_usd`` and ``left_usd`` are ``None``."""

    spent_usd: Decimal
    limit_usd: Decimal | None
    left_usd: Decimal | None

    @classmethod
    def of(cls, spent_usd: Decimal, limit_usd: Decimal | None) -> "Balance":
        """Compute what is left of a limit, at least 0."""
        left_usd = None if limit_usd is None else max(limit_usd - spent_usd, Decimal(0))
        return cls(spent_usd, limit_usd, left_usd)


@dataclass(frozen=True)
class Remaining:
    """What one limited budget has left, dollars."""

    of: BudgetOf
    left_usd: Decimal
    limit_usd: Decimal


@dataclass(frozen=True)
class MonthBudgets:
    """The budgets of this month: the whole ledger's, and that of each campaign that spent."""

    month: str
    ledger: Balance
    campaigns: dict[str, Balance]


def spending_by(ledger: Ledger, group: Group) -> list[dict[str, Any]]:
    """Sum what was spent by group, as mappings; runs are newest first, with campaign and state."""
    groups = [asdict(spent) for spent in ledger.spending.by(group)]
    if group != "run":
        return groups
    by_id = {facts["name"]: facts for facts in groups}
    return [
        {**by_id[run.run_id], "campaign": run.campaign, "state": run.state}
        for run in ledger.runs.all()
        if run.run_id in by_id
    ]


def month_budgets(ledger: Ledger, settings: Settings, now: datetime) -> MonthBudgets:
    """Read what this month is charged and may still be charged.

    A campaign's limit is that of its newest run.

    Args:
        ledger: The ledger.
        settings: The home and the environment.
        now: Aware time, whose UTC month counts.

    Raises:
        SettingError: The ledger's own limit is not an amount.
    """
    spent = ledger.spending.month(now)
    newest = {run.campaign: run for run in reversed(ledger.runs.all())}
    budgets = {name: run_budget(settings.home, newest[name]) for name in spent.campaigns_usd}
    here_usd = ledger_per_month_usd(settings.home, settings.environ)
    limit_usd = lower_of(here_usd, ledger.spending_limits.per_month_usd())
    return MonthBudgets(
        month=spent.month,
        ledger=Balance.of(spent.ledger_usd, limit_usd),
        campaigns={
            name: Balance.of(spent_usd, budget.per_month_usd if (budget := budgets[name]) else None)
            for name, spent_usd in spent.campaigns_usd.items()
        },
    )


@dataclass(frozen=True)
class LeftOfMonth:
    """What is left of this month's limits, dollars; ``None`` without a limit, or if it is not known."""

    campaign_usd: Decimal | None
    ledger_usd: Decimal | None


def left_of_month(
    campaign: Campaign, ledger_limit_usd: Decimal | None, spent: MonthSpent | None
) -> LeftOfMonth:
    """Compute what a plan's campaign has left of this month's limits.

    Args:
        campaign: The campaign.
        ledger_limit_usd: What all campaigns may spend in a month, dollars; ``None`` for no limit.
        spent: What this month was charged; ``None`` if that is not known.
    """
    if spent is None:
        return LeftOfMonth(None, None)
    own_usd = spent.campaigns_usd.get(campaign.name, Decimal(0))
    return LeftOfMonth(
        Balance.of(own_usd, campaign.budget.per_month_usd).left_usd,
        Balance.of(spent.ledger_usd, ledger_limit_usd).left_usd,
    )


def remaining_of_month(
    ledger: Ledger, campaign: Campaign, ledger_limit_usd: Decimal | None, now: datetime
) -> list[Remaining]:
    """List the monthly limits that apply to a campaign's next run, with what each has left.

    Args:
        ledger: The ledger.
        campaign: The campaign.
        ledger_limit_usd: What this machine lets the whole ledger spend in a month, dollars; the ledger's own
            limit counts too.
        now: Aware time; its UTC month counts.
    """
    spent = ledger.spending.month(now)
    of_campaign = Balance.of(
        spent.campaigns_usd.get(campaign.name, Decimal(0)), campaign.budget.per_month_usd
    )
    limit_usd = lower_of(ledger_limit_usd, ledger.spending_limits.per_month_usd())
    return _limited({"campaign": of_campaign, "ledger": Balance.of(spent.ledger_usd, limit_usd)})


def remaining_of_run(ledger: Ledger, campaign: Campaign, run_id: str) -> Remaining:
    """Return what a run has left of its own budget.

    Args:
        ledger: The ledger.
        campaign: The campaign.
        run_id: The run.
    """
    balance = Balance.of(ledger.orders.charged_usd(run_id), campaign.budget.per_run_usd)
    (remaining,) = _limited({"run": balance})
    return remaining


def _limited(balances: Mapping[BudgetOf, Balance]) -> list[Remaining]:
    return [
        Remaining(of, balance.left_usd, balance.limit_usd)
        for of, balance in balances.items()
        if balance.left_usd is not None and balance.limit_usd is not None
    ]
