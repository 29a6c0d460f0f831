"""Sums of what is charged, kept beside the orders so that a limit is one conditional update.

A scope is what a limit speaks of: a run, a campaign's month, the whole ledger's month. The month is that of
sending (UTC), whenever the bill comes. Scopes are always charged in the sequence of their names, after the
order itself was locked: writers must not wait for one another in a circle.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from tasks.ledger.database import insert_new
from tasks.ledger.schema import budgets, orders
from tasks.money import to_nanousd

LEDGER_PER_MONTH = "ledger_per_month_usd"
"""The limit that stands above all campaigns; the others' names are keys of a campaign's ``budget``."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What may be spent; ``None`` is no limit.

    Args:
        per_run_usd: By one run.
        per_month_usd: By one campaign in one calendar month (UTC).
        ledger_per_month_usd: By all campaigns of the ledger in one calendar month (UTC).
    """

    per_run_usd: Decimal | None = None
    per_month_usd: Decimal | None = None
    ledger_per_month_usd: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Scope:
    """One budget: its name in the ledger, and the limit's name in a campaign."""

    name: str
    key: str

    def limit(self, limits: Limits) -> Decimal | None:
        """Find the scope's limit, dollars; ``None`` is no limit."""
        limit: Decimal | None = getattr(limits, self.key)
        return limit


def charge(connection: Connection, scope: str, nanousd: int, limit_usd: Decimal | None) -> bool:
    """Add an amount to a scope, unless that would pass its limit.

    Returns:
        Whether it was added. One statement does both, so it holds between any number of writers.
    """
    update = (
        budgets.update()
        .where(budgets.c.scope == scope)
        .values(charged_nanousd=budgets.c.charged_nanousd + nanousd)
    )
    if limit_usd is not None:
        update = update.where(budgets.c.charged_nanousd + nanousd <= to_nanousd(limit_usd))
    if connection.execute(update).rowcount == 1:
        return True
    ensure(connection, scope)  # only a scope's first order finds no row
    return connection.execute(update).rowcount == 1


def ensure(connection: Connection, scope: str) -> int:
    """Make a scope's row if there is none, and read what it is charged, nano-dollars."""
    connection.execute(insert_new(connection, budgets).values(scope=scope, charged_nanousd=0))
    query = sa.select(budgets.c.charged_nanousd).where(budgets.c.scope == scope)
    return int(connection.execute(query).scalar_one())


def scopes_of(run_id: str, campaign: str, month: str) -> list[Scope]:
    """List the budgets an order weighs on, in the sequence of their names."""
    return [
        Scope(f"month:*:{month}", LEDGER_PER_MONTH),
        Scope(f"month:{campaign}:{month}", "per_month_usd"),
        Scope(f"run:{run_id}", "per_run_usd"),
    ]


def recharge(connection: Connection, changes: Iterable[tuple[sa.Row[Any], int]]) -> None:
    """Write what locked orders weigh from now on, nano-dollars, on themselves and on their budgets."""
    differences: dict[str, int] = {}
    for row, charged in changes:
        update = orders.update().where(orders.c.order_id == row.order_id)
        connection.execute(update.values(charged_nanousd=charged))
        for scope in scopes_of(row.run_id, row.campaign, row.month):
            differences[scope.name] = differences.get(scope.name, 0) + charged - row.charged_nanousd
    for name, difference in sorted(differences.items()):
        if difference:
            charge(connection, name, difference, None)
