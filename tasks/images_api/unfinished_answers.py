"""Answers that a process wrote whole and was killed before it could name them.

All bytes of an answer are on disk under temporary names before the first of its files is renamed
(``write_together``), so one that lacks only names is given them, and its order is settled as received.
"""

import hashlib
from collections.abc import Iterator
from pathlib import Path

from tasks.candidate import Receipt
from tasks.errors import LedgerError, SettingError
from tasks.images_api.sidecars import read_sidecar
from tasks.storage.atomic import delete, publish
from tasks.storage.home import ANSWERS, PAID_FOLDERS, STAGE_FOLDERS
from tasks.storage.mirror import store_of
from tasks.storage.parts import PART_PATTERN, parts_of


def complete_answers(folder: Path) -> int:
    """Name the files of answers that were written whole. Call it only under the run lock.

    Args:
        folder: The run's folder.

    Returns:
        How many answers were completed.

    Raises:
        SettingError: The folder cannot be written.
    """
    n_completed = 0
    for source, file in _sidecars(folder):
        try:
            receipts = read_sidecar(source, file.stem).receipts
        except LedgerError:  # it was killed while writing
            continue
        pictures = [(_bytes_of(folder, receipt), folder / receipt.file) for receipt in receipts]
        if all(found is not None for found, _ in pictures):
            n_completed += _name(folder, [*pictures, (source, file)])
    return n_completed


def _sidecars(folder: Path) -> Iterator[tuple[Path, Path]]:
    """Find the sidecars that may lack a name, or pictures with one; yields where each is and should be."""
    answers = folder / ANSWERS
    for part, name in parts_of(answers, "*.json"):
        if not (answers / name).exists():
            yield part, answers / name
    if any(True for place in STAGE_FOLDERS.values() for _ in parts_of(folder / place, "*")):
        for file in sorted(answers.glob("[!.]*.json")):  # after a power cut either may have been named alone
            yield file, file


def delete_parts(folder: Path) -> None:
    """Delete what a killed process left half written among answers and pictures, under the run lock."""
    for name in PAID_FOLDERS:
        delete(list((folder / name).glob(PART_PATTERN)))


def has_parts(folder: Path) -> bool:
    """Return whether a killed process left anything half written among answers and pictures.

    Args:
        folder: The run's folder.
    """
    return any(True for name in PAID_FOLDERS for _ in (folder / name).glob(PART_PATTERN))


def _bytes_of(folder: Path, receipt: Receipt) -> Path | None:
    """Find the file that holds a picture, under its own or a temporary name; ``None`` without one."""
    file = folder / receipt.file
    found = [file, *(part for part, _ in parts_of(file.parent, file.name))]
    for one in found:
        if one.is_file() and hashlib.sha256(one.read_bytes()).hexdigest() == receipt.sha256:
            return one
    return None


def _name(folder: Path, files: list[tuple[Path | None, Path]]) -> bool:
    """Give files their names; returns whether any lacked it."""
    unnamed = [(source, file) for source, file in files if source is not None and source != file]
    try:
        for source, file in unnamed:
            publish(source, file)
        if unnamed and (store := store_of(folder)):
            store.keep(file for _, file in files)
    except OSError as fault:
        raise SettingError(
            where=str(folder),
            what=f"cannot be written: {fault.strerror or fault}",
            money="The answers in it are kept; nothing was bought.",
            next_step="Make room on the disk or make the folder writable, then resume the run.",
        ) from fault
    return bool(unnamed)
