"""The hold of a run: one process works on it, among all machines that share a ledger.

On PostgreSQL a connection holds an advisory lock, which the server releases when the connection ends: with
the process, but also when the server restarts or the network breaks. So the holder has written a token into
the ledger as well. It looks after its connection, and locks again as soon as the server answers. Whoever
finds the run unlocked and the token still there gives the holder ``GRACE_S`` to come back, and then writes
its own token. A transaction that sends an order checks the token first: a process that has lost its run sends
nothing more.

A SQLite ledger belongs to one machine, where the lock file in the run's folder does the same.
"""

import hashlib
import secrets
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import sqlalchemy as sa
from sqlalchemy.engine import Connection
from sqlalchemy.exc import SQLAlchemyError

from tasks.errors import RunError
from tasks.ledger.database import RECONNECT_EVERY_S, Database, insert_new
from tasks.ledger.schema import run_holds

LOOK_EVERY_S = 2.0
"""How often a holder looks whether its connection is alive."""
GRACE_S = 8.0
"""How long a holder that lost its connection may take to lock again: four times what it takes to notice."""
_PROBE_EVERY = 1.3
"""How often to look whether a holder is back, as a multiple of how often it tries: never in step with it."""
_LEAVE_S = 5.0


@contextmanager
def hold_run(database: Database, run_id: str, lock_file: str = "") -> Iterator[None]:
    """Hold a run until the block ends.

    Args:
        database: The ledger's database.
        run_id: The run.
        lock_file: Identifies a lock file that this process has locked, among all machines. A holder that had
            locked the same file has ended, and need not be waited for.

    Raises:
        RunError: Another process, on this or another machine, works on it.
        LedgerError: The database cannot be reached.
    """
    if database.engine.dialect.name != "postgresql":
        yield
        return
    hold = _Hold(database, run_id, lock_file)
    with database.explained():
        hold.take()
    database.holds[run_id] = hold.token
    keeper = threading.Thread(target=hold.keep, name=f"hold {run_id}", daemon=True)
    keeper.start()
    try:
        yield
    finally:
        hold.is_over.set()
        keeper.join(_LEAVE_S)
        database.holds.pop(run_id, None)
        with suppress(SQLAlchemyError):  # a server that is away has released the lock already
            hold.release()


def is_held(database: Database, run_id: str) -> bool:
    """Return whether a process holds a run now; one that has just lost its connection does not count.

    Raises:
        LedgerError: The database cannot be reached.
    """
    if database.engine.dialect.name != "postgresql":
        return False
    with database.explained(), database.connect() as connection:
        if not _lock(connection, run_id):
            return True
        _unlock(connection, run_id)
    return False


def require_hold(connection: Connection, database: Database, run_id: str) -> None:
    """Check, until the caller's transaction ends, that a run which this process holds is still its own.

    Raises:
        RunError: Another process has taken the run over.
    """
    token = database.holds.get(run_id)
    if token is None:  # a SQLite ledger, or a run that nobody works on
        return
    query = sa.select(run_holds.c.token).where(run_holds.c.run_id == run_id)
    if connection.execute(query.with_for_update(read=True)).scalar() != token:
        raise RunError(
            where=f"run {run_id}",
            what="another process has taken it over, while this one had lost its connection to the ledger",
            money="Nothing more is sent from here; pictures in flight are kept.",
            next_step="Let the other process finish, then: runoff runs",
        )


class _Hold:
    def __init__(self, database: Database, run_id: str, lock_file: str) -> None:
        self.token = secrets.token_hex(8)
        self.is_over = threading.Event()
        self._database = database
        self._run_id = run_id
        self._lock_file = lock_file
        self._connection: Connection | None = None

    def take(self) -> None:
        """Lock the run and write the token, once no other holder can come back."""
        deadline_s = time.monotonic() + GRACE_S
        while True:
            connection = self._database.connect()
            try:
                if not _lock(connection, self._run_id):
                    raise _busy(self._run_id)
                left = connection.execute(_left_hold(self._run_id)).first()
                is_dead = left is None or (self._lock_file and left.lock_file == self._lock_file)
                if is_dead or time.monotonic() >= deadline_s:
                    self._write_token(connection)
                    self._connection = connection
                    return
                _unlock(connection, self._run_id)
            finally:
                if self._connection is None:
                    connection.close()
            time.sleep(_PROBE_EVERY * RECONNECT_EVERY_S)

    def keep(self) -> None:
        """Look after the connection until the hold is over or lost; runs in a thread of its own."""
        while not self.is_over.wait(LOOK_EVERY_S):
            try:
                assert self._connection is not None
                self._connection.execute(sa.select(1))
            except SQLAlchemyError:
                if not self._take_again():
                    return

    def _take_again(self) -> bool:
        """Lock again once the server answers; returns whether the hold is neither over nor lost."""
        while not self.is_over.wait(RECONNECT_EVERY_S):
            with suppress(SQLAlchemyError):
                self._leave_connection()
                connection = self._connection = self._database.connect()
                left = connection.execute(_left_hold(self._run_id)).first()
                if left is None or left.token != self.token:
                    return False
                if _lock(connection, self._run_id):  # else another process is just looking
                    return True
        return False

    def release(self) -> None:
        """Delete the token, if it is still there, and unlock."""
        if self._connection is None:
            return
        own = (run_holds.c.run_id == self._run_id) & (run_holds.c.token == self.token)
        try:
            self._connection.execute(run_holds.delete().where(own))
            _unlock(self._connection, self._run_id)
        finally:
            self._leave_connection()

    def _write_token(self, connection: Connection) -> None:
        facts = {"token": self.token, "lock_file": self._lock_file}
        upsert = insert_new(connection, run_holds).values(run_id=self._run_id, **facts)
        connection.execute(upsert)
        mine = run_holds.update().where(run_holds.c.run_id == self._run_id)
        connection.execute(mine.values(facts))

    def _leave_connection(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(SQLAlchemyError):
                connection.invalidate()  # never back to the pool: it may still have the lock
                connection.close()


def _left_hold(run_id: str) -> sa.Select[tuple[str, str]]:
    return sa.select(run_holds.c.token, run_holds.c.lock_file).where(run_holds.c.run_id == run_id)


def _lock(connection: Connection, run_id: str) -> bool:
    return bool(connection.execute(sa.select(sa.func.pg_try_advisory_lock(_key(run_id)))).scalar())


def _unlock(connection: Connection, run_id: str) -> None:
    connection.execute(sa.select(sa.func.pg_advisory_unlock(_key(run_id))))


def _key(run_id: str) -> int:
    return int.from_bytes(hashlib.sha256(f"run {run_id}".encode()).digest()[:8], "big", signed=True)


def _busy(run_id: str) -> RunError:
    return RunError(
        where=f"run {run_id}",
        what="another process is working on it",
        next_step="Wait for it to end, then: runoff runs",
    )
