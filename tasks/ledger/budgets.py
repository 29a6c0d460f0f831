"""Budgets: running sums of charges, locked while limits are checked and charges added.

A scope is what a limit applies to: a run, a campaign's month, the whole ledger's month. The month is that of
sending (UTC), whenever the bill arrives. Scopes are always charged in the sequence of their names, after the
order itself was locked, to avoid deadlocks.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from tasks.errors import BudgetError
from tasks.ledger.database import insert_new
from tasks.ledger.schema import budgets, orders
from tasks.ledger.spending_limits import lower_of
from tasks.money import from_nanousd
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
    """One budget: its name in the ledger, its limit's name, and its month ``YYYY-MM``, if it has one."""

    name: str
    key: str
    month: str = ""

    @property
    def or_wait(self) -> str:
        """When it begins anew, as a part of a next step; empty for a run's, which never does."""
        if not self.month:
            return ""
        in_next = date.fromisoformat(f"{self.month}-01") + timedelta(days=31)
        return f" or wait until {in_next:%Y-%m}-01 00:00 UTC"

    def limit_usd(self, limits: Limits, set_usd: Decimal | None) -> Decimal | None:
        """Return the scope's limit, dollars; ``None`` means no limit.

        Args:
            limits: The limits of this process.
            set_usd: That of the whole ledger as the ledger has it now (``spending_limits.limit_now``): it
                holds for processes that began before it was set, too.
        """
        limit: Decimal | None = getattr(limits, self.key)
        return limit if self.key != LEDGER_PER_MONTH else lower_of(limit, set_usd)


class Books:
    """Budgets that a transaction has locked: charges add up here, and are written in one statement.

    Args:
        connection: The caller's transaction, which has locked its orders already.
        names: The scopes that it may charge.
    """

    def __init__(self, connection: Connection, names: Iterable[str]) -> None:
        self._connection = connection
        self._charged = _locked(connection, sorted(set(names)))
        self._added = Counter[str]()
        self._shares: dict[Share, int] = {}
        self._added_to_shares = Counter[Share]()

    def charged(self, scope: str) -> int:
        """Return what a scope is charged by now, nano-dollars."""
        return self._charged[scope] + self._added[scope]

    def charged_of_share(self, share: "Share") -> int:
        """Return what a share of a run is charged by now, nano-dollars."""
        if share not in self._shares:
            self._shares[share] = charged_of_share(self._connection, *share)
        return self._shares[share] + self._added_to_shares[share]

    def add(self, scopes: Sequence[Scope], share: "Share | None", nanousd: int) -> None:
        """Charge an amount to scopes and, for a draft, to its share of the run."""
        for scope in scopes:
            self._added[scope.name] += nanousd
        if share is not None:
            self._added_to_shares[share] += nanousd

    def write(self) -> None:
        """Write what was added."""
        if rows := [{"of": name, "by": added} for name, added in sorted(self._added.items()) if added]:
            self._connection.execute(_ADD, rows)


_ADD = (
    budgets.update()
    .where(budgets.c.scope == sa.bindparam("of"))
    .values(charged_nanousd=budgets.c.charged_nanousd + sa.bindparam("by"))
)
_READ = sa.select(budgets).where(budgets.c.scope.in_(sa.bindparam("names", expanding=True)))
# In the sequence of the names, whatever the database's own rules of sorting.
_LOCK = _READ.order_by(budgets.c.scope.collate("C")).with_for_update()


def _locked(connection: Connection, names: Sequence[str]) -> dict[str, int]:
    """Lock scopes until the transaction ends, and return what each is charged; missing rows are created.

    Rows are locked together only when all are there: one that is created after others were locked would be
    locked out of sequence.
    """
    is_locked = connection.dialect.name == "sqlite"  # all of it, since the transaction began
    found, lock = _read(connection, _READ, names), _READ if is_locked else _LOCK
    while len(found) < len(names) or not is_locked:
        if len(found) < len(names):
            for name in names:
                connection.execute(insert_new(connection, budgets), [{"scope": name, "charged_nanousd": 0}])
                _read(connection, lock, [name])
        found, is_locked = _read(connection, lock, names), True
    return found


def _read(connection: Connection, query: sa.Select[tuple[str, int]], names: Sequence[str]) -> dict[str, int]:
    return dict(connection.execute(query, {"names": names}).tuples().all())


Share = tuple[str, str | None]
"""A run, and the arm whose drafts have a limit of their own; ``None`` for those of its further rounds."""


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
        Scope(f"month:*:{month}", LEDGER_PER_MONTH, month),
        Scope(f"month:{campaign}:{month}", "per_month_usd", month),
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
    changed = list(changes)
    scopes = [scopes_of(row.run_id, row.campaign, row.month) for row, _ in changed]
    books = Books(connection, [scope.name for some in scopes for scope in some])
    for (row, charged), some in zip(changed, scopes, strict=True):
        update = orders.update().where(orders.c.order_id == row.order_id)
        connection.execute(update.values(charged_nanousd=charged))
        books.add(some, None, charged - row.charged_nanousd)
    books.write()


def over_budget(order: Order, scope: Scope, limit: Decimal | None, charged: int) -> BudgetError:
    """Build the error for an order that would exceed a budget.

    Args:
        order: The order.
        scope: The budget that it would exceed.
        limit: The budget's limit, dollars.
        charged: What it is charged already, nano-dollars.
    """
    is_ledgers, of_month = scope.key == LEDGER_PER_MONTH, scope.month and f" in {scope.month}"
    raise_it = (
        "Raise the whole ledger's by `runoff ledger limit`" if is_ledgers else "Raise it where it is set"
    )
    return BudgetError(
        budget=scope.key,
        or_else=scope.or_wait,
        where=f"budget {scope.key}",
        what=f"{from_nanousd(charged)} dollars are spent or reserved of {limit}{of_month}, and the next "
        f"order may cost {order.estimate_usd}",
        money="The request was not sent; what was bought is kept.",
        next_step=f"{raise_it}{scope.or_wait}, then: runoff run --resume {order.run_id}",
    )


def over_share(order: Order, limit: Decimal, charged: int) -> BudgetError:
    """Build the error for a draft that would exceed its arm's own limit, or that of further rounds.

    Args:
        order: The draft.
        limit: The limit, dollars.
        charged: What the others of the share are charged, nano-dollars.
    """
    others, goes_on = ("all else", "goes on") if order.is_further_draft else ("the other arms", "go on")
    return BudgetError(
        budget=share_of(order),
        where=f"budget {share_of(order)}",
        what=f"{from_nanousd(charged)} dollars are spent or reserved of {limit}, and the next draft may cost "
        f"{order.estimate_usd}",
        money=f"The request was not sent; what was bought is kept, and {others} {goes_on}.",
        next_step=f"Raise it where it is set, then: runoff run --resume {order.run_id}",
    )
