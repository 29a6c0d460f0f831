"""Migrating a ledger to this version: a home's own SQLite file by itself, a shared one by a command alone.

A shared ledger is on PostgreSQL. Once it is migrated, every earlier Runoff refuses to open it, so that
somebody decides when that happens: when no run is going and all machines have the new version.
"""

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import sqlalchemy as sa

from tasks.errors import LedgerError, RunError
from tasks.ledger.backups import back_up, sqlite_file
from tasks.ledger.database import Database
from tasks.ledger.new_sqlite import create_tables
from tasks.ledger.run_hold import is_held
from tasks.ledger.schema import HEAD, runs

if TYPE_CHECKING:
    from alembic.config import Config

# Keeps two processes that open a new ledger at once from both creating its tables. Any fixed number will do.
_UPGRADE_LOCK = 7_266_863_301


def version_of(database: Database) -> str | None:
    """Return a ledger's version; ``None`` for a database without one."""
    with database.read() as connection:
        if not sa.inspect(connection).has_table("alembic_version"):
            return None
        version: str | None = connection.execute(sa.text("SELECT version_num FROM alembic_version")).scalar()
        return version


def require_own(database: Database, version: str | None) -> None:
    """Refuse to migrate a shared ledger in passing; a new one is nobody's yet.

    Args:
        database: The ledger's database.
        version: Its version.

    Raises:
        LedgerError: It is shared and has an earlier version. Nothing was changed.
    """
    if version is None or version > HEAD or sqlite_file(database.url) is not None:
        return
    if database.url.get_backend_name() == "sqlite":
        return
    raise LedgerError(
        where=f"ledger {database.name}",
        what=f"has version {version!r}, and this Runoff needs {HEAD!r}; it is shared, and nothing migrates "
        "it in passing",
        money="Nothing was changed.",
        next_step="Let the runs on it end, install this version on every machine, back it up with pg_dump, "
        "then: runoff ledger migrate. Until then, use the version that made it.",
    )


def require_idle_ledger(database: Database) -> None:
    """Check that no machine works on a run of a shared ledger.

    Raises:
        RunError: One does. Nothing was changed.
    """
    with database.read() as connection:
        going = list(connection.execute(sa.select(runs.c.run_id).where(runs.c.state == "running")).scalars())
    if held := [run_id for run_id in going if is_held(database, run_id)]:
        raise RunError(
            where=f"ledger {database.name}",
            what=f"a process works on {', '.join(sorted(held)[:5])}",
            money="Nothing was changed.",
            next_step="Let it end, and stop `runoff serve` and the workers, then give the command again.",
        )


def upgrade(database: Database, version: str | None) -> Path | None:
    """Migrate a ledger, or create it; a SQLite file is backed up first.

    Args:
        database: The ledger's database.
        version: Its version; ``None`` for a new one.

    Returns:
        The backup's file, if one was made.

    Raises:
        LedgerError: It was written by a newer Runoff, is damaged or cannot be backed up. Nothing was changed.
    """
    if version is None:
        with database.write() as connection:
            if connection.dialect.name != "sqlite" or not create_tables(connection):
                run_migrations(connection)
        return None
    if version not in _known_versions():
        raise LedgerError(
            where=f"ledger {database.name}",
            what=f"has version {version!r}, written by a newer Runoff",
            accepted=f"up to {HEAD!r}",
            money="Nothing was changed, and nothing is sent from here.",
            next_step="Install the newer Runoff here too, or name another home with --home.",
        )
    file = sqlite_file(database.url)
    backup = back_up(file, datetime.now(UTC)) if file else None
    with database.write() as connection:
        run_migrations(connection)
    return backup


def run_migrations(connection: sa.Connection) -> None:
    """Run the migrations that a ledger lacks, within the transaction that is open."""
    from alembic import command

    if connection.dialect.name == "postgresql":
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_UPGRADE_LOCK)))
    config = _alembic()
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def _known_versions() -> set[str]:
    from alembic.script import ScriptDirectory

    return {script.revision for script in ScriptDirectory.from_config(_alembic()).walk_revisions()}


def _alembic() -> "Config":
    from alembic.config import Config  # slow to load: only when there is something to do

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    return config
