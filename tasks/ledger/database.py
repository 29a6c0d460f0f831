"""One door to the database: transactions that mean the same on SQLite and PostgreSQL.

A write takes the database's write lock at its start, so that two writers never both read and then both
write. On SQLite that is ``BEGIN IMMEDIATE``, in write-ahead mode with a sync at every commit: a power cut
after a commit loses nothing. Threads of one process queue on a lock of their own, because SQLite's own
waiting sleeps in steps.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import URL, Connection, make_url
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from tasks.errors import LedgerError

WAIT_FOR_LOCK_S = 60


class Database:
    """Transactions on one ledger.

    Args:
        url: A SQLAlchemy address; its password is never shown.
    """

    def __init__(self, url: URL) -> None:
        self.url = url
        self.engine = _sqlite_engine(url) if url.get_backend_name() == "sqlite" else _server_engine(url)
        self._write_lock = threading.Lock()

    @property
    def name(self) -> str:
        """The address, fit to show."""
        return self.url.render_as_string(hide_password=True)

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """Open a transaction that only reads.

        Raises:
            LedgerError: The database cannot be reached or read.
        """
        with self._explained(), self.engine.connect() as connection:
            connection = connection.execution_options(is_read=True)
            with connection.begin():
                yield connection

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """Open a transaction that writes; all of it happens, or nothing.

        Raises:
            LedgerError: The database cannot be written; nothing of this transaction was kept.
        """
        with self._explained(), self._write_lock, self.engine.begin() as connection:
            yield connection

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except DBAPIError as error:
            raise self._ledger_error(error.orig or error) from error
        except SQLAlchemyError as error:
            raise self._ledger_error(error) from error

    def _ledger_error(self, cause: BaseException) -> LedgerError:
        return LedgerError(
            where=f"ledger {self.name}",
            what=str(cause).strip().splitlines()[0],
            money="What was written before stands; an order that was under way may be unknown.",
            next_step="Look at it with: runoff doctor. Then go on with: runoff run --resume latest",
        )

    def close(self) -> None:
        """Close every connection."""
        self.engine.dispose()


def ledger_url(home: Path, environ_url: str | None) -> URL:
    """Find the ledger: ``RUNOFF_LEDGER_URL`` if set, else ``ledger.db`` in the home folder.

    Raises:
        LedgerError: The address is none that SQLAlchemy understands.
    """
    if not environ_url:
        return URL.create("sqlite", database=str(home / "ledger.db"))
    try:
        return make_url(environ_url)
    except sa.exc.ArgumentError as error:
        raise LedgerError(
            where="RUNOFF_LEDGER_URL",
            what="is not a database address",
            accepted="sqlite:////path/ledger.db or postgresql+psycopg://user@host/name",
        ) from error


def _server_engine(url: URL) -> sa.Engine:
    return sa.create_engine(url, pool_pre_ping=True)


def _sqlite_engine(url: URL) -> sa.Engine:
    engine = sa.create_engine(url, connect_args={"timeout": WAIT_FOR_LOCK_S, "check_same_thread": False})

    @sa.event.listens_for(engine, "connect")
    def prepare(connection: Any, _record: Any) -> None:  # noqa: ANN401 - a DBAPI connection
        connection.isolation_level = None  # the driver must not begin transactions on its own
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
            connection.execute(f"PRAGMA {pragma}")

    @sa.event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        is_read = connection.get_execution_options().get("is_read", False)
        connection.exec_driver_sql("BEGIN" if is_read else "BEGIN IMMEDIATE")

    return engine
