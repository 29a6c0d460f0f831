"""Allowances: what an account with a provider may be asked for, shared by all processes on one ledger.

An allowance is one row: its state, which only the buyer understands, changed under a lock and dated by the
database's own clock, so that machines whose clocks differ agree on what a minute is.
"""

from collections.abc import Callable
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from tasks.ledger.database import Database, insert_new
from tasks.ledger.schema import allowances

State = dict[str, Any]

_UNIX_EPOCH_JULIAN_DAY = 2440587.5
_CLOCK_S = {
    "sqlite": sa.text(f"SELECT (julianday('now') - {_UNIX_EPOCH_JULIAN_DAY}) * 86400.0"),
    # Not now(): that is when the transaction began, before it waited for the row.
    "postgresql": sa.text("SELECT extract(epoch FROM clock_timestamp())::float8"),
}


class Allowances:
    """The allowances of one ledger."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def change(self, name: str, step: Callable[[State | None, float], State]) -> None:
        """Change an allowance in one transaction; processes that want to change it at once take turns.

        Args:
            name: Which allowance; never anything secret.
            step: Given the state, ``None`` for a new one, and the database's time in seconds; returns the new
                state. It must not wait for anything.

        Raises:
            LedgerError: The database cannot be written; nothing was changed.
        """
        with self._database.write() as connection:
            state = _locked(connection, name)
            now_s: float = connection.execute(_CLOCK_S[connection.dialect.name]).scalar_one()
            update = allowances.update().where(allowances.c.name == name)
            connection.execute(update.values(state=step(state, now_s)))


def _locked(connection: Connection, name: str) -> State | None:
    """Read a state that nobody else changes until this transaction ends; ``None`` in a row just made."""
    query = sa.select(allowances.c.state).where(allowances.c.name == name).with_for_update()
    row = connection.execute(query).first()
    if row is None:
        connection.execute(insert_new(connection, allowances).values(name=name, state=None))
        row = connection.execute(query).one()
    state: State | None = row.state
    return state
