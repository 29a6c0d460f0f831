"""The run lock, which one process on any machine can hold, and fetching a run's files from the store.

With a store, a machine's mirror may lack files that other machines wrote, and may still have files that they
deleted. A process that works on a run synchronises the two first; one that only reads or decides fetches just
the files it needs.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from tasks.errors import RunError
from tasks.ledger import Ledger, RunRecord
from tasks.ledger.runs import RunState
from tasks.storage.atomic import delete
from tasks.storage.home import CAMPAIGN_FILE, PAID_FOLDERS, run_lock, run_lock_file
from tasks.storage.mirror import store_of
from tasks.storage.parts import PART_PATTERN

MOMENT_S = 1.0
"""How long the lock is waited for: who only looks whether a run is free, or decides, holds it no longer."""


@contextmanager
def locked_run(ledger: Ledger, folder: Path) -> Iterator[None]:
    """Hold the run lock; first delete what killed writers left, and with a store synchronise the run's files.

    Args:
        ledger: The ledger.
        folder: The run's folder; its name is the run's id.

    Raises:
        RunError: Another process holds the lock.
        SettingError: The store cannot be read or written.
    """
    with locked_without_files(ledger, folder):
        if store := store_of(folder):
            store.fetch(folder)
            for dropped in ledger.pruning.dropped(folder.name):  # a mirror must not restore them
                delete(folder / file for file in dropped.files)
            store.push(folder)
        paid = {folder / name for name in PAID_FOLDERS}  # what is in these, recovery looks at first
        delete(part for part in list(folder.rglob(PART_PATTERN)) if part.parent not in paid)
        yield


@contextmanager
def locked_with_campaign(ledger: Ledger, folder: Path) -> Iterator[None]:
    """Hold the run lock to decide about the run by the ledger; fetches only its campaign file.

    Raises:
        RunError: Another process holds the lock.
        SettingError: The store cannot be read.
    """
    with locked_without_files(ledger, folder):
        fetch_campaign(folder)
        yield


@contextmanager
def locked_without_files(ledger: Ledger, folder: Path) -> Iterator[None]:
    """Hold the run lock without fetching any file.

    Raises:
        RunError: Another process holds the lock, and not only to look or to decide.
    """
    with run_lock(folder, MOMENT_S) as lock_file, ledger.hold(folder.name, lock_file):
        yield


def fetch_files(folder: Path, names: Iterable[str] | None = None) -> None:
    """With a store, fetch what other machines wrote into a folder of the home.

    Args:
        folder: The folder.
        names: Only these files, relative to the folder; default: all.

    Raises:
        SettingError: The store cannot be read.
    """
    if store := store_of(folder):
        wanted = None if names is None else {folder / name for name in names}
        if wanted is None or not all(file.exists() for file in wanted):
            store.fetch(folder, wanted)


def fetch_campaign(folder: Path) -> Path:
    """With a store, fetch a run's campaign file as it is now: other machines may have changed it.

    Returns:
        The file, which may not exist.

    Raises:
        SettingError: The store cannot be read.
    """
    file = folder / CAMPAIGN_FILE
    if store := store_of(folder):
        store.fetch_file(file)
    return file


def is_resumable(ledger: Ledger, folder: Path) -> bool:
    """Whether a run can be resumed here: no process holds its lock, and its campaign file is available."""
    return fetch_campaign(folder).exists() and is_free(ledger, folder)


def state_now(ledger: Ledger, folder: Path, record: RunRecord) -> RunState:
    """Return a run's state, which is ``stopped`` if it was working and its process has gone.

    A killed process cannot write down that it ended. Reads only: no lock file is made.

    Args:
        ledger: The ledger.
        folder: The run's folder.
        record: The run's row.
    """
    if record.state != "running":
        return record.state
    is_here = run_lock_file(folder).exists()
    is_worked_on = not is_free(ledger, folder) if is_here else ledger.is_held(folder.name)
    return "running" if is_worked_on else "stopped"


def is_free(ledger: Ledger, folder: Path) -> bool:
    """Whether no process holds the run lock, on any machine that shares the ledger."""
    try:
        with run_lock(folder):
            return not ledger.is_held(folder.name)
    except RunError:
        return False
