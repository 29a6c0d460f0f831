"""What was spent and what is left, for ``runoff ledger spend``."""

from dataclasses import asdict, dataclass
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from flows.runs.lock import bring_campaign
from tasks.ledger import Ledger
from tasks.ledger.monthly_limit import ledger_per_month_usd
from tasks.ledger.spending import Group
from tasks.settings import Settings
from tasks.storage.home import run_folder


@dataclass(frozen=True)
class MonthBudget:
    """One budget of a calendar month (UTC), dollars; ``None`` is no limit."""

    spent_usd: Decimal
    limit_usd: Decimal | None
    left_usd: Decimal | None


@dataclass(frozen=True)
class MonthBudgets:
    """The budgets of this month: the whole ledger's, and that of each campaign that spent."""

    month: str
    ledger: MonthBudget
    campaigns: dict[str, MonthBudget]


def spending_by(ledger: Ledger, group: Group) -> list[dict[str, Any]]:
    """Sum what was spent by group, as mappings; runs come newest first and with campaign and state."""
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

    Raises:
        SettingError: The ledger's own limit is set to something that is none.
    """
    spent = ledger.spending.month(now)
    folders = {
        run.campaign: run_folder(settings.home, run.campaign, run.run_id)
        for run in reversed(ledger.runs.all())
    }
    return MonthBudgets(
        month=spent.month,
        ledger=_budget(spent.ledger_usd, ledger_per_month_usd(settings.home, settings.environ)),
        campaigns={
            name: _budget(spent_usd, _campaign_limit(bring_campaign(folders[name])))
            for name, spent_usd in spent.campaigns_usd.items()
        },
    )


def _budget(spent_usd: Decimal, limit_usd: Decimal | None) -> MonthBudget:
    left_usd = None if limit_usd is None else max(limit_usd - spent_usd, Decimal(0))
    return MonthBudget(spent_usd, limit_usd, left_usd)


def _campaign_limit(file: Path) -> Decimal | None:
    import yaml

    if not file.exists():
        return None
    budget = yaml.load(file.read_bytes(), yaml.BaseLoader)["budget"]
    said = budget.get("per_month_usd", "null")
    return None if said == "null" else Decimal(said)
