"""Further rounds: drafts that a person asked for from one picture of a run, beside those of the campaign.

A round and its orders are written in one transaction, when a person has agreed to its price; whatever ends
the process after that, the orders are there and a resumed run sends those that are still planned. The same
key is never written twice, so that a repeated call of one purchase is one purchase.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from tasks.ledger.database import Database, reconnecting
from tasks.ledger.orders import insert_planned
from tasks.ledger.schema import further_rounds, orders
from tasks.money import from_nanousd, to_nanousd
from tasks.order import Order


@dataclass(frozen=True, slots=True)
class FurtherRound:
    """One further round.

    Args:
        run_id: The run.
        number: From 1.
        candidate_id: The picture that its drafts grew from.
        asked: What was asked for, as plain data.
        key: Identifies this purchase.
        estimate_usd: The most that its drafts cost, which was agreed to, dollars.
        asked_by: Who agreed.
        asked_at: Aware UTC time.
    """

    run_id: str
    number: int
    candidate_id: str
    asked: Mapping[str, Any]
    key: str
    estimate_usd: Decimal
    asked_by: str
    asked_at: datetime


@dataclass(frozen=True, slots=True)
class Place:
    """Where the drafts of a new further round go: its number, and the first free replicate of arm and row."""

    number: int
    replicate: int


@reconnecting
class FurtherRounds:
    """The further rounds of one ledger."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def of_run(self, run_id: str) -> list[FurtherRound]:
        """List a run's further rounds, the first one first."""
        query = sa.select(further_rounds).where(further_rounds.c.run_id == run_id)
        with self._database.read() as connection:
            return [_round(row) for row in connection.execute(query.order_by(further_rounds.c.number))]

    def next_place(self, run_id: str, arm: str, row: int) -> Place:
        """Return where the drafts of the next further round go; writes nothing.

        Args:
            run_id: The run.
            arm: The arm of the picture that they grow from.
            row: Its row.
        """
        with self._database.read() as connection:
            return _next_place(connection, run_id, arm, row)

    def begin(self, asked: FurtherRound, arm: str, row: int, made: Callable[[Place], Sequence[Order]]) -> int:
        """Write a round with its orders as ``planned``; one with this key that is there stays as it is.

        Args:
            asked: The round; its number is given here.
            arm: The arm of the picture that its drafts grow from.
            row: Its row.
            made: Builds its orders for a place.

        Returns:
            The round's number, of the one that was there or of the new one.

        Raises:
            LedgerError: The database cannot be written. No round and no order was written.
        """
        with self._database.write() as connection:
            known = _known(connection, asked)
            if known is not None:
                return known
            place = _next_place(connection, asked.run_id, arm, row)
            connection.execute(
                further_rounds.insert().values(
                    run_id=asked.run_id,
                    number=place.number,
                    candidate_id=asked.candidate_id,
                    asked=dict(asked.asked),
                    key=asked.key,
                    estimate_nanousd=to_nanousd(asked.estimate_usd),
                    asked_by=asked.asked_by,
                    asked_at=asked.asked_at,
                )
            )
            last = sa.select(sa.func.max(orders.c.position)).where(
                orders.c.run_id == asked.run_id, orders.c.stage == "draft"
            )
            position = connection.execute(last).scalar()
            insert_planned(connection, made(place), 0 if position is None else position + 1)
            return place.number


def _known(connection: Connection, asked: FurtherRound) -> int | None:
    query = sa.select(further_rounds.c.number)
    query = query.where(further_rounds.c.run_id == asked.run_id, further_rounds.c.key == asked.key)
    number: int | None = connection.execute(query).scalar()
    return number


def _next_place(connection: Connection, run_id: str, arm: str, row: int) -> Place:
    """Find the next number, also where a rebuilt ledger has only the orders of earlier rounds."""
    of_rounds = sa.select(sa.func.max(further_rounds.c.number)).where(further_rounds.c.run_id == run_id)
    of_orders = sa.select(sa.func.max(orders.c.further_round)).where(orders.c.run_id == run_id)
    numbers = [connection.execute(query).scalar() or 0 for query in (of_rounds, of_orders)]
    own = (orders.c.run_id == run_id) & (orders.c.arm == arm) & (orders.c.row == row)
    drafts = sa.select(orders.c.replicate, orders.c.parameters).where(own, orders.c.stage == "draft")
    ends = [one.replicate + int(one.parameters.get("n", 1)) for one in connection.execute(drafts)]
    return Place(max(numbers) + 1, max(ends, default=0))


def _round(row: sa.Row[Any]) -> FurtherRound:
    return FurtherRound(
        run_id=row.run_id,
        number=row.number,
        candidate_id=row.candidate_id,
        asked=row.asked,
        key=row.key,
        estimate_usd=from_nanousd(row.estimate_nanousd),
        asked_by=row.asked_by,
        asked_at=row.asked_at,
    )
