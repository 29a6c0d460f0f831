"""The changes of orders' states that buying makes, any number of them in one transaction.

The orders and then their budgets are locked and read, each in one statement; the changes are decided one
after the other as if each had a transaction of its own; and what they come to is written, each kind in one
statement. So a change that is refused leaves no trace, and the others are as they would be without it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, TypeAlias

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from tasks.candidate import Receipt
from tasks.errors import LedgerError, RunError, RunoffError
from tasks.ledger.answers import insert_answers
from tasks.ledger.budgets import Books, Limits, Scope, Share, over_budget, over_share, scopes_of
from tasks.ledger.candidates import insert_receipts
from tasks.ledger.database import Database
from tasks.ledger.order_rows import INTERRUPTED, Settlement, error_columns
from tasks.ledger.run_hold import require_hold
from tasks.ledger.schema import orders
from tasks.ledger.spending_limits import limit_now
from tasks.money import from_nanousd, to_nanousd
from tasks.order import Order, OrderState

Row: TypeAlias = sa.Row[Any]
_LOCK = (
    sa.select(
        orders.c.order_id, orders.c.run_id, orders.c.campaign, orders.c.stage, orders.c.arm,
        orders.c.further_round, orders.c.state, orders.c.error_code, orders.c.month,
        orders.c.estimate_nanousd, orders.c.charged_nanousd,
    )
    .where(orders.c.order_id.in_(sa.bindparam("ids", expanding=True)))
    .order_by(orders.c.order_id)
    .with_for_update()
)  # fmt: skip
_THIS_ORDER = orders.c.order_id == sa.bindparam("of")
SEND = (
    orders.update()
    .where(_THIS_ORDER)
    .values(
        state="sent",
        sent_at=sa.bindparam("at"),
        month=sa.bindparam("in_month"),
        estimate_nanousd=sa.bindparam("reserved"),
        charged_nanousd=sa.bindparam("reserved"),
        n_sends=orders.c.n_sends + 1,
        error_code=None,
        error_message=None,
    )
)
"""Marks an order as sent: ``of`` is its id, ``reserved`` its estimate in nano-dollars."""


@dataclass(frozen=True, slots=True)
class Send:
    """Reserve an order's estimate and mark it ``sent``.

    Args:
        order: A planned order.
        limits: The budgets that must hold.
        now: Aware time; its UTC month is the one charged.
    """

    order: Order
    limits: Limits
    now: datetime

    @property
    def order_id(self) -> str:
        """The order's id."""
        return self.order.order_id

    def scopes(self, row: Row | None) -> list[Scope]:
        """List the budgets that it changes; none for an order that was never planned."""
        return [] if row is None else scopes_of(row.run_id, row.campaign, self._month)

    def decide(self, row: Row | None, books: Books, limit_usd: Decimal | None) -> dict[str, Any]:
        """Charge it, and return what is to be written.

        Raises:
            BudgetError: A budget would be exceeded.
            LedgerError: The order is not planned.
        """
        if row is None or row.state != "planned":
            raise wrong_state(self.order_id, "planned")
        estimate, scopes, share = to_nanousd(self.order.estimate_usd), self.scopes(row), _share_of(row)
        for scope in scopes:
            limit, charged = scope.limit_usd(self.limits, limit_usd), books.charged(scope.name)
            if limit is not None and charged + estimate > to_nanousd(limit):
                raise over_budget(self.order, scope, limit, charged)
        if share is not None and (limit := self._limit_of(share)) is not None:
            charged = books.charged_of_share(share)
            if charged + estimate > to_nanousd(limit):
                raise over_share(self.order, limit, charged)
        books.add(scopes, share, estimate)
        return {"of": self.order_id, "at": self.now, "in_month": self._month, "reserved": estimate}

    @property
    def _month(self) -> str:
        return f"{self.now.astimezone(UTC):%Y-%m}"

    def _limit_of(self, share: Share) -> Decimal | None:
        _, arm = share
        return self.limits.further_usd if arm is None else self.limits.per_arm_usd.get(arm)


@dataclass(frozen=True, slots=True)
class Unsend:
    """Return a sent order to ``planned``, because it was certainly not billed.

    Args:
        order_id: The order.
        error_code: What went wrong, as a code.
        error_message: The same for people.
    """

    order_id: str
    error_code: str
    error_message: str

    def scopes(self, row: Row | None) -> list[Scope]:
        """List the budgets that it changes."""
        return _charged_scopes(row)

    def decide(self, row: Row | None, books: Books, _limit_usd: Decimal | None) -> dict[str, Any]:
        """Take the reservation back, and return what is to be written.

        Raises:
            LedgerError: The order is not ``sent``.
        """
        if row is None or row.state != "sent":
            raise wrong_state(self.order_id, "sent")
        books.add(self.scopes(row), _share_of(row), -row.charged_nanousd)
        back = {"of": self.order_id, "state": "planned", "charged_nanousd": 0}
        return back | error_columns(self.error_code, self.error_message)


@dataclass(frozen=True, slots=True)
class Settle:
    """Record how an order ended, with its pictures.

    Args:
        order_id: The order.
        settlement: How it ended.
        receipts: Its pictures; their bytes are safe on disk already.
        answer: For a judge's order, the model's verbatim answer, which is safe on disk too.
        is_reread: Whether the kept answer of an unknown order could be read after all.
    """

    order_id: str
    settlement: Settlement
    receipts: Sequence[Receipt] = ()
    answer: str | None = None
    is_reread: bool = False

    def scopes(self, row: Row | None) -> list[Scope]:
        """List the budgets that it changes."""
        return _charged_scopes(row)

    def decide(self, row: Row | None, books: Books, _limit_usd: Decimal | None) -> dict[str, Any]:
        """Charge what it cost in place of what was reserved, and return what is to be written.

        Raises:
            LedgerError: The order is neither ``sent`` nor given up for interrupted; read again, it is not
                ``unknown``.
        """
        if row is None or not self._is_open(row):
            raise wrong_state(self.order_id, "unknown" if self.is_reread else "sent")
        end = self.settlement
        charged = to_nanousd(end.charged_usd(from_nanousd(row.estimate_nanousd)))
        books.add(self.scopes(row), _share_of(row), charged - row.charged_nanousd)
        return {
            "of": self.order_id,
            "state": end.state,
            "charged_nanousd": charged,
            "cost_nanousd": None if end.cost_usd is None else to_nanousd(end.cost_usd),
            "latency_s": end.latency_s,
            "vendor_request_id": end.vendor_request_id,
            **error_columns(end.error_code, end.error_message),
            **asdict(end.usage),
        }

    def _is_open(self, row: Row) -> bool:
        if self.is_reread:
            return bool(row.state == "unknown")
        return row.state == "sent" or (row.state, row.error_code) == ("unknown", INTERRUPTED)


Transition: TypeAlias = Send | Unsend | Settle
_WRITE: Mapping[type, sa.Update] = {
    Send: SEND,
    Unsend: orders.update().where(_THIS_ORDER),
    Settle: orders.update().where(_THIS_ORDER),
}


def carry_out(
    connection: Connection, changes: Sequence[Transition], *, database: Database
) -> list[RunoffError | None]:
    """Carry changes of different orders out, in the caller's transaction.

    Args:
        connection: The transaction; nothing was locked in it yet.
        changes: The changes; at most one of each order. A send after a settlement may spend what that frees.
        database: Its database, for the runs that this process holds.

    Returns:
        Why each was refused, ``None`` if it was not. A refused one has changed nothing.
    """
    sends = [change for change in changes if isinstance(change, Send)]
    lost = _lost_runs(connection, database, sends)
    rows = {
        row.order_id: row for row in connection.execute(_LOCK, {"ids": [one.order_id for one in changes]})
    }
    limit_usd = limit_now(connection) if sends else None
    names = {scope.name for one in changes for scope in one.scopes(rows.get(one.order_id))}
    books = Books(connection, names)
    written: dict[type, list[dict[str, Any]]] = {Send: [], Unsend: [], Settle: []}
    settled: list[tuple[Settle, Row]] = []
    refusals: list[RunoffError | None] = []
    for change in changes:
        row = rows.get(change.order_id)
        try:
            if isinstance(change, Send) and change.order.run_id in lost:
                raise lost[change.order.run_id]
            written[type(change)].append(change.decide(row, books, limit_usd))
        except RunoffError as error:
            refusals.append(error)
            continue
        refusals.append(None)
        if isinstance(change, Settle):
            assert row is not None
            settled.append((change, row))
    for kind, values in written.items():
        if values:
            connection.execute(_WRITE[kind], values)
    books.write()
    _insert_contents(connection, settled)
    return refusals


def _lost_runs(connection: Connection, database: Database, sends: Sequence[Send]) -> dict[str, RunError]:
    """Check, until the transaction ends, that the runs are this process's own; return errors by lost run."""
    lost = {}
    for run_id in sorted({send.order.run_id for send in sends}):
        try:
            require_hold(connection, database, run_id)
        except RunError as error:
            lost[run_id] = error
    return lost


def _insert_contents(connection: Connection, settled: Sequence[tuple[Settle, Row]]) -> None:
    """Insert the pictures and the answers of orders that are being settled."""
    insert_receipts(
        connection, [(row.run_id, receipt) for change, row in settled for receipt in change.receipts]
    )
    insert_answers(
        connection, {change.order_id: change.answer for change, _ in settled if change.answer is not None}
    )


def _charged_scopes(row: Row | None) -> list[Scope]:
    """List the budgets that an order is charged to; none before it was ever sent."""
    return [] if row is None or row.month is None else scopes_of(row.run_id, row.campaign, row.month)


def _share_of(row: Row) -> Share | None:
    """Return the share of its run that a draft counts for."""
    if row.stage != "draft":
        return None
    return row.run_id, row.arm if row.further_round is None else None


def wrong_state(order_id: str, expected: OrderState) -> LedgerError:
    """Build the error for an order that is not in the expected state."""
    return LedgerError(
        where=f"order {order_id}",
        what=f"is not {expected}; another process changed it",
        money="It was not sent from here.",
        next_step="Let the other run finish, then: runoff run --resume latest",
    )
