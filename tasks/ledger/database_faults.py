"""What a fault of the database means: what happened, and what to do next, by the driver's codes."""

import sqlite3
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy.engine import URL

from tasks.ledger.backups import describe_ways_back, sqlite_file

_RESUME = "Then: runoff run --resume latest"
_CHECK = f"Check it with: runoff ledger verify. {_RESUME}"
_WRITABLE = "Make it writable, or use another home with --home or RUNOFF_HOME."
CONFLICTS = ("40001", "40P01")
DAMAGED = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


@dataclass(frozen=True, slots=True)
class Explanation:
    """What a fault means.

    Args:
        what: What is wrong.
        next_step: What to do now.
        accepted: What would be accepted, if there is a choice.
    """

    what: str
    next_step: str
    accepted: str = ""


def primary_code(fault: BaseException | None) -> int | None:
    """Return SQLite's primary code of a fault, the low byte; ``None`` where there is none."""
    code = getattr(fault, "sqlite_errorcode", None)
    return None if code is None else code & 0xFF


def is_conflict(fault: BaseException | None) -> bool:
    """Return whether PostgreSQL rolled a transaction back because another was in its way.

    Two that wait for one another are a deadlock. Codes: class 40 of
    https://www.postgresql.org/docs/current/errcodes-appendix.html, checked 2026-11-30.
    """
    return getattr(fault, "sqlstate", None) in CONFLICTS


def explain(fault: BaseException | None, url: URL, wait_s: float) -> Explanation:
    """Explain a fault that the driver reported.

    Args:
        fault: The driver's exception.
        url: The database's address.
        wait_s: How long a write waits for other writers, seconds.
    """
    code, text = primary_code(fault), _first_line(fault)
    if code == sqlite3.SQLITE_CANTOPEN:
        return _cannot_open(url, text)
    by_code = {
        sqlite3.SQLITE_BUSY: Explanation(
            f"database is locked: another process has kept it for {wait_s:g} s",
            f"Let that process end. {_RESUME}",
        ),
        sqlite3.SQLITE_READONLY: Explanation(
            "cannot be written: the file or its folder is read-only",
            _WRITABLE,
            "a folder that this user may write",
        ),
        sqlite3.SQLITE_FULL: Explanation(
            "cannot be written: the disk is full", f"Free disk space. {_RESUME}"
        ),
        sqlite3.SQLITE_IOERR: Explanation(
            f"its disk reports an error ({text})", f"Check the disk and its free space. {_CHECK}"
        ),
    }
    return by_code.get(code, Explanation(text, _CHECK)) if code is not None else Explanation(text, _CHECK)


def damaged(url: URL, home: Path | None, text: str) -> Explanation:
    """Explain a damaged SQLite file: which backup there is, and what is on disk beside it.

    Args:
        url: The database's address.
        home: Runoff's home, if known; else the file's folder.
        text: What the database says.
    """
    file = sqlite_file(url)
    if file is None:
        return Explanation(
            f"is damaged: {text}", "Restore it from a backup that pg_dump made: docs/money.md."
        )
    return Explanation(f"is damaged: {text.rstrip('.')}", describe_ways_back(file, home or file.parent))


def _cannot_open(url: URL, text: str) -> Explanation:
    file = sqlite_file(url)
    if file is None:
        return Explanation(text, _WRITABLE)
    if not file.parent.is_dir():
        return Explanation(
            f"cannot be opened: its folder {file.parent} does not exist",
            "Create the folder, or name another home with --home or RUNOFF_HOME.",
        )
    if file.is_dir():
        return Explanation(
            "cannot be opened: it is a folder", "Name another home with --home or RUNOFF_HOME."
        )
    return Explanation(
        "cannot be opened: this user may not write the file or its folder, which SQLite needs",
        _WRITABLE,
        "a folder that this user may write",
    )


def _first_line(fault: BaseException | None) -> str:
    return str(fault).strip().partition("\n")[0] or "does not answer"
