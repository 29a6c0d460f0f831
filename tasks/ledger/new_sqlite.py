"""The prepared schema of an empty SQLite ledger: a new home is made in milliseconds.

Replaying every migration takes a quarter of a second, most of it to load Alembic. The result is always the
same, so ``new_sqlite.json`` stores it: the statements of a migrated, empty ledger, with the version that they
belong to. A test compares the two. Of another version the file is ignored, and the migrations run.

Write it again after a new migration:
``python -c "from tasks.ledger.new_sqlite import write_statements; write_statements()"``
"""

import json
import tempfile
from importlib.resources import files
from pathlib import Path
from typing import TypedDict

import sqlalchemy as sa
from sqlalchemy.engine import URL, Connection

from tasks.ledger.schema import HEAD

_FILE = "new_sqlite.json"
_MADE = sa.text("SELECT sql FROM sqlite_master WHERE sql IS NOT NULL ORDER BY rowid")


class Statements(TypedDict):
    """The schema of a migrated, empty ledger.

    Args:
        version: The last migration.
        statements: ``CREATE`` statements in the order they were made.
    """

    version: str
    statements: list[str]


def create_tables(connection: Connection) -> bool:
    """Create every table of a SQLite ledger that has none yet, within the transaction that is open.

    Returns:
        Whether they were created; otherwise the migrations have to run.
    """
    prepared: Statements = json.loads(files(__package__).joinpath(_FILE).read_text(encoding="utf-8"))
    if prepared["version"] != HEAD or connection.execute(_MADE).first() is not None:
        return False
    for statement in prepared["statements"]:
        connection.exec_driver_sql(statement)
    connection.exec_driver_sql("INSERT INTO alembic_version VALUES (?)", (HEAD,))
    return True


def migrate_from_nothing(folder: Path) -> Statements:
    """Run all migrations on an empty ledger in a folder, and read the result."""
    from tasks.ledger.database import Database
    from tasks.ledger.migrating import run_migrations

    database = Database(URL.create("sqlite", database=str(folder / "ledger.db")))
    try:
        with database.write() as connection:
            run_migrations(connection)
            made = connection.execute(_MADE).scalars().all()
    finally:
        database.close()
    return {"version": HEAD, "statements": [str(statement) for statement in made]}


def write_statements() -> None:
    """Write ``new_sqlite.json`` again."""
    with tempfile.TemporaryDirectory() as folder:
        text = json.dumps(migrate_from_nothing(Path(folder)), indent=0) + "\n"
    Path(__file__).with_name(_FILE).write_text(text, encoding="utf-8")
