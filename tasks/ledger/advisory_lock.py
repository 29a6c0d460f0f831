"""The lock that lets one process work on a run, among all machines that share a ledger.

On PostgreSQL a connection holds an advisory lock, which is released when the process ends. A SQLite ledger
belongs to one machine, where the lock file in the run's folder does the same.
"""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager

import sqlalchemy as sa

from tasks.errors import RunError
from tasks.ledger.database import Database


@contextmanager
def hold_run(database: Database, run_id: str) -> Iterator[None]:
    """Lock a run until the block ends.

    Raises:
        RunError: Another process, on this or another machine, works on it.
        LedgerError: The database cannot be reached.
    """
    if database.engine.dialect.name != "postgresql":
        yield
        return
    with database.session() as connection:
        key = int.from_bytes(hashlib.sha256(f"run {run_id}".encode()).digest()[:8], "big", signed=True)
        if not connection.execute(sa.select(sa.func.pg_try_advisory_lock(key))).scalar():
            raise RunError(
                where=f"run {run_id}",
                what="another process is working on it",
                next_step="Wait for it to end, then: runoff runs",
            )
        try:
            yield
        finally:
            connection.execute(sa.select(sa.func.pg_advisory_unlock(key)))
