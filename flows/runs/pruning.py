"""Making room: files of losing drafts of old runs go; the ledger, finalists, finals and liked ones stay.

With a store they go there first, then in this machine's mirror; another machine lets go of its own before it
works on the run again, so that none puts them back.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from flows.runs.lock import held_as_it_is
from tasks.errors import RunError
from tasks.ledger import Ledger
from tasks.ledger.pruning import Droppable
from tasks.storage.home import run_folder
from tasks.storage.mirror import store_of


@dataclass(frozen=True, slots=True)
class PrunableRun:
    """What of a run may go.

    Args:
        run_id: The run.
        campaign: Its campaign.
        n_pictures: How many drafts.
        n_bytes: How many bytes of files that are there, thumbnails included; with a store, of those in it.
    """

    run_id: str
    campaign: str
    n_pictures: int
    n_bytes: int


def find_prunable(ledger: Ledger, home: Path, before: datetime) -> list[PrunableRun]:
    """List what may be dropped of the runs that were done before a moment. Drops nothing.

    Raises:
        SettingError: The store cannot be read.
    """
    found = []
    for (run_id, campaign), losers in ledger.pruning.losers(before).items():
        files = _files(folder := run_folder(home, campaign, run_id), losers)
        found.append(PrunableRun(run_id, campaign, len(losers), _size_bytes(folder, files)))
    return found


def prune(ledger: Ledger, home: Path, before: datetime, now: datetime) -> list[str]:
    """Drop the files of losing drafts, run by run, and write down that they are gone.

    Each run is held meanwhile. A kill in between leaves files dropped and not written down; dropping again
    puts that right.

    Returns:
        The ids of runs that were left alone, because another process works on them.

    Raises:
        SettingError: The store cannot be read, or does not let files go. Runs before it are done.
    """
    left_alone = []
    for run_id, campaign in ledger.pruning.losers(before):
        folder = run_folder(home, campaign, run_id)
        try:
            with held_as_it_is(ledger, folder):
                # Somebody may have chosen or bought one of them since.
                losers = ledger.pruning.losers(before, run_id).get((run_id, campaign), [])
                _drop(folder, _files(folder, losers))
                ledger.pruning.record([loser.candidate_id for loser in losers], now)
        except RunError:
            left_alone.append(run_id)
    return left_alone


def _files(folder: Path, losers: Iterable[Droppable]) -> list[Path]:
    return [folder / name for loser in losers for name in loser.files]


def _size_bytes(folder: Path, files: Iterable[Path]) -> int:
    if store := store_of(folder):
        sizes = store.sizes(folder)
        return sum(sizes.get(file, 0) for file in files)
    return sum(file.stat().st_size for file in files if file.is_file())


def _drop(folder: Path, files: list[Path]) -> None:
    if store := store_of(folder):
        store.drop(folder, files)
    for file in files:
        file.unlink(missing_ok=True)
