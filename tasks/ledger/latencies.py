"""How long answers took, by what was asked for."""

from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from tasks.ledger.database import Database, reconnecting
from tasks.ledger.schema import orders
from tasks.order import Order

SLOWEST_READ = 1_000
"""How many of the slowest orders are looked at: those of a kind that is not among them were faster."""


@dataclass(frozen=True, slots=True)
class RequestKind:
    """What an answer's time depends on; a value that an order does not name is ``None``."""

    provider: str
    model: str | None
    quality: str | None
    size: str | None

    @classmethod
    def of(cls, order: Order) -> "RequestKind":
        """Return the kind of an order."""
        return _kind(order.provider, order.parameters)


def _kind(provider: str, parameters: Any) -> RequestKind:  # noqa: ANN401 - JSON
    return RequestKind(provider, *(parameters.get(name) for name in ("model", "quality", "size")))


@reconnecting
class Latencies:
    """The times that one ledger's orders took."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def slowest_s(self, over_s: float) -> dict[RequestKind, float]:
        """Return the slowest received answer of each kind, seconds.

        Args:
            over_s: Faster ones are not looked at.
        """
        slow = (orders.c.latency_s > over_s) & (orders.c.state == "received")
        query = (
            sa.select(orders.c.provider, orders.c.parameters, orders.c.latency_s)
            .where(slow)
            .order_by(orders.c.latency_s.desc())
            .limit(SLOWEST_READ)
        )
        found: dict[RequestKind, float] = {}
        with self._database.read() as connection:
            for row in connection.execute(query):
                found.setdefault(_kind(row.provider, row.parameters), row.latency_s)
        return found
