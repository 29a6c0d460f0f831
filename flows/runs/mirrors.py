"""Old runs in this machine's mirror: their files are in the store, and are deleted here to make room.

A file that the store does not have, or has in another size, stays. What is looked at again is fetched again.
"""

import contextlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from flows.runs.lock import locked_without_files
from tasks.errors import RunError
from tasks.ledger import Ledger
from tasks.storage.atomic import delete
from tasks.storage.home import run_folder
from tasks.storage.mirror import store_of

OVER = ("done", "cancelled")


@dataclass(frozen=True, slots=True)
class MirroredRun:
    """What can be deleted of a run in this machine's mirror.

    Args:
        run_id: The run.
        campaign: Its campaign.
        n_files: How many files.
        n_bytes: Their bytes.
    """

    run_id: str
    campaign: str
    n_files: int
    n_bytes: int


def find_mirrored(ledger: Ledger, home: Path, campaign: str, before: datetime) -> list[MirroredRun]:
    """List what can be deleted of a campaign's runs in the mirror; nothing where the home is a folder.

    Args:
        ledger: The ledger.
        home: Runoff's home.
        campaign: The campaign's name.
        before: Aware time: only runs that were over before it.

    Raises:
        SettingError: The store cannot be read.
    """
    found = []
    for run_id in _over(ledger, home, campaign, before):
        sizes_bytes = [file.stat().st_size for file in _stored(run_folder(home, campaign, run_id))]
        if sizes_bytes:
            found.append(MirroredRun(run_id, campaign, len(sizes_bytes), sum(sizes_bytes)))
    return found


def drop_mirrored(ledger: Ledger, home: Path, campaign: str, before: datetime) -> list[str]:
    """Delete them, run by run, each locked meanwhile; the store is not changed.

    Args:
        ledger: The ledger.
        home: Runoff's home.
        campaign: The campaign's name.
        before: Aware time: only runs that were over before it.

    Returns:
        The ids of runs that were skipped, because another process holds their lock.

    Raises:
        SettingError: The store cannot be read.
        OSError: A file cannot be deleted.
    """
    skipped = []
    for run_id in _over(ledger, home, campaign, before):
        folder = run_folder(home, campaign, run_id)
        if not folder.is_dir():
            continue
        try:
            with locked_without_files(ledger, folder):
                delete(list(_stored(folder)))
                drop_empty_folders(folder)
        except RunError:
            skipped.append(run_id)
    return skipped


def drop_empty_folders(folder: Path) -> None:
    """Remove the folders below a folder in which nothing is left."""
    for path, _, _ in os.walk(folder, topdown=False):
        if Path(path) != folder:
            with contextlib.suppress(OSError):  # something is left
                Path(path).rmdir()


def _over(ledger: Ledger, home: Path, campaign: str, before: datetime) -> list[str]:
    if store_of(home) is None:
        return []
    return [
        run.run_id
        for run in ledger.runs.all()
        if run.campaign == campaign and run.state in OVER and run.finished_at and run.finished_at < before
    ]


def _stored(folder: Path) -> Iterator[Path]:
    """List the files of a run that are here and, in the same size, in the store."""
    store = store_of(folder)
    here = [file for file in folder.rglob("*") if file.is_file()] if folder.is_dir() else []
    if store is None or not here:
        return
    kept = store.sizes(folder)
    for file in here:
        if file in kept and file.stat().st_size == kept[file]:
            yield file
