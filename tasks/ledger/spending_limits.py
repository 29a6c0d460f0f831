"""The team's monthly limit: set in the ledger, so that it holds on every machine, whatever its environment.

Each change is a row, with who made it and when; the newest counts. A variable or ``limits.yaml`` of a machine
can only lower it there (``tasks.ledger.monthly_limit``).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import NamedTuple

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from tasks.errors import LedgerError
from tasks.ledger.database import Database, reconnecting
from tasks.ledger.looking import looking_into
from tasks.ledger.schema import spending_limits
from tasks.money import from_nanousd, to_nanousd

_NEWEST = sa.select(spending_limits.c.per_month_nanousd).where(
    spending_limits.c.limit_id == sa.select(sa.func.max(spending_limits.c.limit_id)).scalar_subquery()
)


@dataclass(frozen=True, slots=True)
class SpendingLimit:
    """A limit that somebody set.

    Args:
        per_month_usd: By all campaigns in one calendar month (UTC), dollars; ``None`` for no limit.
        set_by: Who set it.
        set_at: When, aware UTC time.
    """

    per_month_usd: Decimal | None
    set_by: str
    set_at: datetime


@reconnecting
class SpendingLimits:
    """The monthly limits of one ledger, the one that counts and those before it."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def set(self, per_month_usd: Decimal | None, by: str, now: datetime) -> None:
        """Set the limit, from the next order on, on every machine.

        Args:
            per_month_usd: Dollars in a calendar month (UTC); ``None`` for no limit, 0 to buy nothing.
            by: Who sets it.
            now: Aware time.
        """
        nanousd = None if per_month_usd is None else to_nanousd(per_month_usd)
        row = {"per_month_nanousd": nanousd, "set_by": by, "set_at": now}
        with self._database.write() as connection:
            connection.execute(spending_limits.insert().values(row))

    def all(self) -> list[SpendingLimit]:
        """List the limits, the one that counts first; none if nobody ever set one."""
        query = sa.select(spending_limits).order_by(spending_limits.c.limit_id.desc())
        with self._database.read() as connection:
            return [_limit(row) for row in connection.execute(query)]

    def per_month_usd(self) -> Decimal | None:
        """Return the limit that counts, dollars in a calendar month (UTC); ``None`` for no limit."""
        with self._database.read() as connection:
            return limit_now(connection)


def limit_now(connection: Connection) -> Decimal | None:
    """Return the limit that counts, dollars in a calendar month (UTC); ``None`` for no limit.

    Args:
        connection: The caller's transaction.
    """
    nanousd = connection.execute(_NEWEST).scalar()
    return None if nanousd is None else from_nanousd(int(nanousd))


def lower_of(*limits_usd: Decimal | None) -> Decimal | None:
    """Return the lowest of some limits, dollars; ``None`` where none of them limits."""
    return min((limit for limit in limits_usd if limit is not None), default=None)


class KnownLimit(NamedTuple):
    """The limit of a ledger, for a plan.

    Args:
        per_month_usd: Dollars; ``None`` if there is none, or it is not known.
        is_away: The ledger could not be asked.
    """

    per_month_usd: Decimal | None = None
    is_away: bool = False


def known_limit(home: Path, environ: Mapping[str, str]) -> KnownLimit:
    """Read the limit of a home's ledger for a plan, if the ledger can be asked now.

    Neither creates nor migrates it. What is bought is checked again, in the order's own transaction.
    """
    try:
        with looking_into(home, environ) as connection:
            if connection is not None and sa.inspect(connection).has_table(spending_limits.name):
                return KnownLimit(limit_now(connection))
    except LedgerError:
        return KnownLimit(is_away=True)
    return KnownLimit()


def _limit(row: sa.Row[tuple[object, ...]]) -> SpendingLimit:
    nanousd = row.per_month_nanousd
    return SpendingLimit(None if nanousd is None else from_nanousd(nanousd), row.set_by, row.set_at)
