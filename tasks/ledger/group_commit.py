"""Group commit: what is to be written while another transaction ends shares the next one.

A commit waits for the disk, and a transaction for other processes. Whatever is submitted meanwhile is carried
out together by one thread, which begins with the first change and ends with the last; so one change alone
waits for nobody. A change is done, and its future says so, when the commit has returned.
"""

import threading
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from contextlib import suppress
from typing import Generic, Protocol, TypeVar

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from tasks.errors import DamagedLedgerError, LedgerError, RunoffError
from tasks.ledger.database import Database, run_again


class Change(Protocol):
    """What is to be written about one order."""

    @property
    def order_id(self) -> str:
        """The order; a transaction changes each order once."""


C = TypeVar("C", bound=Change)
CarryOut = Callable[[Connection, Sequence[C]], Sequence[RunoffError | None]]
"""Carries changes out in one transaction; returns for each why it was refused, ``None`` if it was not."""
LINGER_S = 0.2
"""How long the thread waits for the next change before it ends, seconds."""
MOST_TOGETHER = 200
"""How many changes share a transaction at most: others wait for it."""


class GroupCommit(Generic[C]):
    """The changes of one process on one database.

    Args:
        database: The database.
        carry_out: Carries changes out, those submitted first at first; a refused one has no effect.
    """

    def __init__(self, database: Database, carry_out: CarryOut[C]) -> None:
        self._database = database
        self._carry_out = carry_out
        self._lock = threading.Condition()
        self._is_closing = False
        self._waiting: deque[tuple[C, Future[None]]] = deque()
        self._thread: threading.Thread | None = None

    def submit(self, change: C, *, may_be_cancelled: bool = False) -> "Future[None]":
        """Carry a change out soon, in a transaction that others may share.

        Args:
            change: The change.
            may_be_cancelled: Whether it is dropped if its future is cancelled before it is begun.

        Returns:
            Ends once the change is committed, or with the error because of which nothing was changed.
        """
        future: Future[None] = Future()
        if not may_be_cancelled:
            future.set_running_or_notify_cancel()
        with self._lock:
            self._waiting.append((change, future))
            if self._thread is not None:
                self._lock.notify()
                return future
            thread = self._thread = threading.Thread(target=self._work, name="ledger")
        try:
            thread.start()
        except RuntimeError:  # no more threads, or the interpreter is ending: what waits is not left behind
            self._work()
        return future

    def close(self) -> None:
        """Wait until everything that was submitted is done."""
        with self._lock:
            thread, self._is_closing = self._thread, True
            self._lock.notify()
        if thread is not None:
            with suppress(RuntimeError):  # not started yet, or the caller's own
                thread.join()
        self._is_closing = False

    def _work(self) -> None:
        """Carry out what waits until nothing does for a while: whoever starts a thread waits for it."""
        while True:
            self._share([])
            with self._lock:
                if not self._waiting and not self._is_closing:
                    self._lock.wait(LINGER_S)
                if not self._waiting:
                    self._thread = None
                    return

    def _share(self, batch: list[tuple[C, "Future[None]"]]) -> None:
        """Carry out what waits, or only a given change, in one transaction, and let every future end."""
        is_alone = bool(batch)
        try:
            outcomes = self._write(batch, is_alone=is_alone)
        except BaseException as error:
            if not batch:  # the transaction did not begin, for which all that wait have waited
                self._take(batch)
            elif not is_alone and _may_be_of_one(error):
                for one in batch:
                    self._share([one])
                return
            outcomes = [error] * len(batch)
        for (_, future), outcome in zip(batch, outcomes, strict=True):
            if outcome is None:
                future.set_result(None)
            else:
                future.set_exception(outcome)

    @run_again
    def _write(
        self, batch: list[tuple[C, "Future[None]"]], *, is_alone: bool
    ) -> Sequence[BaseException | None]:
        with self._database.write() as connection:
            if not is_alone:
                self._take(batch)
            return self._carry_out(connection, [change for change, _ in batch])

    def _take(self, batch: list[tuple[C, "Future[None]"]]) -> None:
        """Move what waits into a batch; of two changes of one order the later one waits for the next."""
        known = {change.order_id for change, _ in batch}
        with self._lock:
            waiting, self._waiting = self._waiting, deque()
            for change, future in waiting:
                if change.order_id in known or len(batch) >= MOST_TOGETHER:
                    self._waiting.append((change, future))
                elif future.running() or future.set_running_or_notify_cancel():
                    known.add(change.order_id)
                    batch.append((change, future))


def _may_be_of_one(error: BaseException) -> bool:
    """Return whether an error may be the fault of one change, and not of the database, which fails all."""
    fault = error.__cause__ if isinstance(error, LedgerError) else error
    is_of_all = isinstance(error, DamagedLedgerError) or isinstance(fault, sa.exc.OperationalError)
    return isinstance(fault, Exception) and not is_of_all
