"""Sums of what orders are charged, by run, campaign, month and so on. All sums are exact."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal, get_args

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from tasks.errors import LedgerError
from tasks.ledger.database import Database, reconnecting
from tasks.ledger.looking import looking_into
from tasks.ledger.order_rows import estimated_nanousd
from tasks.ledger.schema import budgets, orders
from tasks.money import from_nanousd
from tasks.storage.home import paid_runs

Group = Literal["run", "month", "campaign", "provider", "model", "arm", "day"]
GROUPS: tuple[Group, ...] = get_args(Group)


@dataclass(frozen=True, slots=True)
class Spent:
    """What the orders of one group are charged.

    Args:
        name: The run, the month ``YYYY-MM`` or day ``YYYY-MM-DD`` of sending (UTC), and so on.
        n_orders: The number of orders sent.
        spent_usd: What they are charged: known costs, and estimates for unknown ones.
        unknown_usd: The part of it that is estimates: of orders sent, unknown, or billed an unknown amount.
    """

    name: str
    n_orders: int
    spent_usd: Decimal
    unknown_usd: Decimal


@dataclass(frozen=True, slots=True)
class MonthSpent:
    """What is spent or reserved in one calendar month (UTC).

    Args:
        month: ``YYYY-MM``.
        ledger_usd: By all campaigns.
        campaigns_usd: By each campaign that sent orders.
    """

    month: str
    ledger_usd: Decimal
    campaigns_usd: Mapping[str, Decimal]


@reconnecting
class Spending:
    """The sums of one ledger."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def by(self, group: Group) -> list[Spent]:
        """Sum all orders ever sent, by group, sorted by group name."""
        name = _name(group)
        sums = sa.func.sum(orders.c.charged_nanousd), sa.func.sum(estimated_nanousd())
        query = sa.select(name, sa.func.count(), *sums).where(orders.c.n_sends > 0).group_by(name)
        with self._database.read() as connection:
            found = [
                Spent(str(key), count, from_nanousd(int(spent)), from_nanousd(int(unknown)))
                for key, count, spent, unknown in connection.execute(query)
            ]
        return sorted(found, key=lambda spent: spent.name)

    def month(self, now: datetime) -> MonthSpent:
        """Read the charges so far in the month of ``now`` (aware)."""
        with self._database.read() as connection:
            return _month(connection, now)


def _month(connection: Connection, now: datetime) -> MonthSpent:
    month = f"{now.astimezone(UTC):%Y-%m}"
    query = sa.select(budgets).where(budgets.c.scope.like(f"month:%:{month}"))
    sums = {row.scope.split(":")[1]: from_nanousd(row.charged_nanousd) for row in connection.execute(query)}
    ledger_usd = sums.pop("*", Decimal(0))
    return MonthSpent(month, ledger_usd, dict(sorted(sums.items())))


def known_month(home: Path, environ: Mapping[str, str], now: datetime) -> MonthSpent | None:
    """Read this month's charges for a plan; ``None`` if they are not known, as when the ledger is away.

    Neither creates nor migrates the ledger. Where there is none, and no paid picture, nothing was spent.

    Args:
        home: Runoff's home.
        environ: The environment.
        now: Aware time, whose UTC month counts.
    """
    nothing = MonthSpent(f"{now.astimezone(UTC):%Y-%m}", Decimal(0), {})
    with suppress(LedgerError), looking_into(home, environ) as connection:
        if connection is None:
            return None if any(paid_runs(home)) else nothing
        return _month(connection, now) if sa.inspect(connection).has_table(budgets.name) else nothing
    return None


def _name(group: Group) -> sa.ColumnElement[Any]:
    names: dict[Group, sa.ColumnElement[Any]] = {
        "run": orders.c.run_id,
        "month": orders.c.month,
        "campaign": orders.c.campaign,
        "model": orders.c.parameters["model"].as_string(),
        "arm": orders.c.arm,
        "provider": orders.c.provider,
        "day": sa.func.date(orders.c.sent_at, type_=sa.String()),
    }
    return names[group]
