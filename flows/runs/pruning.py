"""Pruning: deletes the files of losing drafts of old runs; ledger, finalists, finals and liked drafts stay.

With a store they are deleted there first, then in this machine's mirror; another machine deletes its own
files before it works on the run again, so that none restores them.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from flows.runs.lock import locked_without_files
from tasks.errors import RunError
from tasks.ledger import Ledger
from tasks.ledger.pruning import Droppable
from tasks.storage.atomic import delete
from tasks.storage.home import run_folder
from tasks.storage.mirror import store_of


@dataclass(frozen=True, slots=True)
class Old:
    """Which drafts are old enough to be deleted.

    Args:
        before: Aware time: those of runs that ended before it.
        campaign: Only of this campaign; ``None`` for all.
        of_declined: Only of declined runs.
    """

    before: datetime
    campaign: str | None = None
    of_declined: bool = False

    def losers(self, ledger: Ledger, run_id: str | None = None) -> dict[tuple[str, str], list[Droppable]]:
        """List them, by run id and campaign."""
        return ledger.pruning.losers(self.before, run_id, self.campaign, of_declined=self.of_declined)


@dataclass(frozen=True, slots=True)
class PrunableRun:
    """What can be deleted of a run.

    Args:
        run_id: The run.
        campaign: Its campaign.
        n_pictures: How many drafts.
        n_bytes: Bytes of the existing files, including thumbnails; with a store, of those in the store.
    """

    run_id: str
    campaign: str
    n_pictures: int
    n_bytes: int


def find_prunable(ledger: Ledger, home: Path, *old: Old) -> list[PrunableRun]:
    """List what can be deleted of runs. Deletes nothing.

    Args:
        ledger: The ledger.
        home: Runoff's home.
        *old: Which drafts are old enough, by any of these.

    Raises:
        SettingError: The store cannot be read.
    """
    found = []
    for (run_id, campaign), losers in _losers(ledger, old).items():
        files = _files(folder := run_folder(home, campaign, run_id), losers)
        found.append(PrunableRun(run_id, campaign, len(losers), _size_bytes(folder, files)))
    return found


def prune(ledger: Ledger, home: Path, now: datetime, *old: Old) -> list[str]:
    """Delete the files of losing drafts, run by run, and record it.

    Each run is locked meanwhile. A kill in between leaves files deleted but not recorded; pruning again
    records them.

    Args:
        ledger: The ledger.
        home: Runoff's home.
        now: Aware time to record as that of the deletion.
        *old: Which drafts are old enough, by any of these.

    Returns:
        The ids of runs that were skipped, because another process holds their lock.

    Raises:
        SettingError: The store cannot be read, or files cannot be deleted. Earlier runs are done.
    """
    skipped = []
    for run_id, campaign in _losers(ledger, old):
        folder = run_folder(home, campaign, run_id)
        try:
            with locked_without_files(ledger, folder):
                # Somebody may have chosen or bought one of them since.
                losers = _losers(ledger, old, run_id).get((run_id, campaign), [])
                drop_files(folder, _files(folder, losers))
                ledger.pruning.record([loser.candidate_id for loser in losers], now)
        except RunError:
            skipped.append(run_id)
    return skipped


def drop_files(folder: Path, files: Sequence[Path]) -> None:
    """Delete files of a run, in the store first.

    Args:
        folder: The run's folder, locked.
        files: The files.

    Raises:
        SettingError: They cannot be deleted.
    """
    if store := store_of(folder):
        store.drop(folder, files)
    delete(files)


def _losers(
    ledger: Ledger, old: Iterable[Old], run_id: str | None = None
) -> dict[tuple[str, str], list[Droppable]]:
    """List each draft once that is old enough by any rule, oldest run first."""
    found: dict[tuple[str, str], dict[str, Droppable]] = {}
    for one in old:
        for run, losers in one.losers(ledger, run_id).items():
            found.setdefault(run, {}).update((loser.candidate_id, loser) for loser in losers)
    return {run: list(losers.values()) for run, losers in sorted(found.items())}


def _files(folder: Path, losers: Iterable[Droppable]) -> list[Path]:
    return [folder / name for loser in losers for name in loser.files]


def _size_bytes(folder: Path, files: Iterable[Path]) -> int:
    if store := store_of(folder):
        sizes = store.sizes(folder)
        return sum(sizes.get(file, 0) for file in files)
    return sum(file.stat().st_size for file in files if file.is_file())
