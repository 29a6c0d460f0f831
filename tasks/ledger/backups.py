"""Backups of a SQLite ledger: whole, checked copies beside it, of which a few are kept.

SQLite's online backup copies one snapshot while others read and write. A copy is checked before it gets its
name, so that a damaged ledger never replaces a good backup. Backups are numbered: the newest is the one made
last, whatever the clock said. A PostgreSQL ledger is backed up with its own tools.
"""

import re
import shutil
import sqlite3
from collections.abc import Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from urllib.parse import quote

from sqlalchemy.engine import URL

from tasks.errors import LedgerError
from tasks.storage.atomic import publish
from tasks.storage.home import paid_runs
from tasks.storage.parts import PART_PATTERN, part_of

FOLDER = ".backups"
"""The folder of the backups, beside the ledger's file."""
KEPT_NEWEST = 3
KEPT_DAYS = 3
"""Of older backups, the last one of this many days is kept."""
SPARE_BYTES = 50_000_000
"""Bytes left free on the disk; with less, no backup is made."""

_NAME = re.compile(r"(?P<stem>.+)-(?P<number>\d{6})-(?P<time>\d{8}T\d{6})Z\.db")


@dataclass(frozen=True, slots=True)
class Backup:
    """One backup.

    Args:
        file: Its file.
        number: Its number; a later one is larger.
        made_at: When it was made, by this machine's clock; aware UTC time.
    """

    file: Path
    number: int
    made_at: datetime


def sqlite_file(url: URL) -> Path | None:
    """Return the file of a SQLite ledger; ``None`` for another database, or one opened by a ``file:`` URI."""
    if url.get_backend_name() != "sqlite" or url.database is None or url.database.startswith("file:"):
        return None
    return Path(url.database)


def list_backups(ledger_file: Path) -> list[Backup]:
    """List a ledger's backups, the newest first; unreadable folders have none."""
    found = []
    with suppress(OSError):
        for file in (ledger_file.parent / FOLDER).iterdir():
            name = _NAME.fullmatch(file.name)
            if name and name["stem"] == ledger_file.stem:
                with suppress(ValueError):  # no time of the calendar
                    made_at = datetime.strptime(name["time"], "%Y%m%dT%H%M%S").replace(tzinfo=UTC)
                    found.append(Backup(file, int(name["number"]), made_at))
    return sorted(found, key=lambda backup: backup.number, reverse=True)


def back_up(ledger_file: Path, now: datetime, to: Path | None = None) -> Path:
    """Copy a ledger, check the copy, and keep a few of the earlier ones.

    Args:
        ledger_file: The ledger's file; others may read and write it meanwhile.
        now: Aware time, for the backup's name.
        to: Where to write it instead of the folder of backups; an existing file is not replaced.

    Returns:
        The backup's file: a whole database without further files.

    Raises:
        LedgerError: It cannot be read, is damaged, or the copy cannot be written. Earlier backups stay.
    """
    known = list_backups(ledger_file)
    number = known[0].number + 1 if known else 1
    name = f"{ledger_file.stem}-{number:06d}-{now.astimezone(UTC):%Y%m%dT%H%M%S}Z.db"
    file = to or ledger_file.parent / FOLDER / name
    if to is not None and to.exists():
        raise _failed(ledger_file, f"{file} exists already", "Name a file that does not exist yet.")
    part = part_of(file)
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        _require_room(ledger_file, file.parent)
        _copy(ledger_file, part)
        if faults := check_file(part):
            raise _failed(ledger_file, f"the copy is damaged: {faults[0]}", "See: runoff ledger verify")
        publish(part, file)
    except (OSError, sqlite3.Error) as error:
        raise _failed(ledger_file, str(error), "Free disk space or make the folder writable.") from error
    finally:
        with suppress(OSError):
            part.unlink(missing_ok=True)
    if to is None:
        _thin_out(list_backups(ledger_file))
        _clear_away(file.parent, now)
    return file


def check_file(file: Path) -> list[str]:
    """Run SQLite's integrity check on a file that nobody writes; the file is not changed.

    Returns:
        What the check says; empty when the file is sound.
    """
    address = f"file:{quote(str(file.absolute()))}?mode=ro&immutable=1"
    try:
        with closing(sqlite3.connect(address, uri=True)) as connection:
            lines = [str(line) for (line,) in connection.execute("PRAGMA integrity_check(3)")]
    except sqlite3.Error as error:
        return [str(error)]
    return [] if lines == ["ok"] else lines


def describe_ways_back(ledger_file: Path, home: Path) -> str:
    """Say how a damaged or lost ledger is got back: from which backup, and from what on disk.

    Args:
        ledger_file: The ledger's file.
        home: Runoff's home.
    """
    n_runs = sum(1 for _ in paid_runs(home))
    beside = f"On disk are the pictures and answers of {n_runs} {'run' if n_runs == 1 else 'runs'}. "
    if backups := list_backups(ledger_file):
        return (
            f"{beside}Restore the last backup, of {backups[0].made_at:%Y-%m-%d %H:%M:%S} UTC, with: "
            "runoff ledger restore. Then read back what was bought since with: runoff ledger rebuild"
        )
    return f"{beside}There is no backup. Read back what is on disk with: runoff ledger rebuild"


def _copy(source: Path, target: Path) -> None:
    with (
        closing(sqlite3.connect(f"file:{quote(str(source.absolute()))}?mode=ro", uri=True)) as original,
        closing(sqlite3.connect(target)) as copy,
    ):
        original.backup(copy)
        copy.execute("PRAGMA journal_mode=DELETE")  # one file, without a log beside it


def _require_room(ledger_file: Path, folder: Path) -> None:
    n_bytes = sum(
        file.stat().st_size
        for file in (ledger_file, ledger_file.with_name(f"{ledger_file.name}-wal"))
        if file.exists()
    )
    free = shutil.disk_usage(folder).free
    if free < n_bytes + SPARE_BYTES:
        needed_mb = (n_bytes + SPARE_BYTES) / 1e6
        what = f"{free / 1e6:.0f} MB are left on its disk; a copy and room to spare take {needed_mb:.0f} MB"
        raise _failed(ledger_file, what, "Free disk space.")


def _thin_out(backups: Sequence[Backup]) -> None:
    """Delete all but the newest backups and the last ones of some earlier days."""
    last_of_day: dict[date, Backup] = {}
    for backup in backups[KEPT_NEWEST:]:
        last_of_day.setdefault(backup.made_at.date(), backup)
    kept = {backup.number for backup in [*backups[:KEPT_NEWEST], *list(last_of_day.values())[:KEPT_DAYS]]}
    for backup in backups:
        if backup.number not in kept:
            with suppress(OSError):  # another process may thin them out as well
                backup.file.unlink(missing_ok=True)


def _clear_away(folder: Path, now: datetime) -> None:
    """Delete the unfinished copies of killed processes; a young one may be another process's."""
    with suppress(OSError):
        for part in folder.glob(PART_PATTERN):
            if now.timestamp() - part.stat().st_mtime > ABANDONED_AFTER_S:
                part.unlink(missing_ok=True)


def _failed(ledger_file: Path, what: str, next_step: str) -> LedgerError:
    return LedgerError(
        where=f"ledger {ledger_file}",
        what=f"was not backed up: {what}",
        money="The ledger and its earlier backups are unchanged.",
        next_step=next_step,
    )


ABANDONED_AFTER_S = 3600
