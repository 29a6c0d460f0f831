"""Whether a picture's file still is what was bought: its SHA-256 is in the ledger.

What is shown, zipped, promoted or compared is checked as it is read, so that nothing else passes for it.
"""

import hashlib
from pathlib import Path

from tasks.errors import PictureError
from tasks.limits import PICTURE_BYTES
from tasks.storage.regular_file import UnusableFileError, read_regular

MISSING = "is missing"
CHANGED = "is not what was bought"
_NEXT_STEP = "Restore the file from a backup; runoff ledger verify lists all such files."


_REMEMBERED = 100_000
_sound: set[tuple[str, int, int, int, str]] = set()


def read_bought(file: Path, sha256: str) -> bytes:
    """Read a picture that was bought.

    Args:
        file: Its file.
        sha256: The digest of the bytes as they were received.

    Raises:
        PictureError: The file is missing or unreadable, or has other bytes.
    """
    try:
        data = read_regular(file, PICTURE_BYTES)
    except UnusableFileError as fault:
        raise _lacking(file, CHANGED) from fault
    except OSError as fault:
        what = MISSING if isinstance(fault, FileNotFoundError) else f"is unreadable ({fault.strerror})"
        raise _lacking(file, what) from fault
    if hashlib.sha256(data).hexdigest() != sha256:
        raise _lacking(file, CHANGED)
    return data


def _lacking(file: Path, what: str) -> PictureError:
    return PictureError(where=str(file), what=what, money="", next_step=_NEXT_STEP)


def find_lack(file: Path, sha256: str) -> str | None:
    """Return what is wrong with a bought picture's file, worded to follow its name; ``None`` if nothing.

    A file that has not changed since, by its number, size and time, is not read again.
    """
    try:
        facts = file.stat()
        key = (str(file), facts.st_ino, facts.st_size, facts.st_mtime_ns, sha256)
        if key in _sound:
            return None
        read_bought(file, sha256)
    except OSError:
        return MISSING
    except PictureError as error:
        return error.what
    if len(_sound) >= _REMEMBERED:
        _sound.clear()
    _sound.add(key)
    return None


def find_lack_by_size(file: Path, n_bytes: int) -> str | None:
    """Find the same without reading it: other bytes of the same number are not noticed."""
    try:
        return None if file.stat().st_size == n_bytes else CHANGED
    except OSError:
        return MISSING
