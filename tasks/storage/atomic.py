"""Atomic file writes: a file is complete or absent, even after a crash.

Bytes are written to temporary files, synced, and then renamed. Several files are renamed in quick succession,
so that a kill between them is unlikely; the last one marks the set as complete. Where the home is the mirror
of an object store, they are also in the store before the call returns.
"""

import os
import secrets
from collections.abc import Sequence
from pathlib import Path

from tasks.errors import SettingError
from tasks.storage.mirror import store_of

PART_PATTERN = ".*.part"
"""The name pattern of temporary files; a killed process may leave some."""


def write_atomically(path: Path, data: bytes, *, is_durable: bool = True) -> None:
    """Write a file so that it is complete or absent, even after a crash.

    Args:
        path: The file; missing folders are created, an existing file is replaced.
        data: All its bytes.
        is_durable: Wait until it is synced to disk. Use False only for what can be created again.

    Raises:
        SettingError: The folder cannot be written or the disk is full. An existing file is unchanged and no
            temporary file is left.
    """
    write_together([(path, data)], is_durable=is_durable)


def write_together(files: Sequence[tuple[Path, bytes]], *, is_durable: bool = True) -> None:
    """Write files that belong together; none is renamed before all their bytes are on disk.

    Args:
        files: Path and bytes of each, in the order in which they are renamed.
        is_durable: Wait until they are synced to disk.

    Raises:
        SettingError: A folder cannot be written or the disk is full, and no temporary file is left; or the
            store cannot be written, and the files are complete in its mirror.
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
    if not hasattr(os, "O_DIRECTORY"):  # Windows cannot open a folder, and does not need this
        return
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
