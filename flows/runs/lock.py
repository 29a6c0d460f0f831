"""A run in the hands of one process: held against all others on every machine, and its files brought here.

With a store, a machine's mirror may lack files that other machines wrote, and may still have what they
dropped. Whoever works on a run makes the two the same first; whoever only looks or decides brings what that
needs.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from tasks.errors import RunError
from tasks.ledger import Ledger
from tasks.storage.home import CAMPAIGN_FILE, run_lock
from tasks.storage.mirror import store_of


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
    with held_as_it_is(ledger, folder):
        if store := store_of(folder):
            store.fetch(folder)
            for dropped in ledger.pruning.dropped(folder.name):  # a mirror must not bring them back
                for file in dropped.files:
                    (folder / file).unlink(missing_ok=True)
            store.push(folder)
        yield


@contextmanager
def held_to_decide(ledger: Ledger, folder: Path) -> Iterator[None]:
    """Hold a run for deciding about it by what the ledger knows; of its files only the campaign comes.

    Raises:
        RunError: Another process works on it.
        SettingError: The store cannot be read.
    """
    with held_as_it_is(ledger, folder):
        bring_campaign(folder)
        yield


@contextmanager
def held_as_it_is(ledger: Ledger, folder: Path) -> Iterator[None]:
    """Hold a run for this process and leave its files where they are.

    Raises:
        RunError: Another process works on it.
    """
    with run_lock(folder), ledger.hold(folder.name):
        yield


def bring_files(folder: Path, names: Iterable[str] | None = None) -> None:
    """With a store, fetch what other machines wrote into a folder of the home.

    Args:
        folder: The folder.
        names: Only these files, relative to it; all when left out.

    Raises:
        SettingError: The store cannot be read.
    """
    if store := store_of(folder):
        wanted = None if names is None else {folder / name for name in names}
        if wanted is None or not all(file.exists() for file in wanted):
            store.fetch(folder, wanted)


def bring_campaign(folder: Path) -> Path:
    """With a store, fetch a run's campaign as it stands now: other machines may have decided by other rules.

    Returns:
        Its file, which may not be there.

    Raises:
        SettingError: The store cannot be read.
    """
    file = folder / CAMPAIGN_FILE
    if store := store_of(folder):
        store.fetch_file(file)
    return file


def is_left(ledger: Ledger, folder: Path) -> bool:
    """Whether a run can be taken up here: no process works on it, and its campaign can be had."""
    return bring_campaign(folder).exists() and is_free(ledger, folder)


def is_free(ledger: Ledger, folder: Path) -> bool:
    """Whether no process works on a run, on any machine that shares the ledger."""
    try:
        with held_as_it_is(ledger, folder):
            return True
    except RunError:
        return False
