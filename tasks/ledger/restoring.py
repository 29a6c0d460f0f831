"""Putting a backup in the place of a SQLite ledger. The ledger before is moved aside, never deleted."""

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import quote

from tasks.crash_points import crash_point
from tasks.errors import LedgerError
from tasks.ledger.backups import check_file
from tasks.ledger.schema import HEAD
from tasks.storage.atomic import publish

# SQLite's log and its index. A log that stays behind would be played into the next file of that name.
_COMPANIONS = ("-wal", "-shm")


def put_in_place(backup: Path, ledger_file: Path, now: datetime) -> Path | None:
    """Replace a ledger by a backup. Call it only while no other process uses the ledger.

    Args:
        backup: The backup's file, which stays.
        ledger_file: The ledger's file, which may be missing.
        now: Aware time, for the name of the ledger before.

    Returns:
        Where the ledger before is now; ``None`` if there was none.

    Raises:
        LedgerError: The backup is damaged, is no ledger or is of a newer Runoff, or the files cannot be
            written. The ledger before is unchanged, or has been moved aside whole.
    """
    _require_ledger(backup)
    part = ledger_file.with_name(f".{ledger_file.name}.restored.part")
    try:
        shutil.copyfile(backup, part)
        before = move_aside(ledger_file, now)
        publish(part, ledger_file)
    except OSError as error:
        raise _failed(backup, f"cannot be put in place: {error.strerror or error}") from error
    finally:
        part.unlink(missing_ok=True)
    return before


def move_aside(ledger_file: Path, now: datetime) -> Path | None:
    """Rename a ledger with its log, so that another can take its place; both can still be opened there.

    Args:
        ledger_file: The ledger's file.
        now: Aware time, for the new name.

    Returns:
        Where it is now; ``None`` if there was none.

    Raises:
        OSError: It cannot be renamed.
    """
    aside = ledger_file.with_name(f"{ledger_file.name}.replaced-{now.astimezone(UTC):%Y%m%dT%H%M%S%fZ}")
    had_one = ledger_file.exists()
    for file, name in _parts(ledger_file, aside):
        if file.exists():
            file.replace(name)
            crash_point("file renamed", name)
    return aside if had_one else None


def _parts(ledger_file: Path, aside: Path) -> Iterator[tuple[Path, Path]]:
    yield ledger_file, aside
    for end in _COMPANIONS:
        yield ledger_file.with_name(ledger_file.name + end), aside.with_name(aside.name + end)


def _require_ledger(backup: Path) -> None:
    if not backup.is_file():
        raise _failed(backup, "is not there")
    if faults := check_file(backup):
        raise _failed(backup, f"is damaged: {faults[0]}")
    address = f"file:{quote(str(backup.absolute()))}?mode=ro&immutable=1"
    try:
        with closing(sqlite3.connect(address, uri=True)) as connection:
            version = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    except sqlite3.Error as error:
        raise _failed(backup, "is not a ledger of Runoff") from error
    if version is None or str(version[0]) > HEAD:
        raise _failed(backup, f"has version {version and version[0]!r}, and this Runoff knows up to {HEAD!r}")


def _failed(backup: Path, what: str) -> LedgerError:
    return LedgerError(
        where=f"backup {backup}",
        what=what,
        money="The ledger was not replaced.",
        next_step="List the backups with: runoff ledger backup --list",
    )
