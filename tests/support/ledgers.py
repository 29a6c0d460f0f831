"""Opening a home's ledger as the environment of the test says: SQLite, or the PostgreSQL of the fixture."""

import os
from collections import Counter
from contextlib import suppress
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from unittest.mock import patch

import psycopg
import sqlalchemy as sa
from alembic import command

from flows.runs.team_ledger import migrate
from tasks.ledger import Ledger, migrating
from tasks.ledger import open_ledger as open_by_environment
from tasks.ledger.database import LEDGER_VARIABLE, WAIT_FOR_LOCK_S
from tasks.settings import Settings


def open_ledger(home: Path, wait_s: float = WAIT_FOR_LOCK_S) -> Ledger:
    """Open the ledger of a home; a new one begins as a copy, which takes less than making it."""
    if LEDGER_VARIABLE not in os.environ and os.access(home, os.W_OK):
        with suppress(FileExistsError), (home / "ledger.db").open("xb") as file:
            file.write(_new_ledger())
    return open_by_environment(home, os.environ, wait_s)


def open_older_ledger(home: Path, version: str) -> Ledger:
    """Open a new ledger as a Runoff of an earlier version made it; a database of PostgreSQL is emptied."""
    if address := os.environ.get(LEDGER_VARIABLE):
        with psycopg.connect(address, autocommit=True) as connection:
            connection.execute("DROP SCHEMA public CASCADE")
            connection.execute("CREATE SCHEMA public")
    upgrade = command.upgrade
    with (
        patch.object(command, "upgrade", lambda config, _: upgrade(config, version)),
        patch.object(migrating, "create_tables", return_value=False),
    ):
        return open_by_environment(home, os.environ)


def open_migrated_ledger(home: Path) -> Ledger:
    """Migrate a ledger as `runoff ledger migrate` does, and open it."""
    migrate(Settings(home, os.environ))
    return open_by_environment(home, os.environ)


def count_statements(ledger: Ledger) -> Counter[str]:
    """Count the statements that a ledger gives from now on."""
    counted: Counter[str] = Counter()

    def note(*facts: object) -> None:
        counted[str(facts[2])] += 1

    sa.event.listen(ledger.database.engine, "before_cursor_execute", note)
    return counted


@cache
def _new_ledger() -> bytes:
    with TemporaryDirectory(prefix="runoff-ledger-") as folder:
        open_by_environment(Path(folder), {}).close()
        return (Path(folder) / "ledger.db").read_bytes()
