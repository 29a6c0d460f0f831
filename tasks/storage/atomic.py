"""Atomic file writes: a file is complete or absent, even after a crash.

Bytes are written to temporary files, synced, and then renamed. Several files are renamed one after the other;
the last one marks the set as complete. Where the home is the mirror
of an object store, they are also in the store before the call returns.
"""

import os
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

from tasks.crash_points import crash_point
from tasks.errors import SettingError
from tasks.storage.mirror import store_of
from tasks.storage.parts import part_of

SYNCS_AT_ONCE = 8


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
    parts = [part_of(path) for path, _ in files]
    path = files[0][0]
    crash_point("before write", *(path for path, _ in files))
    try:
        try:
            for part, (path, data) in zip(parts, files, strict=True):
                path.parent.mkdir(parents=True, exist_ok=True)
                _write(part, data, is_durable=is_durable)
                crash_point("file written", path)
            for part, (path, _) in zip(parts, files, strict=True):
                part.replace(path)
                crash_point("file renamed", path)
        except BaseException:
            for part in parts:
                part.unlink(missing_ok=True)
            raise
        if is_durable:
            for folder in dict.fromkeys(path.parent for path, _ in files):
                _sync_folder(folder)
            crash_point("folder synced", *(path for path, _ in files))
        if store := store_of(path.parent):
            store.keep(path for path, _ in files)
    except OSError as fault:
        raise _unwritable(path, fault) from fault


def publish(part: Path, path: Path) -> None:
    """Give a file that another library wrote its name, once all its bytes are on disk.

    Args:
        part: The complete file, in the same folder.
        path: Its name from now on; an existing file is replaced.

    Raises:
        OSError: It cannot be synced or renamed.
    """
    _sync(part, os.O_RDWR)
    crash_point("file written", path)
    part.replace(path)
    crash_point("file renamed", path)
    _sync_folder(path.parent)
    crash_point("folder synced", path)


def publish_folder(part: Path, folder: Path) -> None:
    """Give a folder its name, once every file in it is on disk.

    Args:
        part: The complete folder, on the same disk.
        folder: Its name from now on; must not exist.

    Raises:
        OSError: It cannot be synced or renamed.
    """
    sync_together(path for path in part.rglob("*") if path.is_file())
    crash_point("file written", folder)
    part.rename(folder)
    crash_point("file renamed", folder)
    _sync_folder(folder.parent)
    crash_point("folder synced", folder)


def delete(files: Iterable[Path]) -> None:
    """Delete files, one after the other; those that are gone already are left out.

    Raises:
        OSError: One cannot be deleted; those before it are gone.
    """
    for file in files:
        crash_point("before delete", file)
        file.unlink(missing_ok=True)
        crash_point("file deleted", file)


def sync_together(files: Iterable[Path]) -> None:
    """Wait until files that were written without waiting are on disk; those that are gone are left out.

    Raises:
        SettingError: The disk is full or failing.
    """
    there = [file for file in files if file.is_file()]
    try:
        with ThreadPoolExecutor(SYNCS_AT_ONCE) as pool:  # a disk makes many durable in the time of a few
            list(pool.map(partial(_sync, flags=os.O_RDONLY), there))
        for folder in dict.fromkeys(file.parent for file in there):
            _sync_folder(folder)
    except OSError as fault:
        raise _unwritable(there[0], fault) from fault
    crash_point("folder synced", *there)


def _write(path: Path, data: bytes, *, is_durable: bool) -> None:
    with path.open("xb") as stream:
        stream.write(data)
        if is_durable:
            stream.flush()
            os.fsync(stream.fileno())


def _sync_folder(folder: Path) -> None:
    if not hasattr(os, "O_DIRECTORY"):  # Windows cannot open a folder, and does not need this
        return
    _sync(folder, os.O_RDONLY | os.O_DIRECTORY)


def _sync(path: Path, flags: int) -> None:
    descriptor = os.open(path, flags)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _unwritable(path: Path, fault: OSError) -> SettingError:
    return SettingError(
        where=str(path),
        what=f"cannot be written: {fault.strerror or fault}",
        money="What was bought before stays in the ledger.",
        next_step="Make room on the disk or make the folder writable, then repeat the command; "
        "a run that had begun goes on with: runoff run --resume latest",
    )
