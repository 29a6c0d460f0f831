"""Batches: orders submitted to a provider together, whose results come together hours later.

``reserved → uploaded → asked → created → collected``, or ``withdrawn`` when it was certainly not created, or
``lost`` when that is not known. Each step is recorded before the next one is taken: a batch not yet ``asked``
was certainly not created, and one that is ``asked`` must be searched for at the provider by its key before
anything else.
"""

import secrets
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from itertools import accumulate
from typing import Any, Literal

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from tasks.ledger.budgets import Books, Limits, Scope, over_budget, recharge, scopes_of
from tasks.ledger.database import Database, insert_new, reconnecting
from tasks.ledger.many_ids import in_parts
from tasks.ledger.order_rows import OrderRecord, error_columns, order_record
from tasks.ledger.orders import in_sequence
from tasks.ledger.run_hold import require_hold
from tasks.ledger.schema import batch_orders, batches, orders, uploads
from tasks.ledger.spending_limits import limit_now
from tasks.ledger.transitions import SEND, wrong_state
from tasks.money import to_nanousd
from tasks.order import Order

BatchState = Literal["reserved", "uploaded", "asked", "created", "collected", "withdrawn", "lost"]
OPEN: tuple[BatchState, ...] = ("reserved", "uploaded", "asked", "created")


@dataclass(frozen=True, slots=True)
class BatchRecord:
    """A batch as the ledger knows it.

    Args:
        batch_key: Runoff's id for it, also in its metadata at the provider.
        run_id: The run whose orders it holds.
        provider: The provider's name.
        state: Its state: see the module.
        n_orders: How many orders it was created with.
        input_file_id: The provider's id of the uploaded file.
        vendor_batch_id: The provider's id of the batch.
        vendor_status: The status that the provider last reported.
        reserved_at: When its orders were reserved; aware UTC time.
        asked_at: When the provider was last asked to create it.
        ended_at: When it was collected or given up.
    """

    batch_key: str
    run_id: str
    provider: str
    state: BatchState
    n_orders: int
    input_file_id: str | None
    vendor_batch_id: str | None
    vendor_status: str | None
    reserved_at: datetime
    asked_at: datetime | None
    ended_at: datetime | None


@reconnecting
class Batches:
    """The batches of one ledger."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def reserve(self, wanted: Sequence[Order], limits: Limits, now: datetime) -> tuple[str, int]:
        """Reserve orders' estimates, mark them ``sent`` and open a batch of them, all in one transaction.

        Args:
            wanted: Planned orders of one run, in the sequence in which they are bought; at least one.
            limits: The budgets that must hold.
            now: Aware time; its UTC month is the one charged.

        Returns:
            The batch's key, and how many orders it holds: from the first on, as many as the budgets allow.

        Raises:
            BudgetError: Not even the first order fits. Nothing was changed.
            RunError: Another process has taken the run over. Nothing was changed.
            LedgerError: An order is not planned: another process sent it. Nothing was changed.
        """
        first, key = wanted[0], f"b-{secrets.token_hex(10)}"
        month = f"{now.astimezone(UTC):%Y-%m}"
        estimates = [to_nanousd(order.estimate_usd) for order in wanted]
        with self._database.write() as connection:
            require_hold(connection, self._database, first.run_id)
            _lock_planned(connection, wanted)
            scopes = scopes_of(first.run_id, first.campaign, month)
            books = Books(connection, [scope.name for scope in scopes])
            count = _n_that_fit(books, scopes, first, estimates, limits, limit_now(connection))
            books.add(scopes, None, sum(estimates[:count]))
            books.write()
            reserved = [
                {"of": order.order_id, "at": now, "in_month": month, "reserved": estimate}
                for order, estimate in zip(wanted[:count], estimates, strict=False)
            ]
            connection.execute(SEND, reserved)
            connection.execute(
                batches.insert().values(
                    batch_key=key,
                    run_id=first.run_id,
                    provider=first.provider,
                    state="reserved",
                    n_orders=count,
                    reserved_at=now,
                )
            )
            members = [{"batch_key": key, "order_id": order.order_id} for order in wanted[:count]]
            connection.execute(batch_orders.insert(), members)
        return key, count

    def advance(self, batch_key: str, state: BatchState, **facts: Any) -> None:  # noqa: ANN401 - columns
        """Record a batch's state, with other columns that are known by now."""
        with self._database.write() as connection:
            this_one = batches.c.batch_key == batch_key
            connection.execute(batches.update().where(this_one).values(state=state, **facts))

    def withdraw(self, batch_key: str, error_code: str, error_message: str, now: datetime) -> None:
        """Withdraw a batch of which certainly nothing was billed: its unsettled orders are planned again.

        Args:
            batch_key: The batch.
            error_code: Why, as a code.
            error_message: The same for people.
            now: Aware time.
        """
        query = sa.select(orders).where(_out_of(batch_key)).order_by(orders.c.order_id).with_for_update()
        back = {"state": "planned", **error_columns(error_code, error_message)}
        over = {"state": "withdrawn", "ended_at": now}
        with self._database.write() as connection:
            recharge(connection, [(row, 0) for row in connection.execute(query).all()])
            connection.execute(orders.update().where(_out_of(batch_key)).values(back))
            connection.execute(batches.update().where(batches.c.batch_key == batch_key).values(over))

    def open_of(self, run_id: str) -> list[BatchRecord]:
        """List a run's unfinished batches, oldest first."""
        query = sa.select(batches).where(batches.c.run_id == run_id, batches.c.state.in_(OPEN))
        with self._database.read() as connection:
            rows = connection.execute(query.order_by(batches.c.reserved_at, batches.c.batch_key))
            return [BatchRecord(**row._mapping) for row in rows]

    def runs_out(self, campaign: str) -> list[str]:
        """List the runs of a campaign that have unfinished batches, oldest first."""
        query = _joined(orders.c.run_id).where(orders.c.campaign == campaign, batches.c.state.in_(OPEN))
        with self._database.read() as connection:
            return list(connection.execute(query.distinct().order_by(orders.c.run_id)).scalars())

    def orders_out(self, batch_key: str) -> list[OrderRecord]:
        """List an unfinished batch's orders without a result, in the order of the plan."""
        query = sa.select(orders).where(_out_of(batch_key)).order_by(*in_sequence())
        with self._database.read() as connection:
            return [order_record(row) for row in connection.execute(query)]

    def orders_of(self, batch_key: str) -> list[Order]:
        """List all orders of a batch, settled or not."""
        query = sa.select(orders).where(_in_batch(batch_key)).order_by(*in_sequence())
        with self._database.read() as connection:
            return [order_record(row).order for row in connection.execute(query)]

    def ids_out(self, run_id: str) -> set[str]:
        """List the ids of a run's orders whose batch is unfinished."""
        is_out = (orders.c.state == "sent") & batches.c.state.in_(OPEN)
        query = _joined(orders.c.order_id).where(orders.c.run_id == run_id, is_out)
        with self._database.read() as connection:
            return set(connection.execute(query).scalars())


def _joined(column: sa.Column[Any]) -> sa.Select[Any]:
    members = sa.join(batches, batch_orders, batches.c.batch_key == batch_orders.c.batch_key)
    return sa.select(column).select_from(members.join(orders, orders.c.order_id == batch_orders.c.order_id))


def _in_batch(batch_key: str) -> sa.ColumnElement[bool]:
    members = sa.select(batch_orders.c.order_id).where(batch_orders.c.batch_key == batch_key)
    return orders.c.order_id.in_(members)


def _out_of(batch_key: str) -> sa.ColumnElement[bool]:
    return _in_batch(batch_key) & (orders.c.state == "sent")


def _lock_planned(connection: Connection, wanted: Sequence[Order]) -> None:
    """Lock orders in the sequence of their ids, as all writers do, and check that each is planned."""
    ids = sorted(order.order_id for order in wanted)
    planned: set[str] = set()
    for part in in_parts(ids):
        some = orders.c.order_id.in_(part)
        query = sa.select(orders.c.order_id).where(some, orders.c.state == "planned")
        planned.update(connection.execute(query.order_by(orders.c.order_id).with_for_update()).scalars())
    if missing := next((order_id for order_id in ids if order_id not in planned), None):
        raise wrong_state(missing, "planned")


def _n_that_fit(
    books: Books,
    scopes: Sequence[Scope],
    first: Order,
    estimates: Sequence[int],
    limits: Limits,
    set_usd: Decimal | None,
) -> int:
    """Count how many orders, from the first on, fit into all budgets."""
    sums, count = list(accumulate(estimates)), len(estimates)
    for scope in scopes:
        limit, charged = scope.limit_usd(limits, set_usd), books.charged(scope.name)
        if limit is None:
            continue
        count = min(count, bisect_right(sums, to_nanousd(limit) - charged))
        if count == 0:
            raise over_budget(first, scope, limit, charged)
    return count


@reconnecting
class Uploads:
    """Files that a provider stores already: each is uploaded once, for any number of orders."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def known(self, provider: str) -> Mapping[str, str]:
        """Read a provider's file ids, by the digest that each file was recorded by."""
        query = sa.select(uploads.c.sha256, uploads.c.file_id).where(uploads.c.provider == provider)
        with self._database.read() as connection:
            return {row.sha256: row.file_id for row in connection.execute(query)}

    def record(self, provider: str, sha256: str, file_id: str, now: datetime) -> None:
        """Record a file's id at a provider; a newer upload of the same picture replaces it.

        Args:
            provider: The provider's name.
            sha256: Hex digest of the picture in the form in which it was sent.
            file_id: The provider's id of the file.
            now: Aware time.
        """
        is_it = (uploads.c.provider == provider) & (uploads.c.sha256 == sha256)
        facts = {"file_id": file_id, "uploaded_at": now}
        with self._database.write() as connection:
            if connection.execute(uploads.update().where(is_it).values(facts)).rowcount == 0:
                new = {"provider": provider, "sha256": sha256, **facts}
                connection.execute(insert_new(connection, uploads).values(new))
