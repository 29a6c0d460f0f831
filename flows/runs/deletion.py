"""Deleting a run's files for good: pictures, finals too, sidecars and reports. Its rows in the ledger stay.

Money is never deleted: budgets, spend, scores, votes and verdicts over many nights are as before. With a
store its files go there first. A kill in between is finished by deleting the run again.
"""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from pathlib import Path

from flows.runs.lock import locked_without_files
from flows.runs.mirrors import OVER, drop_empty_folders
from flows.runs.pruning import drop_files
from flows.runs.run import StoredRun
from tasks.errors import RunError
from tasks.ledger import Ledger
from tasks.ledger.replanning import add_warnings
from tasks.money import count_of, format_usd
from tasks.settings import Settings
from tasks.storage.home import run_lock_file
from tasks.storage.mirror import store_of


@dataclass(frozen=True, slots=True)
class DeletableRun:
    """What goes when a run is deleted, and what stays.

    Args:
        run_id: The run.
        campaign: Its campaign.
        n_files: How many files go.
        n_bytes: Their bytes; with a store, of those in the store.
        n_drafts: How many drafts are among them.
        n_finals: How many finals are among them.
        n_unknown: Requests of which nobody knows whether they were billed: kept answers go, too.
        n_orders: How many requests stay in the ledger.
        charged_usd: What they are charged, dollars, which stays.
        address: Where the files are.
    """

    run_id: str
    campaign: str
    n_files: int
    n_bytes: int
    n_drafts: int
    n_finals: int
    n_unknown: int
    n_orders: int
    charged_usd: Decimal
    address: str

    @property
    def sentences(self) -> list[str]:
        """What goes and what stays, a line each."""
        pictures = f"{count_of(self.n_drafts, 'draft')} and {count_of(self.n_finals, 'final')}"
        going = f"{count_of(self.n_files, 'file')}, {self.n_bytes / 1e6:.1f} MB, in {self.address}"
        staying = f"{count_of(self.n_orders, 'request')}, {format_usd(self.charged_usd)}"
        lines = [
            f"Run    {self.campaign} · {self.run_id}",
            f"Goes   {going}: {pictures}, thumbnails, sidecars, report. Nothing brings them back.",
            f"Stays  in the ledger {staying}, scores, votes and choices: budgets, spend and verdicts over "
            "many nights do not change. A ledger that is lost cannot be rebuilt from this run any more.",
        ]
        if self.n_unknown:
            what = f"{count_of(self.n_unknown, 'request')} of it may have been billed"
            lines.append(f"!      {what}; an answer that was kept goes, too. See: runoff ledger unknown")
        return lines


def find_deletable(ledger: Ledger, settings: Settings, name: str) -> DeletableRun:
    """Say what goes when a run is deleted. Deletes nothing.

    Args:
        ledger: The ledger.
        settings: The home and the environment.
        name: The run: its id, a unique beginning of it, or ``latest``.

    Raises:
        RunError: There is no such run, or it is not over.
        SettingError: The store cannot be read.
    """
    run = StoredRun.find(settings, ledger, name)
    _require_over(run)
    files = _files(run.folder)
    kept = [one for one in run.read_candidates() if not one.is_pruned]
    orders = ledger.orders.of_run(run.run_id)
    store = store_of(run.folder)
    return DeletableRun(
        run_id=run.run_id,
        campaign=run.record.campaign,
        n_files=len(files),
        n_bytes=sum(files.values()),
        n_drafts=sum(one.is_draft for one in kept),
        n_finals=sum(one.is_final for one in kept),
        n_unknown=sum(record.state == "unknown" for record in orders),
        n_orders=len(orders),
        charged_usd=ledger.orders.charged_usd(run.run_id),
        address=f"{store.address} and this machine's mirror" if store else str(run.folder),
    )


def delete_run(ledger: Ledger, settings: Settings, run_id: str, by: str, now: datetime) -> None:
    """Delete a run's files, and note in the ledger who did, and that its pictures are gone.

    Args:
        ledger: The ledger.
        settings: The home and the environment.
        run_id: The run, which is over.
        by: Who deletes it.
        now: Aware time.

    Raises:
        RunError: It is not over, or another process works on it. Nothing was deleted.
        SettingError: The store cannot be read, or does not let files be deleted.
        OSError: A file cannot be deleted; those before it are gone.
    """
    run = StoredRun.find(settings, ledger, run_id)
    with locked_without_files(ledger, run.folder):
        _require_over(StoredRun.find(settings, ledger, run_id))
        files = list(_files(run.folder))
        drop_files(run.folder, files)
        ledger.pruning.record([one.candidate_id for one in run.read_candidates()], now)
        add_warnings(ledger, run_id, [f"Its {count_of(len(files), 'file')} were deleted by {by}."])
        drop_empty_folders(run.folder)


def _require_over(run: StoredRun) -> None:
    if run.record.state in OVER:
        return
    raise RunError(
        where=f"run {run.run_id}",
        what=f"is not over ({run.record.state}), and is not deleted",
        money="Nothing was changed.",
        next_step=f"End it first: runoff decline {run.run_id} where it awaits review, else "
        f"runoff cancel {run.run_id} --for-good",
    )


def _files(folder: Path) -> dict[Path, int]:
    """List a run's files with their bytes, here and in the store; not its lock."""
    lock = run_lock_file(folder)
    here = [file for file in folder.rglob("*") if file.is_file() and file != lock]
    found = {file: file.stat().st_size for file in here}
    return found | (store.sizes(folder) if (store := store_of(folder)) else {})
