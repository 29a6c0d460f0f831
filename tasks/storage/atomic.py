"""Files that are there whole or not at all, whatever happens to the process or the machine.

Bytes go into temporary files first, are synced, and take their names only then. Several files take theirs one
right after the other, so that a kill hardly ever comes between them; the last one is the one that counts.
Where the home is a store's mirror, they are in the store too before the call returns.
"""

import os
import secrets
from collections.abc import Sequence
from pathlib import Path

from tasks.errors import SettingError
from tasks.storage.mirror import store_of

PART_PATTERN = ".*.part"
"""What temporary files are called; a killed process may leave some."""


def write_atomically(path: Path, data: bytes, *, is_durable: bool = True) -> None:
    """Write a file so that it is there whole or not at all, even after a crash.

    Args:
        path: Where to; missing folders are made, an existing file is replaced.
        data: All its bytes.
        is_durable: Wait until the disk has it. Only for what can be made again is False right.

    Raises:
        SettingError: The folder cannot be written or the disk is full. The old file, if any, is as it was
            and no temporary file is left.
    """
    write_together([(path, data)], is_durable=is_durable)


def write_together(files: Sequence[tuple[Path, bytes]], *, is_durable: bool = True) -> None:
    """Write files that belong together; none takes its name before all their bytes are on the disk.

    Args:
        files: Where to, and all bytes, in the order in which they take their names.
        is_durable: Wait until the disk has them.

    Raises:
        SettingError: A folder cannot be written or the disk is full, and no temporary file is left; or the
            store cannot be written, and the files are whole in its mirror.
    """
    parts = [path.with_name(f".{path.name}.{secrets.token_hex(6)}.part") for path, _ in files]
    path = files[0][0]
    try:
        try:
            for part, (path, data) in zip(parts, files, strict=True):
                path.parent.mkdir(parents=True, exist_ok=True)
                _write(part, data, is_durable=is_durable)
            for part, (path, _) in zip(parts, files, strict=True):
                part.replace(path)
        except BaseException:
            for part in parts:
                part.unlink(missing_ok=True)
            raise
        if is_durable:
            for folder in dict.fromkeys(path.parent for path, _ in files):
                _sync_folder(folder)
        if store := store_of(path.parent):
            store.keep(path for path, _ in files)
    except OSError as fault:
        raise SettingError(
            where=str(path),
            what=f"cannot be written: {fault.strerror or fault}",
            money="An order that was answered before this stays charged in the ledger.",
            next_step="Make room on the disk or make the folder writable, then resume the run.",
        ) from fault


def _write(path: Path, data: bytes, *, is_durable: bool) -> None:
    with path.open("xb") as stream:
        stream.write(data)
        if is_durable:
            stream.flush()
            os.fsync(stream.fileno())


def _sync_folder(folder: Path) -> None:
    if not hasattr(os, "O_DIRECTORY"):  # Windows cannot open a folder, and needs no such call
        return
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
