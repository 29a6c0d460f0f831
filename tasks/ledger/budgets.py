"""Budgets: running sums of charges, so that checking a limit is one conditional update.

A scope is what a limit applies to: a run, a campaign's month, the whole ledger's month. The month is that of
sending (UTC), whenever the bill arrives. Scopes are always charged in the sequence of their names, after the
order itself was locked, to avoid deadlocks.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from tasks.errors import BudgetError
from tasks.ledger.database import insert_new
from tasks.ledger.schema import budgets, orders
from tasks.ledger.spending_limits import limit_now, lower_of
from tasks.money import to_nanousd
from tasks.order import Order

LEDGER_PER_MONTH = "ledger_per_month_usd"
"""The limit of the whole ledger; the names of the others are keys of a campaign's ``budget``."""


@dataclass(frozen=True, slots=True)
class Limits:
    """The spending limits; ``None`` means no limit.

    Args:
        per_run_usd: By one run.
        per_month_usd: By one campaign in one calendar month (UTC).
        ledger_per_month_usd: By all campaigns of the ledger in one calendar month (UTC).
        per_arm_usd: By the drafts of an arm in one run, by the arm's name; not by those of further rounds.
        further_usd: By the drafts of all further rounds of one run.
    """

    per_run_usd: Decimal | None = None
    per_month_usd: Decimal | None = None
    ledger_per_month_usd: Decimal | None = None
    per_arm_usd: Mapping[str, Decimal] = field(default_factory=dict)
    further_usd: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Scope:
    """One budget: its name in the ledger, and its limit's name."""

    name: str
    key: str

    def limit(self, connection: Connection, limits: Limits) -> Decimal | None:
        """Return the scope's limit, dollars; ``None`` means no limit.

        That of the whole ledger is read from the ledger now: it holds for processes that began before it was
        set, too.

        Args:
            connection: The caller's transaction.
            limits: The limits of this process.
        """
        limit: Decimal | None = getattr(limits, self.key)
        return limit if self.key != LEDGER_PER_MONTH else lower_of(limit, limit_now(connection))


def charge(connection: Connection, scope: str, nanousd: int, limit_usd: Decimal | None) -> bool:
    """Add an amount to a scope, unless that would exceed its limit.

    Args:
        connection: The caller's transaction.
        scope: The scope's name.
        nanousd: The amount, nano-dollars.
        limit_usd: The scope's limit, dollars; ``None`` for no limit.

    Returns:
        Whether it was added. One statement checks and adds, so it is safe for any number of writers.
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
    """Create a scope's row if it is missing, and read its charges, nano-dollars."""
    connection.execute(insert_new(connection, budgets).values(scope=scope, charged_nanousd=0))
    query = sa.select(budgets.c.charged_nanousd).where(budgets.c.scope == scope)
    return int(connection.execute(query).scalar_one())


def arm_key(arm: str) -> str:
    """Return the campaign file's key of an arm's own limit."""
    return f"arms.{arm}.budget_usd"


FURTHER_KEY = "budget.further_usd"
"""The campaign file's key of the limit of further rounds."""


def is_of_share(error: BudgetError) -> bool:
    """Return whether an arm's own limit is reached, or that of further rounds, so that all else may go on."""
    return error.budget.startswith("arms.") or error.budget == FURTHER_KEY


def share_of(order: Order) -> str:
    """Return the key of the limit that a draft has a share of; empty for finals and questions."""
    if order.is_further_draft:
        return FURTHER_KEY
    return arm_key(order.arm) if order.is_draft else ""


def charged_of_share(connection: Connection, run_id: str, arm: str | None) -> int:
    """Add up what a run's drafts of an arm are charged, or those of its further rounds, nano-dollars.

    Args:
        connection: The caller's transaction.
        run_id: The run.
        arm: The arm; ``None`` for further rounds, which count for no arm.

    Call it after the run's budget was charged in the same transaction: that row is locked until its end, so
    that no other order of the run can be added meanwhile.
    """
    own = (orders.c.run_id == run_id) & (orders.c.stage == "draft")
    if arm is None:
        own &= orders.c.further_round.is_not(None)
    else:
        own &= (orders.c.arm == arm) & orders.c.further_round.is_(None)
    query = sa.select(sa.func.sum(orders.c.charged_nanousd)).where(own)
    return int(connection.execute(query).scalar() or 0)


def scopes_of(run_id: str, campaign: str, month: str) -> list[Scope]:
    """List the budgets that an order is charged to, in the sequence of their names.

    Args:
        run_id: The order's run.
        campaign: The campaign's name.
        month: The month of sending, ``YYYY-MM`` (UTC).
    """
    return [
        Scope(f"month:*:{month}", LEDGER_PER_MONTH),
        Scope(f"month:{campaign}:{month}", "per_month_usd"),
        Scope(f"run:{run_id}", "per_run_usd"),
    ]


def sums_of_orders(connection: Connection) -> dict[str, int]:
    """Add up what each budget's orders are charged, nano-dollars by the name of the scope."""
    sums: dict[str, int] = {}
    columns = (orders.c.run_id, orders.c.campaign, orders.c.month)
    query = (
        sa.select(*columns, sa.func.sum(orders.c.charged_nanousd))
        .where(orders.c.month.is_not(None))
        .group_by(*columns)
    )
    for run_id, campaign, month, charged in connection.execute(query):
        for scope in scopes_of(run_id, campaign, month):
            sums[scope.name] = sums.get(scope.name, 0) + int(charged)
    return sums


def add_up_again(connection: Connection) -> None:
    """Replace every budget by the sum of its orders. Other writers wait until the transaction ends."""
    if connection.dialect.name == "postgresql":
        connection.execute(sa.text("LOCK TABLE budgets IN EXCLUSIVE MODE"))
    connection.execute(budgets.delete())
    if sums := sums_of_orders(connection):
        rows = [{"scope": scope, "charged_nanousd": charged} for scope, charged in sorted(sums.items())]
        connection.execute(budgets.insert(), rows)


def recharge(connection: Connection, changes: Iterable[tuple[sa.Row[Any], int]]) -> None:
    """Set the charges of locked orders, nano-dollars, and change their budgets by the difference."""
    differences: dict[str, int] = {}
    for row, charged in changes:
        update = orders.update().where(orders.c.order_id == row.order_id)
        connection.execute(update.values(charged_nanousd=charged))
        for scope in scopes_of(row.run_id, row.campaign, row.month):
            differences[scope.name] = differences.get(scope.name, 0) + charged - row.charged_nanousd
    for name, difference in sorted(differences.items()):
        if difference:
            charge(connection, name, difference, None)
