"""The ledger's database: transactions with the same meaning on SQLite and PostgreSQL.

A write on SQLite takes the write lock at its start (``BEGIN IMMEDIATE``), so that two writers never both read
and then both write; write-ahead mode with a sync at every commit survives a power cut. On PostgreSQL rows are
locked one by one, always in the same sequence: an order first, then its budgets. A read is one snapshot on
both, so that sums and orders are consistent. Threads of one process wait on a lock in the process, because
SQLite itself polls. Every wait is limited: after ``wait_s`` it ends with an error and nothing was written.
"""

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import URL, Connection, make_url
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from tasks.errors import LedgerError

WAIT_FOR_LOCK_S = 60.0
CONNECT_TIMEOUT_S = 10
LEDGER_VARIABLE = "RUNOFF_LEDGER_URL"
_ACCEPTED = "sqlite:////path/ledger.db or postgresql://user@host/name"
_GUARANTEE = "What was written before is kept; a request in flight may be unknown."
_WAY_OUT = "Check it with: runoff ledger verify. Then: runoff run --resume latest"


class Database:
    """Transactions on one ledger.

    Args:
        url: A SQLAlchemy address; its password is never shown.
        wait_s: How long a write waits for other writers before it gives up, seconds.

    Raises:
        LedgerError: The address is of a database that Runoff cannot use here.
    """

    def __init__(self, url: URL, wait_s: float = WAIT_FOR_LOCK_S) -> None:
        self.url = url
        self._wait_s = wait_s
        self._write_lock = threading.Lock()
        open_engine = _sqlite_engine if url.get_backend_name() == "sqlite" else _postgresql_engine
        with self._explained():
            self.engine = open_engine(url, wait_s)

    @property
    def name(self) -> str:
        """The address without secrets; the part after a question mark may hold a password too."""
        return self.url.set(query={}).render_as_string(hide_password=True)

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """Open a read-only transaction on one snapshot of the database.

        Raises:
            LedgerError: The database cannot be reached or read.
        """
        with self._explained(), self.engine.connect() as connection:
            connection = connection.execution_options(is_read=True)
            if connection.dialect.name == "postgresql":
                connection = connection.execution_options(isolation_level="REPEATABLE READ")
            with connection.begin():
                yield connection

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """Open a transaction that writes everything or nothing.

        Raises:
            LedgerError: The database cannot be written; the transaction was rolled back.
        """
        # The waits of several threads overlap, so that they do not add up on a locked database.
        if not self._write_lock.acquire(timeout=self._wait_s):
            raise self._ledger_error(cause=f"is busy: another writer has kept it for {self._wait_s:g} s")
        try:
            with self._explained(), self.engine.begin() as connection:
                yield connection
        finally:
            self._write_lock.release()

    @contextmanager
    def session(self) -> Iterator[Connection]:
        """Keep one connection open without a transaction, for locks that last as long as it does.

        Raises:
            LedgerError: The database cannot be reached.
        """
        with self._explained():
            connection = self.engine.connect().execution_options(isolation_level="AUTOCOMMIT")
        with connection:
            yield connection

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except DBAPIError as error:
            cause = str(error.orig)
            if _is_locked(error.orig):
                cause = f"database is locked: another process has kept it for {self._wait_s:g} s"
            raise self._ledger_error(cause=cause) from error
        except SQLAlchemyError as error:
            raise self._ledger_error(cause=str(error)) from error

    def _ledger_error(self, *, cause: str) -> LedgerError:
        what = cause.strip().partition("\n")[0] or "does not answer"
        return LedgerError(where=f"ledger {self.name}", what=what, money=_GUARANTEE, next_step=_WAY_OUT)

    def close(self) -> None:
        """Close every connection."""
        self.engine.dispose()


def _is_locked(fault: BaseException | None) -> bool:
    """Return whether SQLite timed out waiting for another process, by the low byte of its code."""
    code = getattr(fault, "sqlite_errorcode", None)
    return code is not None and code & 0xFF == sqlite3.SQLITE_BUSY


def insert_new(connection: Connection, table: sa.Table) -> sqlite.Insert | postgresql.Insert:
    """Build an insert that skips rows whose key exists already."""
    insert = sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert
    return insert(table).on_conflict_do_nothing()


def ledger_url(home: Path, environ_url: str | None) -> URL:
    """Find the ledger: ``RUNOFF_LEDGER_URL`` if set, else ``ledger.db`` in the home folder.

    Raises:
        LedgerError: The address is not that of a SQLite file or a PostgreSQL database.
    """
    if not environ_url:
        return URL.create("sqlite", database=str(home / "ledger.db"))
    try:
        url = make_url(environ_url)
    except (sa.exc.ArgumentError, ValueError):
        # Without the cause: it may repeat the address, and a password with it.
        raise _refused(what="is not a database address") from None
    backend = url.get_backend_name()
    if backend in ("postgresql", "postgres"):
        return url.set(drivername="postgresql+psycopg")
    if backend != "sqlite":
        raise _refused(what=f"names a {backend} database")
    if url.database in (None, "", ":memory:"):
        raise _refused(what="is an in-memory ledger, which would lose what was bought")
    return url


def _refused(*, what: str, next_step: str = "") -> LedgerError:
    return LedgerError(where=LEDGER_VARIABLE, what=what, accepted=_ACCEPTED, next_step=next_step)


def _postgresql_engine(url: URL, wait_s: float) -> sa.Engine:
    try:
        engine = sa.create_engine(
            url, pool_pre_ping=True, connect_args={"connect_timeout": CONNECT_TIMEOUT_S}
        )
    except ModuleNotFoundError as error:
        raise _refused(
            what="is a PostgreSQL address, but its driver is not installed",
            next_step="Install it with: pip install 'runoff[postgres]'",
        ) from error

    @sa.event.listens_for(engine, "connect")
    def prepare(connection: Any, _record: Any) -> None:  # noqa: ANN401 - a DBAPI connection
        connection.execute(f"SET lock_timeout = {int(wait_s * 1000)}")
        connection.commit()

    return engine


def _sqlite_engine(url: URL, wait_s: float) -> sa.Engine:
    engine = sa.create_engine(url, connect_args={"timeout": wait_s, "check_same_thread": False})

    @sa.event.listens_for(engine, "connect")
    def prepare(connection: Any, _record: Any) -> None:  # noqa: ANN401 - a DBAPI connection
        connection.isolation_level = None  # the driver must not begin transactions by itself
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
            connection.execute(f"PRAGMA {pragma}")

    @sa.event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        is_read = connection.get_execution_options().get("is_read", False)
        connection.exec_driver_sql("BEGIN" if is_read else "BEGIN IMMEDIATE")

    return engine
