"""Making room: files of losing drafts of old runs go; the ledger, finalists, finals and liked ones stay."""

import itertools
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from tasks.errors import SettingError
from tasks.home import run_folder
from tasks.ledger import Ledger
from tasks.ledger.pruning import Droppable
from tasks.store import store_of


@dataclass(frozen=True, slots=True)
class PrunableRun:
    """What of a run may go.

    Args:
        run_id: The run.
        campaign: Its campaign.
        n_pictures: How many drafts.
        n_bytes: How many bytes of files that are there, thumbnails included.
    """

    run_id: str
    campaign: str
    n_pictures: int
    n_bytes: int


def find_prunable(ledger: Ledger, home: Path, before: datetime) -> list[PrunableRun]:
    """List what may be dropped of the runs that were done before a moment. Drops nothing.

    Raises:
        SettingError: The pictures stand in an object store.
    """
    if store_of(home):
        raise SettingError(
            where=f"home {home}",
            what="keeps its pictures in an object store, which drops old files by rules of its own",
            next_step="Give the store a lifecycle rule for the folders drafts and thumbnails.",
        )
    groups = itertools.groupby(
        ledger.pruning.losers(before), key=lambda loser: (loser.run_id, loser.campaign)
    )
    return [
        PrunableRun(run_id, campaign, len(losers), sum(map(_size_bytes, _all_files(home, losers))))
        for (run_id, campaign), group in groups
        if (losers := list(group))
    ]


def prune(ledger: Ledger, home: Path, before: datetime, now: datetime) -> None:
    """Drop the files of losing drafts, run by run, and write down that they are gone.

    A kill in between leaves files dropped and not written down; dropping again puts that right.
    """
    for _, group in itertools.groupby(ledger.pruning.losers(before), key=lambda loser: loser.run_id):
        losers = list(group)
        for file in _all_files(home, losers):
            file.unlink(missing_ok=True)
        ledger.pruning.record([loser.candidate_id for loser in losers], now)


def _all_files(home: Path, losers: list[Droppable]) -> list[Path]:
    return [
        run_folder(home, loser.campaign, loser.run_id) / name
        for loser in losers
        for name in (loser.file, loser.thumbnail)
        if name is not None
    ]


def _size_bytes(file: Path) -> int:
    return file.stat().st_size if file.is_file() else 0
