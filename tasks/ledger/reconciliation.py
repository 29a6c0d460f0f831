"""Reconciliation of orders with the provider's bill, by a person.

An unknown order was sent and may have been billed. Only the provider's bill can tell, so nothing is guessed:
``billed`` and ``unbilled`` end the order as ``failed``, with or without a charge; ``resend`` leaves it
unknown and charged, and plans another order for the same picture. ``corrected`` replaces the cost of an order
that has ended, whose state stays. Every verdict is one row that is never changed; it holds the charge before.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Any, Literal

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from tasks.errors import LedgerError
from tasks.ledger.budgets import recharge
from tasks.ledger.database import Database, reconnecting
from tasks.ledger.order_rows import OrderRecord, Settlement, order_record
from tasks.ledger.orders import insert_planned
from tasks.ledger.schema import orders, reconciliations
from tasks.money import from_nanousd, to_nanousd
from tasks.order import BILLED_WITHOUT_PICTURE, Order, OrderState

Verdict = Literal["billed", "unbilled", "resend", "corrected"]
ERROR_CODES: Mapping[str, str] = {"billed": BILLED_WITHOUT_PICTURE, "unbilled": "not_billed"}
ENDED: tuple[OrderState, ...] = ("received", "refused", "failed")
_PLACE = ("run_id", "stage", "arm", "row", "replicate", "draft_id", "edition")


@dataclass(frozen=True, slots=True)
class Reconciliation:
    """One verdict on one order.

    Args:
        order_id: The order.
        run_id: Its run.
        verdict: ``billed``, ``unbilled``, ``resend`` or ``corrected``.
        cost_usd: What it was billed, if given.
        charged_usd: What it is charged to its budgets from now on.
        resent_as: The id of the order planned in its place.
        reconciled_by: Who decided: a user of this machine, or the campaign's rule.
        reconciled_at: Aware UTC time.
        charged_before_usd: What it was charged before; ``None`` in verdicts of earlier versions.
    """

    order_id: str
    run_id: str
    verdict: Verdict
    cost_usd: Decimal | None
    charged_usd: Decimal
    resent_as: str | None
    reconciled_by: str
    reconciled_at: datetime
    charged_before_usd: Decimal | None = None


@dataclass(frozen=True, slots=True)
class UnknownOrder:
    """An unknown order, and the order planned in its place, if any."""

    record: OrderRecord
    resent_as: str | None


@reconnecting
class Reconciliations:
    """The unknown orders of one ledger, and the verdicts on orders."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def unknown(self, run_id: str | None = None) -> list[UnknownOrder]:
        """List the unknown orders, of one run or of all, in the order of sending."""
        query = sa.select(orders).where(orders.c.state == "unknown")
        if run_id is not None:
            query = query.where(orders.c.run_id == run_id)
        with self._database.read() as connection:
            rows = connection.execute(query.order_by(orders.c.sent_at, orders.c.order_id)).all()
            resent = _resent(connection, rows)
        return [UnknownOrder(order_record(row), resent.get(row.order_id)) for row in rows]

    def record(
        self,
        order_ids: Sequence[str],
        verdict: Verdict,
        *,
        by: str,
        now: datetime,
        cost_usd: Decimal | None = None,
        today: Sequence[Order] = (),
    ) -> list[Reconciliation]:
        """Record a verdict on unknown orders: on all of them, or on none.

        ``resend`` plans a new order for each; the next ``runoff run --resume`` buys it. That may cost twice.

        Args:
            order_ids: The orders.
            verdict: What became of them.
            by: Who decides.
            now: Aware time.
            cost_usd: For ``billed``, what each was billed, 0 or more; their estimates when not given.
            today: For ``resend``, the run's orders as planned today: the one in the same place is ordered if
                there is one, else a repeat of the unknown order.

        Raises:
            LedgerError: An order is not unknown, or was resent before. Nothing was changed.
        """
        cost = None if cost_usd is None else to_nanousd(cost_usd)
        with self._database.write() as connection:
            rows = _locked(connection, order_ids, ("unknown",))
            resent = _plan_again(connection, rows, today) if verdict == "resend" else {}
            if verdict != "resend":
                _end(connection, rows, verdict, cost)
            verdicts = [
                _verdict(row, verdict, cost, _charged(row, verdict, cost), by, now)
                | {"resent_as": resent.get(row.order_id)}
                for row in rows
            ]
            if verdicts:
                connection.execute(reconciliations.insert(), verdicts)
        return [_reconciliation(row.run_id, facts) for row, facts in zip(rows, verdicts, strict=True)]

    def correct(
        self, order_ids: Sequence[str], cost_usd: Decimal, *, by: str, now: datetime
    ) -> list[Reconciliation]:
        """Replace the cost of orders that have ended, of all of them or of none; their states stay.

        The budgets of the month in which they were sent follow. The cost before stays in the verdict.

        Args:
            order_ids: The orders; each is ``received``, ``refused`` or ``failed``.
            cost_usd: What each was billed, 0 or more.
            by: Who decides.
            now: Aware time.

        Raises:
            LedgerError: An order is in another state. Nothing was changed.
        """
        cost = to_nanousd(cost_usd)
        with self._database.write() as connection:
            rows = _locked(connection, order_ids, ENDED)
            recharge(connection, [(row, cost) for row in rows])
            ids = [row.order_id for row in rows]
            connection.execute(orders.update().where(orders.c.order_id.in_(ids)).values(cost_nanousd=cost))
            verdicts = [_verdict(row, "corrected", cost, cost, by, now) for row in rows]
            if verdicts:
                connection.execute(reconciliations.insert(), verdicts)
        return [_reconciliation(row.run_id, facts) for row, facts in zip(rows, verdicts, strict=True)]

    def history(self) -> list[Reconciliation]:
        """List every verdict, oldest first."""
        query = sa.select(reconciliations, orders.c.run_id).join(
            orders, orders.c.order_id == reconciliations.c.order_id
        )
        with self._database.read() as connection:
            rows = connection.execute(query.order_by(reconciliations.c.reconciliation_id))
            return [_reconciliation(row.run_id, row._mapping) for row in rows]


def _locked(
    connection: Connection, order_ids: Sequence[str], states: Sequence[OrderState]
) -> Sequence[sa.Row[Any]]:
    wanted = sorted(set(order_ids))
    query = sa.select(orders).where(orders.c.order_id.in_(wanted), orders.c.state.in_(states))
    rows = connection.execute(query.order_by(orders.c.order_id).with_for_update()).all()
    if wrong := [name for name in wanted if name not in {row.order_id for row in rows}]:
        raise _refused(wrong, f"not {' or '.join(states)}", f"orders that are {' or '.join(states)}")
    return rows


def _verdict(
    row: sa.Row[Any], verdict: Verdict, cost: int | None, charged: int, by: str, now: datetime
) -> dict[str, Any]:
    """Build a row of the table; amounts are nano-dollars."""
    return {
        "order_id": row.order_id,
        "verdict": verdict,
        "cost_nanousd": cost,
        "charged_nanousd": charged,
        "resent_as": None,
        "reconciled_by": by,
        "reconciled_at": now,
        "charged_before_nanousd": row.charged_nanousd,
    }


def _cost(row: sa.Row[Any], verdict: Verdict, cost: int | None) -> int | None:
    """Return an order's cost after a verdict, nano-dollars: the amount given, else that of its usage."""
    if verdict == "unbilled":
        return None
    known: int | None = row.cost_nanousd
    return known if cost is None else cost


def _charged(row: sa.Row[Any], verdict: Verdict, cost: int | None) -> int:
    """Return what an order is charged to its budgets after a verdict, nano-dollars."""
    end = Settlement("failed", is_charged=verdict != "unbilled")
    if (known := _cost(row, verdict, cost)) is not None:
        end = replace(end, cost_usd=from_nanousd(known))
    return to_nanousd(end.charged_usd(from_nanousd(row.estimate_nanousd)))


def _end(connection: Connection, rows: Sequence[sa.Row[Any]], verdict: Verdict, cost: int | None) -> None:
    recharge(connection, [(row, _charged(row, verdict, cost)) for row in rows])
    for row in rows:
        before = f"{row.error_code}: {row.error_message}"
        connection.execute(
            orders.update()
            .where(orders.c.order_id == row.order_id)
            .values(
                state="failed",
                cost_nanousd=_cost(row, verdict, cost),
                error_code=ERROR_CODES[verdict],
                error_message=f"A person found it {verdict} after it was unknown ({before}).",
            )
        )


def _plan_again(
    connection: Connection, rows: Sequence[sa.Row[Any]], today: Sequence[Order]
) -> dict[str, str]:
    """Plan another order for each place; return the new order's id by the old one's."""
    if twice := sorted(_resent(connection, rows)):
        raise _refused(twice, "ordered again already", "orders that are unknown")
    last = _last_attempts(connection, sorted({row.run_id for row in rows}))
    contents = {(_place(order), order.n): order for order in today}
    again: dict[str, Order] = {}
    for row in rows:
        order = order_record(row).order
        place = _place(row)
        last[place] += 1
        again[row.order_id] = replace(contents.get((place, order.n), order), attempt=last[place])
    insert_planned(connection, list(again.values()))
    return {order_id: order.order_id for order_id, order in again.items()}


def _place(order: Order | sa.Row[Any]) -> tuple[Any, ...]:
    return tuple(getattr(order, name) for name in _PLACE)


def _last_attempts(connection: Connection, run_ids: Sequence[str]) -> dict[tuple[Any, ...], int]:
    place = [orders.c[name] for name in _PLACE]
    query = sa.select(*place, sa.func.max(orders.c.attempt)).where(orders.c.run_id.in_(run_ids))
    return {tuple(row[:-1]): row[-1] for row in connection.execute(query.group_by(*place))}


def _resent(connection: Connection, rows: Sequence[sa.Row[Any]]) -> dict[str, str]:
    """Return the id of the order that replaces each of the given orders, if any.

    A further attempt at a draft always replaces an earlier one; for finals a verdict must say so. An order
    withdrawn before it was sent replaces nothing, but one planned instead of it does.
    """
    named_by_verdict = {
        row.order_id: row.resent_as
        for row in connection.execute(sa.select(reconciliations).where(reconciliations.c.verdict == "resend"))
    }
    of_runs = orders.c.run_id.in_(sorted({row.run_id for row in rows}))
    later: dict[tuple[Any, ...], list[sa.Row[Any]]] = {}
    again = sa.select(orders).where(of_runs, orders.c.attempt > 0).order_by(orders.c.attempt)
    for row in connection.execute(again):
        later.setdefault(_place(row), []).append(row)
    resent: dict[str, str] = {}
    for row in rows:
        heirs = [heir.order_id for heir in later.get(_place(row), ()) if heir.attempt > row.attempt]
        if heirs and (row.stage == "draft" or row.order_id in named_by_verdict):
            named = named_by_verdict.get(row.order_id)
            resent[row.order_id] = heirs[0] if named not in heirs else str(named)
    return resent


def _reconciliation(run_id: str, facts: Mapping[Any, Any]) -> Reconciliation:
    before = facts["charged_before_nanousd"]
    return Reconciliation(
        order_id=facts["order_id"],
        run_id=run_id,
        verdict=facts["verdict"],
        cost_usd=None if facts["cost_nanousd"] is None else from_nanousd(facts["cost_nanousd"]),
        charged_usd=from_nanousd(facts["charged_nanousd"]),
        resent_as=facts["resent_as"],
        reconciled_by=facts["reconciled_by"],
        reconciled_at=facts["reconciled_at"],
        charged_before_usd=None if before is None else from_nanousd(before),
    )


def _refused(order_ids: Sequence[str], what: str, accepted: str) -> LedgerError:
    return LedgerError(
        where=f"order {', '.join(order_ids[:5])}",
        what=f"{'is' if len(order_ids) == 1 else 'are'} {what}",
        accepted=accepted,
        money="Nothing was changed.",
        next_step="List them with: runoff ledger unknown",
    )
