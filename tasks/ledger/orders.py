"""The life of an order: planned → sent → received | refused | failed | unknown.

Only this file moves an order from one state to the next, and every move changes the budgets by exactly
what it changes ``charged_nanousd``. A move names the state it starts from, so that of two writers one
wins and the other is told.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from tasks.candidate import Order, OrderState, Receipt, Reference, Usage
from tasks.errors import BudgetError, LedgerError
from tasks.ledger.budgets import Scope, charge, ensure
from tasks.ledger.candidates import insert_receipts
from tasks.ledger.database import Database
from tasks.ledger.schema import orders
from tasks.money import from_nanousd, to_nanousd


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
class Settlement:
    """How an order ended.

    Args:
        state: ``received``, ``refused``, ``failed`` or ``unknown``.
        cost_usd: What the provider's usage says it cost; ``None`` when it did not say.
        usage: The provider's token counts.
        latency_s: Seconds from sending to the end of the answer.
        vendor_request_id: The provider's name for the request.
        error_code: What went wrong, as one word; ``None`` when nothing did.
        error_message: The same for people.
        is_charged: Whether an order without a known cost stays charged at its estimate.
    """

    state: OrderState
    cost_usd: Decimal | None = None
    usage: Usage = field(default_factory=Usage)
    latency_s: float | None = None
    vendor_request_id: str | None = None
    error_code: str | None = None
    error_message: str | None = None
    is_charged: bool = False


@dataclass(frozen=True, slots=True)
class OrderRecord:
    """An order and what the ledger knows of it."""

    order: Order
    state: OrderState
    n_sends: int
    sent_at: datetime | None
    charged_usd: Decimal
    settlement: Settlement | None


class Orders:
    """The orders of one ledger."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def plan(self, new: Sequence[Order]) -> None:
        """Write orders as ``planned``; those already known keep their state.

        Raises:
            LedgerError: The database cannot be written. No order was written.
        """
        ids = [order.order_id for order in new]
        with self._database.write() as connection:
            known = _known_ids(connection, ids)
            rows = [_row(order, position) for position, order in enumerate(new)]
            fresh = [row for row in rows if row["order_id"] not in known]
            if fresh:
                connection.execute(orders.insert(), fresh)

    def send(self, order: Order, limits: Limits, now: datetime) -> None:
        """Reserve an order's estimate and mark it ``sent``, in one transaction; call it right before sending.

        Args:
            order: A planned order.
            limits: The budgets that must hold.
            now: Aware time; its UTC month is the one charged.

        Raises:
            BudgetError: A budget would be passed. The order stays planned.
            LedgerError: The order is not planned: somebody else sent it. Nothing was changed.
        """
        now = now.astimezone(UTC)
        estimate = to_nanousd(order.estimate_usd)
        month = now.strftime("%Y-%m")
        with self._database.write() as connection:
            for scope in _scopes(order.run_id, order.campaign, month):
                limit = scope.limit(limits)
                if not charge(connection, scope.name, estimate, limit):
                    raise _over_budget(connection, order, scope, limit)
            moved = connection.execute(
                orders.update()
                .where(orders.c.order_id == order.order_id, orders.c.state == "planned")
                .values(
                    state="sent",
                    sent_at=now.replace(tzinfo=None),
                    month=month,
                    charged_nanousd=estimate,
                    n_sends=orders.c.n_sends + 1,
                    error_code=None,
                    error_message=None,
                )
            )
            if moved.rowcount != 1:
                raise _wrong_state(order.order_id, "planned")

    def unsend(self, order_id: str, error_code: str, error_message: str) -> None:
        """Take a sent order back to ``planned``, because it certainly was not billed; it may be sent again.

        Raises:
            LedgerError: The order is not ``sent``. Nothing was changed.
        """
        with self._database.write() as connection:
            row = _locked(connection, order_id, ("sent",))
            _recharge(connection, row, 0)
            connection.execute(
                orders.update()
                .where(orders.c.order_id == order_id)
                .values(state="planned", error_code=error_code, error_message=error_message)
            )

    def settle(
        self,
        order_id: str,
        settlement: Settlement,
        receipts: Sequence[Receipt] = (),
        *,
        of: Sequence[OrderState] = ("sent",),
    ) -> None:
        """Write how an order ended, with its pictures, in one transaction.

        Args:
            order_id: The order.
            settlement: How it ended.
            receipts: Its pictures; their bytes must be safe on disk already.
            of: The states it may be settled from: ``unknown`` too when the truth came out later.

        Raises:
            LedgerError: The order is in another state. Nothing was changed.
        """
        with self._database.write() as connection:
            row = _locked(connection, order_id, of)
            cost = None if settlement.cost_usd is None else to_nanousd(settlement.cost_usd)
            keeps_estimate = cost is None and (settlement.is_charged or settlement.state == "unknown")
            _recharge(connection, row, row.estimate_nanousd if keeps_estimate else cost or 0)
            connection.execute(
                orders.update()
                .where(orders.c.order_id == order_id)
                .values(
                    state=settlement.state,
                    cost_nanousd=cost,
                    latency_s=settlement.latency_s,
                    vendor_request_id=settlement.vendor_request_id,
                    error_code=settlement.error_code,
                    error_message=settlement.error_message,
                    **asdict(settlement.usage),
                )
            )
            insert_receipts(connection, row.run_id, receipts)

    def of_run(self, run_id: str, *states: OrderState) -> list[OrderRecord]:
        """List a run's orders in the order of their plan, all or those in the given states."""
        query = sa.select(orders).where(orders.c.run_id == run_id)
        if states:
            query = query.where(orders.c.state.in_(states))
        with self._database.read() as connection:
            rows = connection.execute(query.order_by(orders.c.stage, orders.c.position, orders.c.order_id))
            return [_record(row) for row in rows]

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
        """Sum what a run's orders weigh on its budget now, dollars."""
        query = sa.select(sa.func.sum(orders.c.charged_nanousd)).where(orders.c.run_id == run_id)
        with self._database.read() as connection:
            return from_nanousd(int(connection.execute(query).scalar() or 0))


def _known_ids(connection: Connection, ids: Sequence[str]) -> set[str]:
    known: set[str] = set()
    for start in range(0, len(ids), 500):
        query = sa.select(orders.c.order_id).where(orders.c.order_id.in_(ids[start : start + 500]))
        known.update(connection.execute(query).scalars())
    return known


def _scopes(run_id: str, campaign: str, month: str) -> list[Scope]:
    """The budgets an order weighs on, always in the same sequence: writers must not wait in a circle."""
    return [
        Scope(f"month:*:{month}", "ledger_per_month_usd"),
        Scope(f"month:{campaign}:{month}", "per_month_usd"),
        Scope(f"run:{run_id}", "per_run_usd"),
    ]


def _recharge(connection: Connection, row: sa.Row[Any], charged_nanousd: int) -> None:
    difference = charged_nanousd - row.charged_nanousd
    if difference:
        for scope in _scopes(row.run_id, row.campaign, row.month):
            charge(connection, scope.name, difference, None)
    connection.execute(
        orders.update().where(orders.c.order_id == row.order_id).values(charged_nanousd=charged_nanousd)
    )


def _locked(connection: Connection, order_id: str, states: Sequence[OrderState]) -> sa.Row[Any]:
    row = connection.execute(sa.select(orders).where(orders.c.order_id == order_id).with_for_update()).first()
    if row is None or row.state not in states:
        raise _wrong_state(order_id, " or ".join(states))
    return row


def _wrong_state(order_id: str, expected: str) -> LedgerError:
    return LedgerError(
        where=f"order {order_id}",
        what=f"is not {expected}; another process moved it",
        money="It was not sent from here.",
        next_step="Let the other run finish, then: runoff run --resume latest",
    )


def _over_budget(connection: Connection, order: Order, scope: Scope, limit: Decimal | None) -> BudgetError:
    charged = ensure(connection, scope.name)
    return BudgetError(
        where=f"budget {scope.key}",
        what=f"{from_nanousd(charged)} dollars are spent or reserved of {limit}, and the next order may cost "
        f"{order.estimate_usd}",
        money="The order was not sent; what was bought stays.",
        next_step=f"Raise it in the run's own campaign.yaml, then: runoff run --resume {order.run_id}",
    )


def _row(order: Order, position: int) -> dict[str, Any]:
    return {
        "order_id": order.order_id,
        "run_id": order.run_id,
        "campaign": order.campaign,
        "position": position,
        "stage": order.stage,
        "arm": order.arm,
        "row": order.row,
        "replicate": order.replicate,
        "attempt": order.attempt,
        "prompt": order.prompt,
        "provider": order.provider,
        "endpoint": order.endpoint,
        "lane": order.lane,
        "parameters": dict(order.parameters),
        "references": [asdict(reference) for reference in order.references],
        "mask": None if order.mask is None else asdict(order.mask),
        "draft_id": order.draft_id,
        "state": "planned",
        "estimate_nanousd": to_nanousd(order.estimate_usd),
        "charged_nanousd": 0,
        "n_sends": 0,
    }


def _record(row: sa.Row[Any]) -> OrderRecord:
    return OrderRecord(
        order=_order(row),
        state=row.state,
        n_sends=row.n_sends,
        sent_at=None if row.sent_at is None else row.sent_at.replace(tzinfo=UTC),
        charged_usd=from_nanousd(row.charged_nanousd),
        settlement=None if row.state in ("planned", "sent") else _settlement(row),
    )


def _order(row: sa.Row[Any]) -> Order:
    return Order(
        run_id=row.run_id,
        campaign=row.campaign,
        stage=row.stage,
        arm=row.arm,
        row=row.row,
        replicate=row.replicate,
        attempt=row.attempt,
        prompt=row.prompt,
        provider=row.provider,
        endpoint=row.endpoint,
        lane=row.lane,
        parameters=row.parameters,
        estimate_usd=from_nanousd(row.estimate_nanousd),
        references=tuple(Reference(**reference) for reference in row._mapping["references"]),
        mask=None if row.mask is None else Reference(**row.mask),
        draft_id=row.draft_id,
    )


def _settlement(row: sa.Row[Any]) -> Settlement:
    return Settlement(
        state=row.state,
        cost_usd=None if row.cost_nanousd is None else from_nanousd(row.cost_nanousd),
        usage=Usage(row.text_input_tokens, row.image_input_tokens, row.output_tokens),
        latency_s=row.latency_s,
        vendor_request_id=row.vendor_request_id,
        error_code=row.error_code,
        error_message=row.error_message,
        is_charged=row.charged_nanousd > 0,
    )
