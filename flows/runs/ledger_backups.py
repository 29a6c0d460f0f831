"""Backing up and restoring the ledger of a home, by a person."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from tasks.errors import LedgerError
from tasks.ledger import open_existing_ledger, open_ledger
from tasks.ledger.backups import Backup, check_file, list_backups, sqlite_file
from tasks.ledger.database import LEDGER_VARIABLE, ledger_url
from tasks.ledger.restoring import put_in_place
from tasks.settings import Settings
from tasks.storage.home import run_folders, run_lock


@dataclass(frozen=True, slots=True)
class Restored:
    """The result of restoring.

    Args:
        backup: The backup's file.
        before: Where the ledger before is now; ``None`` if there was none.
        n_runs: How many runs the restored ledger knows.
        n_unread: How many runs, answers and pictures on disk it does not know, because they are newer.
    """

    backup: Path
    before: Path | None
    n_runs: int
    n_unread: int


def make_backup(settings: Settings, to: Path | None = None) -> Path:
    """Back up the ledger now.

    Args:
        settings: The home and the environment.
        to: Where to, instead of the folder of backups; must not exist yet.

    Raises:
        RunError: There is no ledger yet.
        LedgerError: It is on PostgreSQL, is damaged, or the backup cannot be written.
    """
    require_sqlite(settings)
    with open_existing_ledger(settings.home, settings.environ) as ledger:
        file = ledger.back_up(datetime.now(UTC), to)
    assert file is not None
    return file


def backups(settings: Settings) -> list[Backup]:
    """List the backups, the newest first.

    Raises:
        LedgerError: The ledger is on PostgreSQL.
    """
    return list_backups(require_sqlite(settings))


def last_sound(settings: Settings) -> Path:
    """Find the newest backup that its check finds sound.

    Raises:
        LedgerError: There is none, or the ledger is on PostgreSQL.
    """
    file = require_sqlite(settings)
    for backup in list_backups(file):
        if not check_file(backup.file):
            return backup.file
    raise LedgerError(
        where=f"ledger {file}",
        what="has no sound backup",
        money="Nothing was changed.",
        next_step="Read back what is on disk with: runoff ledger rebuild",
    )


def restore(settings: Settings, backup: Path) -> Restored:
    """Put a backup in the place of the ledger; the ledger before is moved aside.

    Args:
        settings: The home and the environment.
        backup: The backup's file.

    Raises:
        LedgerError: The backup cannot be used, or the ledger is on PostgreSQL. Nothing was changed.
        RunError: Another process works on a run of the home. Nothing was changed.
    """
    file = require_sqlite(settings)
    require_idle(settings.home)
    before = put_in_place(backup, file, datetime.now(UTC))
    with open_ledger(settings.home, settings.environ) as ledger:
        return Restored(backup, before, len(ledger.runs.all()), len(ledger.strays(settings.home)))


def require_idle(home: Path) -> None:
    """Check that no process on this machine works on a run of the home.

    Raises:
        RunError: One does.
    """
    for folder in run_folders(home):
        with run_lock(folder):
            pass


def require_sqlite(settings: Settings) -> Path:
    """Return the ledger's file.

    Raises:
        LedgerError: The ledger is on PostgreSQL, which has tools of its own.
    """
    url = ledger_url(settings.home, settings.environ.get(LEDGER_VARIABLE))
    if file := sqlite_file(url):
        return file
    address = url.set(drivername="postgresql", query={}, password=None).render_as_string()
    raise LedgerError(
        where=f"ledger {address}",
        what="is not a SQLite file; PostgreSQL has its own tools for backups",
        money="Nothing was changed.",
        next_step=f"Back it up with: pg_dump --format=custom --file=ledger.dump {address}\n"
        f"Restore it with: pg_restore --clean --if-exists --dbname={address} ledger.dump",
    )


def describe(found: list[Backup]) -> Iterator[str]:
    """Describe backups in a line each."""
    for backup in found:
        made = f"{backup.made_at:%Y-%m-%d %H:%M:%S} UTC"
        yield f"{made}  {backup.file.stat().st_size / 1e6:.1f} MB  {backup.file}"
