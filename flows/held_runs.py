"""A run in the hands of one process: held against all others on every machine, its files brought here."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tasks.errors import RunError
from tasks.home import CAMPAIGN_FILE, run_lock
from tasks.ledger import Ledger
from tasks.store import store_of


@contextmanager
def held_run(ledger: Ledger, folder: Path) -> Iterator[None]:
    """Hold a run for this process; with a store, its files are first made the same there and here.

    Args:
        ledger: The ledger.
        folder: The run's folder; its name is the run's id.

    Raises:
        RunError: Another process works on it.
        SettingError: The store cannot be read or written.
    """
    with run_lock(folder), ledger.hold(folder.name):
        bring_files(folder)
        if store := store_of(folder):
            store.push(folder)
        yield


def bring_files(folder: Path) -> None:
    """With a store, fetch what other machines wrote into a folder of the home.

    Raises:
        SettingError: The store cannot be read.
    """
    if store := store_of(folder):
        store.fetch(folder)


def is_left(ledger: Ledger, folder: Path) -> bool:
    """Whether a run can be taken up here: no process works on it, and its campaign can be had."""
    bring_files(folder)
    return (folder / CAMPAIGN_FILE).exists() and is_free(ledger, folder)


def is_free(ledger: Ledger, folder: Path) -> bool:
    """Whether no process works on a run, on any machine that shares the ledger."""
    try:
        with run_lock(folder), ledger.hold(folder.name):
            return True
    except RunError:
        return False
