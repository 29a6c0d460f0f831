"""The states of orders: planned → sent → received | refused | failed | unknown.

Only this file changes an order's state, and every change moves the budgets by exactly as much as
``charged_nanousd``. A change names the state it starts from, so that of two writers one succeeds and the
other gets an error.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from decimal import Decimal
from operator import itemgetter
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from tasks.candidate import Receipt
from tasks.errors import BudgetError, LedgerError
from tasks.ledger.answers import insert_answer
from tasks.ledger.budgets import (
    LEDGER_PER_MONTH,
    Limits,
    Scope,
    charge,
    charged_of_share,
    ensure,
    recharge,
    scopes_of,
    share_of,
)
from tasks.ledger.candidates import insert_receipts
from tasks.ledger.database import Database, insert_new, reconnecting
from tasks.ledger.order_rows import INTERRUPTED, OrderRecord, Settlement, order_record, order_row
from tasks.ledger.run_hold import require_hold
from tasks.ledger.schema import orders
from tasks.money import from_nanousd, to_nanousd
from tasks.order import Order, OrderState

_IDS_AT_ONCE = 500
_ERROR_CODE_CHARS = 64


@reconnecting
class Orders:
    """The orders of one ledger."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def plan(self, new: Sequence[Order]) -> None:
        """Insert orders as ``planned``; those already stored keep their state.

        One still ``planned`` gets the new estimate and lane, so that a resumed run reserves today's prices
        and follows the campaign's current lane.

        Raises:
            LedgerError: The database cannot be written. No order was written.
        """
        with self._database.write() as connection:
            insert_planned(connection, new)

    def send(self, order: Order, limits: Limits, now: datetime) -> None:
        """Reserve an order's estimate and mark it ``sent``, in one transaction; call it right before sending.

        Args:
            order: A planned order.
            limits: The budgets that must hold.
            now: Aware time; its UTC month is the one charged.

        Raises:
            BudgetError: A budget would be exceeded. The order stays planned.
            RunError: Another process has taken the run over. Nothing was changed.
            LedgerError: The order is not planned: another process sent it. Nothing was changed.
        """
        estimate = to_nanousd(order.estimate_usd)
        month = f"{now.astimezone(UTC):%Y-%m}"
        sent = {
            "state": "sent",
            "sent_at": now,
            "month": month,
            "estimate_nanousd": estimate,
            "charged_nanousd": estimate,
            "n_sends": orders.c.n_sends + 1,
            "error_code": None,
            "error_message": None,
        }
        with self._database.write() as connection:
            require_hold(connection, self._database, order.run_id)
            is_planned = (orders.c.order_id == order.order_id) & (orders.c.state == "planned")
            if connection.execute(orders.update().where(is_planned).values(sent)).rowcount != 1:
                raise wrong_state(order.order_id, "planned")
            for scope in scopes_of(order.run_id, order.campaign, month):
                limit = scope.limit(connection, limits)
                if not charge(connection, scope.name, estimate, limit):
                    raise over_budget(connection, order, scope, limit)
            _require_share(connection, order, limits)

    def unsend(self, order_id: str, error_code: str, error_message: str) -> None:
        """Return a sent order to ``planned``, because it was certainly not billed; it may be sent again.

        Args:
            order_id: The order.
            error_code: What went wrong, as a code.
            error_message: The same for people.

        Raises:
            LedgerError: The order is not ``sent``. Nothing was changed.
        """
        with self._database.write() as connection:
            row = locked_order(connection, order_id, "sent")
            recharge(connection, [(row, 0)])
            connection.execute(
                orders.update()
                .where(orders.c.order_id == order_id)
                .values(state="planned", **error_columns(error_code, error_message))
            )

    def settle(
        self,
        order_id: str,
        settlement: Settlement,
        receipts: Sequence[Receipt] = (),
        answer: str | None = None,
        *,
        is_reread: bool = False,
    ) -> None:
        """Record how an order ended, with its pictures, in one transaction.

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
        with self._database.write() as connection:
            row = (
                locked_order(connection, order_id, "unknown")
                if is_reread
                else _locked_open(connection, order_id)
            )
            cost = None if settlement.cost_usd is None else to_nanousd(settlement.cost_usd)
            charged_usd = settlement.charged_usd(from_nanousd(row.estimate_nanousd))
            recharge(connection, [(row, to_nanousd(charged_usd))])
            connection.execute(
                orders.update()
                .where(orders.c.order_id == order_id)
                .values(
                    state=settlement.state,
                    cost_nanousd=cost,
                    latency_s=settlement.latency_s,
                    vendor_request_id=settlement.vendor_request_id,
                    **error_columns(settlement.error_code, settlement.error_message),
                    **asdict(settlement.usage),
                )
            )
            insert_receipts(connection, row.run_id, receipts)
            if answer is not None:
                insert_answer(connection, row, answer)

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
                for start in range(0, len(ids), _IDS_AT_ONCE)
                for order_id in connection.execute(
                    query.where(orders.c.order_id.in_(ids[start : start + _IDS_AT_ONCE]))
                ).scalars()
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
    for start in range(0, len(ids), _IDS_AT_ONCE):
        query = sa.select(orders.c.order_id, orders.c.estimate_nanousd, orders.c.lane)
        rows = connection.execute(query.where(orders.c.order_id.in_(ids[start : start + _IDS_AT_ONCE])))
        known.update((row.order_id, (row.estimate_nanousd, row.lane)) for row in rows)
    return known


def locked_order(connection: Connection, order_id: str, state: OrderState) -> sa.Row[Any]:
    """Read and lock an order until this transaction ends.

    Args:
        connection: The caller's transaction.
        order_id: The order.
        state: The state that it must have.

    Raises:
        LedgerError: There is no such order in that state.
    """
    row = connection.execute(sa.select(orders).where(orders.c.order_id == order_id).with_for_update()).first()
    if row is None or row.state != state:
        raise wrong_state(order_id, state)
    return row


def _locked_open(connection: Connection, order_id: str) -> sa.Row[Any]:
    """Read and lock an order whose end is not known yet."""
    row = connection.execute(sa.select(orders).where(orders.c.order_id == order_id).with_for_update()).first()
    is_given_up = row is not None and (row.state, row.error_code) == ("unknown", INTERRUPTED)
    if row is None or not (row.state == "sent" or is_given_up):
        raise wrong_state(order_id, "sent")
    return row


def error_columns(code: str | None, message: str | None) -> dict[str, str | None]:
    """Fit a provider's texts into their columns: no NUL, which PostgreSQL rejects, and truncated."""
    return {
        "error_code": code and code.replace("\0", "")[:_ERROR_CODE_CHARS],
        "error_message": message and message.replace("\0", ""),
    }


def wrong_state(order_id: str, expected: str) -> LedgerError:
    """Build the error for an order that is not in the expected state."""
    return LedgerError(
        where=f"order {order_id}",
        what=f"is not {expected}; another process changed it",
        money="It was not sent from here.",
        next_step="Let the other run finish, then: runoff run --resume latest",
    )


def _require_share(connection: Connection, order: Order, limits: Limits) -> None:
    """Refuse a draft that would exceed its arm's own limit, or a further one that would exceed theirs.

    Its estimate is charged already.
    """
    if not order.is_draft:
        return
    arm = None if order.is_further_draft else order.arm
    limit = limits.further_usd if arm is None else limits.per_arm_usd.get(arm)
    if limit is None:
        return
    charged = charged_of_share(connection, order.run_id, arm)
    if charged <= to_nanousd(limit):
        return
    before, others = (
        from_nanousd(charged) - order.estimate_usd,
        "all else" if arm is None else "the other arms",
    )
    goes_on = "goes on" if arm is None else "go on"
    raise BudgetError(
        budget=share_of(order),
        where=f"budget {share_of(order)}",
        what=f"{before} dollars are spent or reserved of {limit}, and the next draft may cost "
        f"{order.estimate_usd}",
        money=f"The request was not sent; what was bought is kept, and {others} {goes_on}.",
        next_step=f"Raise it where it is set, then: runoff run --resume {order.run_id}",
    )


def over_budget(connection: Connection, order: Order, scope: Scope, limit: Decimal | None) -> BudgetError:
    """Build the error for an order that would exceed a budget.

    Args:
        connection: The caller's transaction.
        order: The order.
        scope: The budget that it would exceed.
        limit: The budget's limit, dollars.
    """
    charged = ensure(connection, scope.name)
    where_set = "It is the whole ledger's: runoff ledger limit" if scope.key == LEDGER_PER_MONTH else ""
    return BudgetError(
        budget=scope.key,
        where=f"budget {scope.key}",
        what=f"{from_nanousd(charged)} dollars are spent or reserved of {limit}, and the next order may cost "
        f"{order.estimate_usd}",
        money="The request was not sent; what was bought is kept.",
        next_step=f"{where_set or 'Raise it where it is set'}, then: runoff run --resume {order.run_id}",
    )
