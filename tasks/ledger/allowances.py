"""Allowances: the state of an account's rate limit, shared by all processes on one ledger.

An allowance is one row: its state, which only the rate limiter reads, changed under a lock and dated by the
database's clock, so that machines whose clocks differ agree on the time.
"""

from collections.abc import Callable
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from tasks.ledger.database import Database, insert_new, reconnecting
from tasks.ledger.schema import allowances

State = dict[str, Any]

_UNIX_EPOCH_JULIAN_DAY = 2440587.5
_CLOCK_S = {
    "sqlite": sa.text(f"SELECT (julianday('now') - {_UNIX_EPOCH_JULIAN_DAY}) * 86400.0"),
    # Not now(), which is the time when the transaction began, before it waited for the row.
    "postgresql": sa.text("SELECT extract(epoch FROM clock_timestamp())::float8"),
}


@reconnecting
class Allowances:
    """The allowances of one ledger."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def read(self, name: str) -> State | None:
        """Read an allowance as it was last left, without a lock; ``None`` if there is none.

        Raises:
            LedgerError: The database cannot be read.
        """
        query = sa.select(allowances.c.state).where(allowances.c.name == name)
        with self._database.read() as connection:
            state: State | None = connection.execute(query).scalar()
        return state

    def change(self, name: str, step: Callable[[State | None, float], State]) -> None:
        """Change an allowance in one transaction; concurrent changes wait for each other.

        Args:
            name: The allowance's name; must not be secret.
            step: Gets the state, ``None`` for a new one, and the database's time in seconds; returns the new
                state. It must not block.

        Raises:
            LedgerError: The database cannot be written; nothing was changed.
        """
        with self._database.write(is_durable=False) as connection:
            state = _locked(connection, name)
            now_s: float = connection.execute(_CLOCK_S[connection.dialect.name]).scalar_one()
            update = allowances.update().where(allowances.c.name == name)
            connection.execute(update.values(state=step(state, now_s)))


def _locked(connection: Connection, name: str) -> State | None:
    """Read and lock a state until this transaction ends; ``None`` in a new row."""
    query = sa.select(allowances.c.state).where(allowances.c.name == name).with_for_update()
    row = connection.execute(query).first()
    if row is None:
        connection.execute(insert_new(connection, allowances).values(name=name, state=None))
        row = connection.execute(query).one()
    state: State | None = row.state
    return state
