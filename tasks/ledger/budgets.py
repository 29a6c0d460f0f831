"""Sums of what is charged, kept beside the orders so that a limit is one conditional update.

A scope is what a limit speaks of: a run, a campaign's month, the whole ledger's month.
"""

from dataclasses import dataclass
from decimal import Decimal
from typing import Protocol

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Connection

from tasks.ledger.schema import budgets
from tasks.money import to_nanousd


class HasLimits(Protocol):
    """What a scope looks its limit up in."""

    @property
    def per_run_usd(self) -> Decimal | None:
        """Dollars by one run."""

    @property
    def per_month_usd(self) -> Decimal | None:
        """Dollars by one campaign in a calendar month."""

    @property
    def ledger_per_month_usd(self) -> Decimal | None:
        """Dollars by the whole ledger in a calendar month."""


@dataclass(frozen=True, slots=True)
class Scope:
    """One budget: its name in the ledger, and the limit's name in a campaign."""

    name: str
    key: str

    def limit(self, limits: HasLimits) -> Decimal | None:
        """Find the scope's limit, dollars; ``None`` is no limit."""
        limit: Decimal | None = getattr(limits, self.key)
        return limit


def charge(connection: Connection, scope: str, nanousd: int, limit_usd: Decimal | None) -> bool:
    """Add an amount to a scope, unless that would pass its limit.

    Returns:
        Whether it was added. One statement does both, so it holds between any number of writers.
    """
    ensure(connection, scope)
    update = (
        budgets.update()
        .where(budgets.c.scope == scope)
        .values(charged_nanousd=budgets.c.charged_nanousd + nanousd)
    )
    if limit_usd is not None:
        update = update.where(budgets.c.charged_nanousd + nanousd <= to_nanousd(limit_usd))
    return connection.execute(update).rowcount == 1


def ensure(connection: Connection, scope: str) -> int:
    """Make a scope's row if there is none, and read what it is charged, nano-dollars."""
    insert = sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert
    connection.execute(insert(budgets).values(scope=scope, charged_nanousd=0).on_conflict_do_nothing())
    query = sa.select(budgets.c.charged_nanousd).where(budgets.c.scope == scope)
    return int(connection.execute(query).scalar_one())
