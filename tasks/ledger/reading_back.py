"""Orders and pictures that were read back from the files of a run, entered into a ledger that lacks them.

What the ledger knows already stays. A run that it does not know becomes ``stopped``: nothing takes it up by
itself, and nothing of it is deleted.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from tasks.candidate import Receipt
from tasks.ledger.answers import insert_answers
from tasks.ledger.budgets import add_up_again
from tasks.ledger.candidates import insert_receipts
from tasks.ledger.database import Database
from tasks.ledger.homes import place_of
from tasks.ledger.order_rows import Settlement, error_columns
from tasks.ledger.orders import insert_planned
from tasks.ledger.runs import insert_run
from tasks.ledger.schema import candidates, orders
from tasks.money import from_nanousd, to_nanousd
from tasks.order import Order


@dataclass(frozen=True, slots=True)
class FoundOrder:
    """An order that the files of a run tell of.

    Args:
        order: The order.
        settlement: How it ended.
        receipts: Its pictures.
        answer: For a judge's order, the model's answer.
        moment: When it was sent, or near it; aware. Its month (UTC) is the one charged.
        is_moment_known: Whether that is when it was sent, and not the time of a file.
    """

    order: Order
    settlement: Settlement
    receipts: Sequence[Receipt]
    answer: str | None
    moment: datetime
    is_moment_known: bool


@dataclass(frozen=True, slots=True)
class FoundRun:
    """A run whose folder was found.

    Args:
        run_id: The run.
        campaign: The campaign's name.
        provider: The provider's name.
        started_at: When it was begun, aware.
        warning: What is to be said about it if the ledger does not know it.
    """

    run_id: str
    campaign: str
    provider: str
    started_at: datetime
    warning: str


def enter(database: Database, run: FoundRun, found: Sequence[FoundOrder]) -> tuple[int, Decimal]:
    """Enter what was found of a run in one transaction, and add the budgets up again.

    Args:
        database: The ledger's database.
        run: The run; begun if the ledger does not know it.
        found: Its orders; those that the ledger knows as sent or ended are left alone.

    Returns:
        How many orders were entered, and what they are charged, dollars.

    Raises:
        LedgerError: The ledger cannot be written. Nothing was changed.
    """
    with database.write() as connection:
        _insert_run(connection, run, database.home)
        insert_planned(connection, [one.order for one in found])
        charged = [_enter_order(connection, one) for one in found]
        add_up_again(connection)
    entered = [nanousd for nanousd in charged if nanousd is not None]
    return len(entered), from_nanousd(sum(entered))


def correct_sums(database: Database) -> None:
    """Replace every budget by the sum of its orders.

    Raises:
        LedgerError: The ledger cannot be written. Nothing was changed.
    """
    with database.write() as connection:
        add_up_again(connection)


def _insert_run(connection: Connection, run: FoundRun, home: Path | None) -> None:
    values: dict[str, Any] = {
        "run_id": run.run_id,
        "campaign": run.campaign,
        "provider": run.provider,
        "state": "stopped",
        "started_at": run.started_at,
        "warnings": [run.warning],
        "home": place_of(home) if home else None,
    }
    insert_run(connection, values)


def _enter_order(connection: Connection, found: FoundOrder) -> int | None:
    """Settle an order that is only planned; return its charge, nano-dollars, ``None`` if it was not."""
    order, settlement = found.order, found.settlement
    charged = to_nanousd(settlement.charged_usd(order.estimate_usd))
    values = {
        "state": settlement.state,
        "month": f"{found.moment.astimezone(UTC):%Y-%m}",
        "sent_at": found.moment if found.is_moment_known else None,
        "n_sends": 1,
        "charged_nanousd": charged,
        "cost_nanousd": None if settlement.cost_usd is None else to_nanousd(settlement.cost_usd),
        "latency_s": settlement.latency_s,
        "vendor_request_id": settlement.vendor_request_id,
        **error_columns(settlement.error_code, settlement.error_message),
        **asdict(settlement.usage),
    }
    is_planned = (orders.c.order_id == order.order_id) & (orders.c.state == "planned")
    if connection.execute(orders.update().where(is_planned).values(values)).rowcount != 1:
        return None
    known = sa.select(candidates.c.candidate_id).where(candidates.c.order_id == order.order_id)
    kept = set(connection.execute(known).scalars())
    new = [(order.run_id, one) for one in found.receipts if one.candidate_id not in kept]
    insert_receipts(connection, new)
    if found.answer is not None:
        insert_answers(connection, {order.order_id: found.answer})
    return charged
