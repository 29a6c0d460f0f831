"""Replans a resumed run whose campaign or models have changed.

Before a run is resumed a model may be shut down, or the campaign edited. Planned orders that are no longer
wanted are withdrawn: they were never bought. And no place (a draft's replicate, an attempt at a final) is
bought twice because its request would be different today.
"""

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import replace

import sqlalchemy as sa

from tasks.ledger.database import run_again
from tasks.ledger.ledger import Ledger
from tasks.ledger.many_ids import in_parts
from tasks.ledger.order_rows import OrderRecord
from tasks.ledger.schema import batch_orders, orders, runs
from tasks.order import Order

Place = tuple[str, str, int, int, int, str | None, str | None]


def replan(
    ledger: Ledger, run_id: str, new: Sequence[Order], wants_final: Callable[[Order], bool]
) -> list[Order]:
    """Make a run's planned orders equal to what is wanted now. Call it only under the run lock.

    A planned draft that is not in ``new`` is withdrawn and replaced by the one for the same place; a planned
    final that differs from what finals request today is withdrawn, and planned again later. Places already
    bought are left alone.

    Args:
        ledger: The ledger.
        run_id: The run.
        new: Every draft order of today's plan.
        wants_final: Returns whether a planned final is what the campaign requests today.

    Returns:
        The withdrawn orders.

    Raises:
        LedgerError: The database cannot be written; it is unchanged or fully planned.
    """
    wanted = {order.order_id for order in new}
    planned = [record.order for record in ledger.orders.of_run(run_id, "planned")]
    withdrawn = [order for order in planned if not _is_wanted(order, wanted, wants_final)]
    _withdraw(ledger, [order.order_id for order in withdrawn])
    plan_open(ledger, run_id, [*new, *_again(withdrawn, new)])
    return withdrawn


def _again(withdrawn: Sequence[Order], new: Sequence[Order]) -> Iterator[Order]:
    """Give orders that are to be resent after an unknown answer today's content."""
    today = {(order.arm, order.row, order.replicate): order for order in new if not order.is_further_draft}
    for order in withdrawn:
        heir = today.get((order.arm, order.row, order.replicate))
        if order.is_draft and order.attempt and heir is not None:
            yield replace(heir, attempt=order.attempt)


def plan_open(ledger: Ledger, run_id: str, new: Sequence[Order]) -> None:
    """Plan the orders whose place was certainly not bought.

    A failed or refused order leaves its place open to a different request; the same request is not repeated.

    Args:
        ledger: The ledger.
        run_id: The run.
        new: The orders of the plan.

    Raises:
        LedgerError: The database cannot be written. No order was planned.
    """
    ledger.orders.plan(_open(ledger.orders.of_run(run_id), new))


def replan_finals(ledger: Ledger, run_id: str, new: Sequence[Order]) -> None:
    """Make a run's planned finals equal to what is bought now. Call it only under the run lock.

    A planned final that is not in ``new`` is withdrawn: its picture is gone or another by now, its draft is
    no finalist any more, or its attempt comes later and is planned again then.

    Args:
        ledger: The ledger.
        run_id: The run.
        new: The orders of one attempt at each final.

    Raises:
        LedgerError: The database cannot be written; it is unchanged or fully planned.
    """
    wanted = {order.order_id for order in new}
    planned = [record.order for record in ledger.orders.of_run(run_id, "planned")]
    _withdraw(ledger, [one.order_id for one in planned if one.is_final and one.order_id not in wanted])
    plan_open(ledger, run_id, new)


def left_to_send(ledger: Ledger, run_id: str, new: Sequence[Order]) -> list[Order]:
    """List the orders of a plan that a resumed run would still send. Changes nothing.

    Args:
        ledger: The ledger.
        run_id: The run.
        new: The orders of the plan.
    """
    records = ledger.orders.of_run(run_id)
    ended = {record.order.order_id for record in records if record.state != "planned"}
    return [order for order in _open(records, new) if order.order_id not in ended]


def find_replaced(ledger: Ledger, run_id: str, new: Sequence[Order]) -> list[str]:
    """Warn of references and masks that are other pictures now than drafts were made from. Changes nothing.

    Args:
        ledger: The ledger.
        run_id: The run.
        new: Every draft order of today's plan.

    Returns:
        A sentence for each file that a draft which is left to send is made from.
    """
    if not any(order.sent for order in new):
        return []
    records = ledger.orders.of_run(run_id)
    bought = {place: one.order for one in records if _holds(one) for place in _places(one.order)}
    left = {picture.file for order in _open(records, new) for picture in order.sent}
    replaced = set()
    for order in new:
        if (before := bought.get(next(_places(order)))) is not None:
            known = {picture.sha256 for picture in before.sent}
            replaced |= {picture.file for picture in order.sent if picture.sha256 not in known}
    return [
        f"{file} is not the picture that earlier drafts of this run were made from; what is left is made from"
        " what it is now. Put the earlier file back to have all made from one."
        for file in sorted(left & replaced)
    ]


def _open(records: Sequence[OrderRecord], new: Sequence[Order]) -> list[Order]:
    taken = {place for record in records if _holds(record) for place in _places(record.order)}
    return [order for order in new if taken.isdisjoint(_places(order))]


@run_again
def add_warnings(ledger: Ledger, run_id: str, warnings: Sequence[str]) -> None:
    """Add warnings to those of a run; each sentence is stored once.

    Args:
        ledger: The ledger.
        run_id: The run.
        warnings: The sentences to add.
    """
    with ledger.database.write() as connection:
        this_run = runs.c.run_id == run_id
        before = connection.execute(sa.select(runs.c.warnings).where(this_run)).scalar_one()
        after = list(dict.fromkeys([*before, *warnings]))
        if after != list(before):
            connection.execute(runs.update().where(this_run).values(warnings=after))


def _holds(record: OrderRecord) -> bool:
    return record.state in ("sent", "received", "unknown")


def _is_wanted(order: Order, wanted: Collection[str], wants_final: Callable[[Order], bool]) -> bool:
    if order.is_question:  # planned when needed; one resent by a person's decision stays
        return order.attempt > 0
    if order.is_further_draft:  # a person agreed to it, whatever the campaign asks for by now
        return True
    if order.is_final:
        return wants_final(order)
    return replace(order, attempt=0).order_id in wanted


def _places(order: Order) -> Iterator[Place]:
    for replicate in range(order.replicate, order.replicate + order.n):
        yield order.stage, order.arm, order.row, replicate, order.attempt, order.draft_id, order.edition


@run_again
def _withdraw(ledger: Ledger, ids: Sequence[str]) -> None:
    if not ids:
        return
    with ledger.database.write() as connection:
        for part in in_parts(ids):
            some = orders.c.order_id.in_(part)
            gone = sa.select(orders.c.order_id).where(some, orders.c.state == "planned")
            # A batch that expired or was rejected still lists its orders, which are planned again.
            connection.execute(sa.delete(batch_orders).where(batch_orders.c.order_id.in_(gone)))
            connection.execute(sa.delete(orders).where(some, orders.c.state == "planned"))
