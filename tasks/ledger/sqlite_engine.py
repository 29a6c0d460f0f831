"""Connections to a SQLite ledger, and how their transactions begin."""

from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import URL, Connection


def open_sqlite(url: URL, wait_s: float) -> sa.Engine:
    """Make the engine of a SQLite file; opens nothing yet.

    A connection's option ``is_read`` leaves the write lock to others. Without ``is_durable`` a commit does
    not wait for the disk: after a power cut the last of such transactions may be gone, and the file is sound.
    https://www.sqlite.org/pragma.html#pragma_synchronous, checked 2026-11-30.

    Args:
        url: Its address.
        wait_s: How long a write waits for other processes' before it gives up, seconds.
    """
    engine = sa.create_engine(url, connect_args={"timeout": wait_s, "check_same_thread": False})

    @sa.event.listens_for(engine, "connect")
    def prepare(connection: Any, _record: Any) -> None:  # noqa: ANN401 - a DBAPI connection
        connection.isolation_level = None  # the driver must not begin transactions by itself
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
            connection.execute(f"PRAGMA {pragma}")

    @sa.event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        options = connection.get_execution_options()
        if options.get("is_read", False):
            connection.exec_driver_sql("BEGIN")
            return
        sync = "FULL" if options.get("is_durable", True) else "NORMAL"
        if connection.info.get("sync", "FULL") != sync:
            connection.connection.cursor().execute(f"PRAGMA synchronous={sync}")
            connection.info["sync"] = sync
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    return engine
