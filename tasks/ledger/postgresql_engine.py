"""Connections to PostgreSQL that end: neither a vanished server nor a frozen one is waited for for ever.

A server that vanished is noticed by TCP itself. One that is frozen still has its connections, and the driver
would wait for its answer without a limit; so each wait is counted here.
"""

from collections.abc import Callable, Generator
from typing import Any, TypeVar

import psycopg
import sqlalchemy as sa
from psycopg import waiting
from sqlalchemy.engine import URL

T = TypeVar("T")
CONNECT_TIMEOUT_S = 10
SILENT_S = 10.0
"""After how long without an answer it is said that the server does not answer."""
_LIVENESS = {
    "connect_timeout": CONNECT_TIMEOUT_S,
    # A connection whose other end vanished without a word is given up within half a minute, not two hours.
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 30_000,
}
_LOOK_EVERY_S = 0.1


def open_postgresql(
    url: URL, *, wait_s: float, answer_s: float, silent: Callable[[], None], answered: Callable[[], None]
) -> sa.Engine:
    """Make the engine of a PostgreSQL database; connects to nothing yet.

    Args:
        url: Its address.
        wait_s: How long the server waits for a lock, seconds.
        answer_s: How long an answer may take, seconds; longer than the wait for a lock.
        silent: Called from any thread when an answer takes long.
        answered: Called when it has come after all.
    """

    class Bounded(_Bounded):
        """The connections of this engine."""

    Bounded.answer_s, Bounded.silent, Bounded.answered = (
        answer_s,
        staticmethod(silent),
        staticmethod(answered),
    )
    engine = sa.create_engine(url, pool_pre_ping=True, connect_args=_LIVENESS)

    @sa.event.listens_for(engine, "do_connect")
    def connect(_dialect: object, _record: object, args: Any, options: Any) -> Any:  # noqa: ANN401 - a driver's
        return Bounded.connect(*args, **options)

    @sa.event.listens_for(engine, "connect")
    def prepare(connection: Any, _record: object) -> None:  # noqa: ANN401 - a DBAPI connection
        connection.execute(f"SET lock_timeout = {int(wait_s * 1000)}")
        connection.commit()

    return engine


class _Bounded(psycopg.Connection[Any]):
    answer_s: float
    silent: Callable[[], None]
    answered: Callable[[], None]

    def wait(self, gen: Generator[Any, Any, T], *_: object, **__: object) -> T:
        """Wait for an answer as the driver does, looking at the time every so often."""
        return super().wait(self._counting(gen), _LOOK_EVERY_S)

    def _counting(self, gen: Generator[Any, Any, T]) -> Generator[Any, Any, T]:
        """Pass a wait on, counting only the looks at the clock: a suspended process does not wait."""
        waited_s, is_silent = 0.0, False
        try:
            wanted = next(gen)
            while True:
                ready = yield wanted
                waited_s = waited_s + _LOOK_EVERY_S if ready == waiting.Ready.NONE else 0.0
                if waited_s >= SILENT_S and not is_silent:
                    is_silent = True
                    self.silent()
                if waited_s >= self.answer_s:
                    self.close()
                    message = f"no answer within {self.answer_s:.0f} s"
                    raise psycopg.OperationalError(message)
                wanted = gen.send(ready)
        except StopIteration as end:
            if is_silent:
                self.answered()
            result: T = end.value
            return result
