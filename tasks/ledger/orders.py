"""The orders of a ledger: planned, looked up, and moved from state to state.

planned → sent → received | refused | failed | unknown. A move names the state it starts from, so that of two
writers one succeeds and the other gets an error; and it changes the budgets by exactly as much as
``charged_nanousd``. Moves that are asked for at the same time share a transaction.
"""

from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from datetime import datetime
from decimal import Decimal
from functools import partial
from operator import itemgetter
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from tasks.candidate import Receipt
from tasks.ledger.budgets import Limits
from tasks.ledger.database import Database, insert_new, reconnecting
from tasks.ledger.group_commit import GroupCommit
from tasks.ledger.many_ids import in_parts
from tasks.ledger.order_rows import OrderRecord, Settlement, order_record, order_row
from tasks.ledger.schema import orders
from tasks.ledger.transitions import Send, Settle, Transition, Unsend, carry_out
from tasks.money import from_nanousd
from tasks.order import Order, OrderState


class OrderMoves:
    """The moves of orders from state to state. ``GroupCommit`` runs them again if a connection is lost.

    Each comes in two forms: one waits for the commit; the other, ``begin_``, returns a future that ends with
    the commit or with the error because of which nothing was changed.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._moves = GroupCommit[Transition](database, partial(carry_out, database=database))

    def send(self, order: Order, limits: Limits, now: datetime) -> None:
        """Reserve an order's estimate and mark it ``sent``; call it right before sending.

        Args:
            order: A planned order.
            limits: The budgets that must hold.
            now: Aware time; its UTC month is the one charged.

        Raises:
            BudgetError: A budget would be exceeded. The order stays planned.
            RunError: Another process has taken the run over. Nothing was changed.
            LedgerError: The order is not planned: another process sent it. Nothing was changed.
        """
        self.begin_send(order, limits, now).result()

    def begin_send(self, order: Order, limits: Limits, now: datetime) -> "Future[None]":
        """Begin to ``send``: nothing may be sent before the future has ended well.

        Cancelled before its transaction begins, nothing is reserved.
        """
        return self._moves.submit(Send(order, limits, now), may_be_cancelled=True)

    def unsend(self, order_id: str, error_code: str, error_message: str) -> None:
        """Return a sent order to ``planned``, because it was certainly not billed; it may be sent again.

        Args:
            order_id: The order.
            error_code: What went wrong, as a code.
            error_message: The same for people.

        Raises:
            LedgerError: The order is not ``sent``. Nothing was changed.
        """
        self.begin_unsend(order_id, error_code, error_message).result()

    def begin_unsend(self, order_id: str, error_code: str, error_message: str) -> "Future[None]":
        """Begin to ``unsend``. It is done whether or not anybody waits for it."""
        return self._moves.submit(Unsend(order_id, error_code, error_message))

    def settle(
        self,
        order_id: str,
        settlement: Settlement,
        receipts: Sequence[Receipt] = (),
        answer: str | None = None,
        *,
        is_reread: bool = False,
    ) -> None:
        """Record how an order ended, with its pictures.

        An order that another process gave up for interrupted meanwhile is settled too: this process had only
        lost its connection to the ledger.

        Args:
            order_id: The order.
            settlement: How it ended.
            receipts: Its pictures; their bytes must be safe on disk already.
            answer: For a judge's order, the model's verbatim answer, which must be safe on disk too.
            is_reread: Whether the kept answer of an unknown order could be read after all.

        Raises:
            LedgerError: The order is neither ``sent`` nor given up for interrupted; read again, it is not
                ``unknown``. Nothing was changed.
        """
        self._moves.submit(Settle(order_id, settlement, receipts, answer, is_reread)).result()

    def begin_settle(
        self,
        order_id: str,
        settlement: Settlement,
        receipts: Sequence[Receipt] = (),
        answer: str | None = None,
    ) -> "Future[None]":
        """Begin to ``settle``. It is done whether or not anybody waits for it."""
        return self._moves.submit(Settle(order_id, settlement, receipts, answer))

    def close(self) -> None:
        """Wait for what was begun."""
        self._moves.close()


@reconnecting
class Orders(OrderMoves):
    """The orders of one ledger."""

    def plan(self, new: Sequence[Order]) -> None:
        """Insert orders as ``planned``; those already stored keep their state.

        One still ``planned`` gets the new estimate and lane, so that a resumed run reserves today's prices
        and follows the campaign's current lane.

        Raises:
            LedgerError: The database cannot be written. No order was written.
        """
        with self._database.write() as connection:
            insert_planned(connection, new)

    def of_run(self, run_id: str, *states: OrderState) -> list[OrderRecord]:
        """List a run's orders in the order of the plan, all or those in the given states."""
        query = sa.select(orders).where(orders.c.run_id == run_id)
        if states:
            query = query.where(orders.c.state.in_(states))
        with self._database.read() as connection:
            rows = connection.execute(query.order_by(*in_sequence()))
            return [order_record(row) for row in rows]

    def find(self, order_id: str) -> OrderRecord | None:
        """Read one order; ``None`` if the ledger has no such order."""
        with self._database.read() as connection:
            row = connection.execute(sa.select(orders).where(orders.c.order_id == order_id)).first()
        return None if row is None else order_record(row)

    def planned(self, ids: Sequence[str]) -> set[str]:
        """Return which of the given orders are still ``planned``."""
        query = sa.select(orders.c.order_id).where(orders.c.state == "planned")
        with self._database.read() as connection:
            return {
                order_id
                for part in in_parts(ids)
                for order_id in connection.execute(query.where(orders.c.order_id.in_(part))).scalars()
            }

    def counts(self, run_id: str) -> dict[tuple[str, OrderState], int]:
        """Count a run's orders by stage and state."""
        query = (
            sa.select(orders.c.stage, orders.c.state, sa.func.count())
            .where(orders.c.run_id == run_id)
            .group_by(orders.c.stage, orders.c.state)
        )
        with self._database.read() as connection:
            return {(stage, state): count for stage, state, count in connection.execute(query)}

    def charged_usd(self, run_id: str) -> Decimal:
        """Sum what a run's orders are charged now, dollars."""
        query = sa.select(sa.func.sum(orders.c.charged_nanousd)).where(orders.c.run_id == run_id)
        with self._database.read() as connection:
            return from_nanousd(int(connection.execute(query).scalar() or 0))


def in_sequence() -> tuple[sa.ColumnElement[Any], ...]:
    """Return the columns that sort orders as planned, each further attempt right after the first."""
    return (orders.c.stage, orders.c.position, orders.c.attempt, orders.c.order_id)


def insert_planned(connection: Connection, new: Sequence[Order], first_position: int = 0) -> None:
    """Insert orders as ``planned``, in the caller's transaction; see ``Orders.plan``.

    Args:
        connection: The caller's transaction.
        new: The orders.
        first_position: The place of the first in the sequence of the run's orders.
    """
    rows = [order_row(order, position) for position, order in enumerate(new, first_position)]
    # Two processes may plan the same orders: all lock them in one sequence, to avoid deadlocks.
    rows.sort(key=itemgetter("order_id"))
    known = _known_terms(connection, [row["order_id"] for row in rows])
    if fresh := [row for row in rows if row["order_id"] not in known]:
        connection.execute(insert_new(connection, orders), fresh)
    changed = [
        {"of": row["order_id"], "now": row["estimate_nanousd"], "by": row["lane"]}
        for row in rows
        if known.get(row["order_id"], _terms(row)) != _terms(row)
    ]
    if changed:
        waits = (orders.c.order_id == sa.bindparam("of")) & (orders.c.state == "planned")
        update = orders.update().where(waits)
        update = update.values(estimate_nanousd=sa.bindparam("now"), lane=sa.bindparam("by"))
        connection.execute(update, changed)


def _terms(row: Mapping[str, Any]) -> tuple[int, str]:
    return row["estimate_nanousd"], row["lane"]


def _known_terms(connection: Connection, ids: Sequence[str]) -> dict[str, tuple[int, str]]:
    known: dict[str, tuple[int, str]] = {}
    for part in in_parts(ids):
        query = sa.select(orders.c.order_id, orders.c.estimate_nanousd, orders.c.lane)
        rows = connection.execute(query.where(orders.c.order_id.in_(part)))
        known.update((row.order_id, (row.estimate_nanousd, row.lane)) for row in rows)
    return known
