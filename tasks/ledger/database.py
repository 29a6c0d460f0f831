"""The ledger's database: transactions with the same meaning on SQLite and PostgreSQL.

A write on SQLite takes the write lock at its start (``BEGIN IMMEDIATE``), so that two writers never both read
and then both write; write-ahead mode with a sync at every commit survives a power cut. On PostgreSQL rows are
locked one by one, always in the same sequence: an order first, then its budgets. A read is one snapshot on
both, so that sums and orders are consistent. Threads of one process wait on a lock in the process, because
SQLite itself polls. Every wait is limited: after ``wait_s`` it ends with an error and nothing was written.

A PostgreSQL server that has answered once may go away for ``away_s``: it is waited for, and a transaction
that it broke off is run again (``reconnecting``), unless the server itself says that it was committed.
"""

import sqlite3
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import wraps
from inspect import isfunction
from pathlib import Path
from typing import TYPE_CHECKING, ParamSpec, Self, TypeVar

import sqlalchemy as sa
from sqlalchemy.dialects import sqlite
from sqlalchemy.engine import URL, Connection, make_url
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from tasks.crash_points import crash_point
from tasks.errors import ConnectionLostError, DamagedLedgerError, LedgerError, RolledBackError
from tasks.extras import install_command
from tasks.ledger.database_faults import (
    DAMAGED,
    Explanation,
    damaged,
    explain,
    is_conflict,
    primary_code,
)
from tasks.ledger.fifo_lock import FifoLock
from tasks.ledger.integrity import find_damage, find_damaged_pages
from tasks.ledger.sqlite_engine import open_sqlite

if TYPE_CHECKING:
    from sqlalchemy.dialects import postgresql

P = ParamSpec("P")
T = TypeVar("T")
WAIT_FOR_LOCK_S = 60.0
LOCK_SLICES = 60
"""A wait for a lock is counted in so many parts: a process that was suspended did not wait meanwhile."""
AWAY_S = 120.0
"""How long a PostgreSQL server that has answered may be away: a restart or a failover takes a minute."""
RECONNECT_EVERY_S = 0.5
MOST_CONNECT_S = 11.0
"""The most that a try to connect counts; it takes longer only in a process that was suspended meanwhile."""
MOST_RUNS = 10
"""How often a transaction is run that is rolled back each time."""
LEDGER_VARIABLE = "RUNOFF_LEDGER_URL"
_ACCEPTED = "sqlite:////path/ledger.db or postgresql://user@host/name"
_GUARANTEE = "What was written before is kept; a request in flight may be unknown."
_ANSWERED: set[URL] = set()
"""The databases that have answered this process and were not given up since: only these are waited for."""
_OWN_NUMBER = sa.text("SELECT pg_current_xact_id_if_assigned()::text")
_NOT_AWAITED = sa.text("SET LOCAL synchronous_commit = off")
_STATE_OF_NUMBER = sa.text("SELECT pg_xact_status(CAST(:number AS xid8))")
# What a value that is not what was written makes of a reader that trusts it.
_MISREAD = (ValueError, TypeError, LookupError, ArithmeticError, AttributeError, RecursionError)


class Database:
    """Transactions on one ledger.

    Args:
        url: A SQLAlchemy address; its password is never shown.
        wait_s: How long a write waits for other writers before it gives up, seconds.
        away_s: How long a PostgreSQL server that has answered before may be away, seconds.
        home: Runoff's home, for error messages; default: the file's folder.

    Raises:
        LedgerError: The address is of a database that Runoff cannot use here.
    """

    def __init__(
        self, url: URL, wait_s: float = WAIT_FOR_LOCK_S, away_s: float = AWAY_S, home: Path | None = None
    ) -> None:
        self.url = url
        self.home = home
        self.say: Callable[[str], None] = lambda _: None
        """Prints one line for the user, from any thread: that the server is away, and that it is back."""
        self.holds: dict[str, str] = {}
        """The runs that this process holds, with the token of each hold."""
        self._wait_s = wait_s
        self._away_s = away_s
        self._is_away = False
        self._write_lock = FifoLock()
        with self.explained():
            self.engine = open_sqlite(url, wait_s) if self._is_sqlite else self._postgresql_engine()

    @property
    def name(self) -> str:
        """The address without secrets; the part after a question mark may hold a password too."""
        return self.url.set(query={}).render_as_string(hide_password=True)

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """Open a read-only transaction on one snapshot of the database.

        Raises:
            ConnectionLostError: The connection broke meanwhile.
            LedgerError: The database cannot be reached or read.
        """
        with self.explained(), self._connect() as connection:
            connection = connection.execution_options(is_read=True)
            if connection.dialect.name == "postgresql":
                connection = connection.execution_options(isolation_level="REPEATABLE READ")
            with connection.begin():
                yield connection

    @contextmanager
    def write(self, *, is_durable: bool = True) -> Iterator[Connection]:
        """Open a transaction that writes everything or nothing.

        Args:
            is_durable: Wait at the commit until the disk has it. Use False only for what is worth nothing
                after a power cut: the last of such transactions may then be gone, in their sequence.

        Raises:
            RolledBackError: The connection broke before the commit, or another transaction was in the way:
                nothing was written.
            LedgerError: The database cannot be written; the transaction was rolled back.
        """
        # The waits of several threads overlap, so that they do not add up on a locked database.
        self._wait_for_lock()
        try:
            with self.explained(), self._connect() as connection:
                connection = connection.execution_options(is_durable=is_durable)
                transaction = connection.begin()
                if not is_durable and connection.dialect.name == "postgresql":
                    connection.execute(_NOT_AWAITED)
                try:
                    yield connection
                except BaseException:
                    with suppress(SQLAlchemyError):  # the connection may be what broke
                        transaction.rollback()
                    raise
                self._commit(connection, transaction)
        finally:
            self._write_lock.release()

    def connect(self) -> Connection:
        """Open a connection without transactions, for locks that last as long as it does. Waits for nobody.

        Raises:
            SQLAlchemyError: The database cannot be reached.
        """
        return self.engine.connect().execution_options(isolation_level="AUTOCOMMIT")

    def _wait_for_lock(self) -> None:
        """Wait for this process's other writers, not counting the time in which it was suspended."""
        slice_s = self._wait_s / LOCK_SLICES
        n_slices = 0
        while not self._write_lock.acquire(slice_s):
            n_slices += not self._is_away or self.url not in _ANSWERED
            if n_slices >= LOCK_SLICES:
                what = f"is busy: another writer has kept it for {self._wait_s:g} s"
                raise self._ledger_error(Explanation(what, "Let it end. Then: runoff run --resume latest"))

    def _connect(self) -> Connection:
        """Open a connection; a PostgreSQL server that has answered before may be away for a while, once."""
        waited_s = 0.0
        while True:
            began_s = time.monotonic()
            try:
                connection = self.engine.connect()
            except DBAPIError:
                if self.engine.dialect.name != "postgresql" or self.url not in _ANSWERED:
                    raise
                if waited_s >= self._away_s:
                    _ANSWERED.discard(self.url)
                    raise
                self._note_away()
                time.sleep(RECONNECT_EVERY_S)
                waited_s += min(time.monotonic() - began_s, MOST_CONNECT_S)
            else:
                _ANSWERED.add(self.url)
                self._note_answer()
                return connection

    def _note_away(self) -> None:
        if not self._is_away:
            self._is_away = True
            self.say(
                f"The ledger {self.name} does not answer. Nothing more is sent until it does; what arrives "
                f"meanwhile is kept. Waiting for it, up to {self._away_s:.0f} s …"
            )

    def _note_answer(self) -> None:
        if self._is_away:
            self._is_away = False
            self.say(f"The ledger {self.name} answers again.")

    def _commit(self, connection: Connection, transaction: sa.RootTransaction) -> None:
        """Commit; if the connection breaks meanwhile, ask the server whether the transaction was committed.

        PostgreSQL knows the end of each transaction by its number, also after a crash:
        https://www.postgresql.org/docs/current/functions-info.html (pg_xact_status), checked 2026-11-29.
        """
        crash_point("before commit")
        number = None
        if connection.dialect.name == "postgresql":
            number = connection.execute(_OWN_NUMBER).scalar()
        try:
            transaction.commit()
        except DBAPIError as error:
            if number is None or not error.connection_invalidated or not self._was_committed(number):
                raise
        crash_point("committed")

    def _was_committed(self, number: str) -> bool:
        while True:
            with self._connect() as connection:
                state = connection.execute(_STATE_OF_NUMBER, {"number": number}).scalar()
            if state != "in progress":
                return bool(state == "committed")
            time.sleep(RECONNECT_EVERY_S)

    @contextmanager
    def explained(self) -> Iterator[None]:
        """Raise the database's errors as ``LedgerError``."""
        try:
            yield
        except DBAPIError as error:
            raise self._explain(error.orig, is_lost=error.connection_invalidated) from error
        except SQLAlchemyError as error:
            raise self._explain(error) from error
        except _MISREAD as error:
            self.raise_if_damaged(error)
            raise

    def raise_if_damaged(self, error: BaseException) -> None:
        """Raise a ``LedgerError`` in place of an exception that values which were not written here may cause.

        Nothing is raised for other exceptions, or where the database is sound.
        """
        if isinstance(error, _MISREAD) and self._is_sqlite and (faults := self.damage()):
            raise self.damaged(faults) from error

    def _explain(self, fault: BaseException | None, *, is_lost: bool = False) -> LedgerError:
        """Explain a fault of the database; one that has no code of its own may come from damage."""
        has_no_code = primary_code(fault) in (None, sqlite3.SQLITE_ERROR)
        if has_no_code and self._is_sqlite and (faults := self.damage()):
            return self.damaged(faults)
        if primary_code(fault) in DAMAGED:
            return self.damaged([str(fault)])
        kind = ConnectionLostError if is_lost else RolledBackError if is_conflict(fault) else LedgerError
        return self._ledger_error(explain(fault, self.url, self._wait_s), kind)

    def damage(self, *, is_quick: bool = False) -> list[str]:
        """List what of the database itself is damaged, one sentence each; none where it cannot be opened.

        Args:
            is_quick: Only check the pages of SQLite, not their indexes and values.
        """
        find = find_damaged_pages if is_quick else find_damage
        try:
            with self.engine.connect() as connection:
                return find(connection.execution_options(is_read=True))
        except SQLAlchemyError as error:
            orig = getattr(error, "orig", None)
            return [f"{orig}."] if primary_code(orig) in DAMAGED else []
        except UnicodeDecodeError:  # SQLite's own message quotes the noise
            return ["The list of its tables is not text."]

    @property
    def _is_sqlite(self) -> bool:
        return self.url.get_backend_name() == "sqlite"

    def _ledger_error(self, explained: Explanation, kind: type[LedgerError] = LedgerError) -> LedgerError:
        return kind(
            where=f"ledger {self.name}",
            what=explained.what,
            accepted=explained.accepted,
            money=_GUARANTEE,
            next_step=explained.next_step,
        )

    def damaged(self, faults: Sequence[str]) -> DamagedLedgerError:
        """Build the error for a damaged database: the faults, and how it is got back.

        Args:
            faults: What is damaged, at least one.
        """
        explained = damaged(self.url, self.home, faults[0])
        more = f" (and {len(faults) - 1} more)" if len(faults) > 1 else ""
        return DamagedLedgerError(
            where=f"ledger {self.name}",
            what=f"{explained.what}{more}",
            money=_GUARANTEE,
            next_step=explained.next_step,
        )

    def _postgresql_engine(self) -> sa.Engine:
        try:
            from tasks.ledger.postgresql_engine import open_postgresql

            return open_postgresql(
                self.url,
                wait_s=self._wait_s,
                answer_s=max(self._away_s, 2 * self._wait_s),
                silent=self._note_away,
                answered=self._note_answer,
            )
        except ModuleNotFoundError as error:
            raise _refused(
                what="is a PostgreSQL address, but its driver is not installed",
                next_step=f"Install it with: {install_command('postgres')}",
            ) from error

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close every connection."""
        self.engine.dispose()


def run_again(work: Callable[P, T]) -> Callable[P, T]:
    """Have a function of one transaction run again if a lost connection or another one rolled that back.

    Args:
        work: The function; it has no effect but its transaction.
    """

    @wraps(work)
    def run(*args: P.args, **kwargs: P.kwargs) -> T:
        for _ in range(MOST_RUNS - 1):
            with suppress(RolledBackError):
                return work(*args, **kwargs)
        return work(*args, **kwargs)

    return run


def reconnecting(part: type[T]) -> type[T]:
    """Have every public method of a class run again if its transaction was rolled back: see ``run_again``.

    Args:
        part: The class; each of its public methods has no effect but one transaction.
    """
    for name, method in vars(part).items():
        if isfunction(method) and not name.startswith("_"):
            setattr(part, name, run_again(method))
    return part


def insert_new(connection: Connection, table: sa.Table) -> "sqlite.Insert | postgresql.Insert":
    """Build an insert that skips rows whose key exists already."""
    if connection.dialect.name == "sqlite":
        return sqlite.insert(table).on_conflict_do_nothing()
    from sqlalchemy.dialects import postgresql

    return postgresql.insert(table).on_conflict_do_nothing()


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
