"""The prepared schema of an empty Prefect database, restored in milliseconds.

On a fresh home Prefect replays every migration since 2022, which costs 8 s of processor time. The result is
always the same, so ``schema.json`` stores it: the statements of a migrated, empty SQLite database, with the
Prefect version and the revision they belong to. A test compares the two. With another version of Prefect the
file is ignored, and Prefect runs its migrations.

Write it again after an upgrade of Prefect:
``python -c "from flows.engine.schema import write_schema; write_schema()"``

Source: derived by Prefect 3.8.8 (Apache License 2.0), its own migrations, 2026-11-22.
"""

import json
import os
import sqlite3
import subprocess
import sys
import tempfile
from contextlib import closing
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path
from typing import TypedDict


class Schema(TypedDict):
    """The schema of a migrated, empty database.

    Args:
        prefect: The version whose migrations made it.
        revision: The last migration's name.
        statements: ``CREATE`` statements in the order they were made.
    """

    prefect: str
    revision: str
    statements: list[str]


def make_database(database: Path) -> bool:
    """Create the database unless it exists.

    Args:
        database: The SQLite file; it appears whole or not at all.

    Returns:
        Whether the file is known to need no migration.

    Raises:
        OSError: It cannot be written, as where the disk is full. Nothing is left of it.
    """
    schema: Schema = json.loads(files(__package__).joinpath("schema.json").read_text())
    if schema["prefect"] != version("prefect"):
        return False
    if not database.exists():
        _restore(schema, database)
    return _revision(database) == schema["revision"]


def _restore(schema: Schema, database: Path) -> None:
    partial = database.with_suffix(f".{os.getpid()}")
    partial.unlink(missing_ok=True)
    try:
        with closing(sqlite3.connect(partial)) as connection, connection:
            connection.execute("BEGIN")
            for statement in schema["statements"]:
                connection.execute(statement)
            connection.execute("INSERT INTO alembic_version VALUES (?)", (schema["revision"],))
        partial.replace(database)
    except sqlite3.OperationalError as error:
        partial.unlink(missing_ok=True)
        raise OSError(str(error)) from error


def _revision(database: Path) -> str | None:
    try:
        with closing(sqlite3.connect(database)) as connection:
            row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    except sqlite3.DatabaseError:
        return None  # Prefect itself reports what is wrong
    return str(row[0]) if row else None


def read_schema(database: Path) -> Schema:
    """Read the schema out of a migrated database."""
    with closing(sqlite3.connect(database)) as connection:
        rows = connection.execute(
            "SELECT sql FROM sqlite_master WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite_%' ORDER BY rowid"
        ).fetchall()
    return {
        "prefect": version("prefect"),
        "revision": _revision(database) or "",
        "statements": [str(row[0]) for row in rows],
    }


def migrate_from_nothing(folder: Path) -> Schema:
    """Let Prefect run all its migrations on an empty database in ``folder``, and read the result."""
    program = (
        "import asyncio; from prefect.server.database import provide_database_interface as db;"
        "asyncio.run(db().create_db())"
    )
    database = folder / "prefect.db"
    address = {"PREFECT_API_DATABASE_CONNECTION_URL": f"sqlite+aiosqlite:///{database}"}
    quiet = {"PREFECT_SERVER_ANALYTICS_ENABLED": "false", "DO_NOT_TRACK": "1", "PREFECT_HOME": str(folder)}
    subprocess.run([sys.executable, "-c", program], env={**os.environ, **quiet, **address}, check=True)
    return read_schema(database)


def write_schema() -> None:
    """Write ``schema.json`` again; takes 10 s."""
    with tempfile.TemporaryDirectory() as temporary:
        text = json.dumps(migrate_from_nothing(Path(temporary)), indent=0) + "\n"
    Path(__file__).with_name("schema.json").write_text(text)
