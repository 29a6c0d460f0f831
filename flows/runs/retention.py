"""Retention: deletes the files that a campaign keeps for some days only, once they are that old.

Whoever makes a campaign's run does so afterwards; ``runoff serve`` each day besides; ``runoff runs --prune``
when somebody asks. It is said what is deleted before it is. Nothing of the ledger is.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from flows.runs.mirrors import MirroredRun, drop_mirrored, find_mirrored
from flows.runs.pruning import Old, PrunableRun, find_prunable, prune
from flows.runs.run import StoredRun
from tasks.campaign.retention import Retention, age_of
from tasks.errors import RunoffError
from tasks.ledger import Ledger, has_ledger, open_ledger
from tasks.money import count_of
from tasks.settings import Settings


@dataclass(frozen=True)
class Due:
    """What the retention of one campaign lets go now.

    Args:
        campaign: The campaign's name.
        pruned: Drafts, by run.
        mirrored: What is in this machine's mirror, by run.
    """

    campaign: str
    pruned: Sequence[PrunableRun] = ()
    mirrored: Sequence[MirroredRun] = ()

    @property
    def sentences(self) -> list[str]:
        """What is deleted, for people; empty if nothing is."""
        told = []
        if self.pruned:
            n_drafts, n_bytes = sum(run.n_pictures for run in self.pruned), _total_bytes(self.pruned)
            told.append(
                f"{count_of(n_drafts, 'draft')} of {count_of(len(self.pruned), 'run')} ({_mb(n_bytes)})"
            )
        if self.mirrored:
            runs, n_bytes = count_of(len(self.mirrored), "run"), _total_bytes(self.mirrored)
            told.append(f"this machine's mirror of {runs} ({_mb(n_bytes)}), which the store keeps")
        return [f"{self.campaign}: retention deletes {what}; the ledger keeps every row." for what in told]


def find_due(ledger: Ledger, settings: Settings, name: str, retention: Retention, now: datetime) -> Due:
    """Find what a campaign's retention lets go now. Deletes nothing.

    Args:
        ledger: The ledger.
        settings: The home and the environment.
        name: The campaign's name.
        retention: How long its files are kept.
        now: Aware time.

    Raises:
        SettingError: The store cannot be read.
    """
    mirrored: list[MirroredRun] = []
    if retention.mirrors:
        mirrored = find_mirrored(ledger, settings.home, name, now - age_of(retention.mirrors))
    old = _old(name, retention, now)
    return Due(name, find_prunable(ledger, settings.home, *old) if old else (), mirrored)


def delete_due(
    ledger: Ledger, settings: Settings, name: str, retention: Retention, now: datetime
) -> list[str]:
    """Delete what a campaign's retention lets go now; the ledger keeps every row.

    Args:
        ledger: The ledger.
        settings: The home and the environment.
        name: The campaign's name.
        retention: How long its files are kept.
        now: Aware time.

    Returns:
        The ids of runs that were skipped, because another process holds their lock.

    Raises:
        SettingError: The store cannot be read, or files cannot be deleted.
        OSError: A file cannot be deleted.
    """
    skipped = prune(ledger, settings.home, now, *_old(name, retention, now))
    if retention.mirrors:
        skipped += drop_mirrored(ledger, settings.home, name, now - age_of(retention.mirrors))
    return list(dict.fromkeys(skipped))


def keep_to_retention(settings: Settings, names: Collection[str], say: Callable[[str], None]) -> None:
    """Delete what campaigns no longer keep, and say so before; trouble is said too, and stops nothing.

    Args:
        settings: The home and the environment.
        names: The campaigns.
        say: Shows one line.
    """
    if not has_ledger(settings.home, settings.environ):
        return
    try:
        with open_ledger(settings.home, settings.environ) as ledger:
            for name, retention in retentions(ledger, settings, names).items():
                now = datetime.now(UTC)
                due = find_due(ledger, settings, name, retention, now)
                for sentence in due.sentences:
                    say(sentence)
                if due.sentences:
                    delete_due(ledger, settings, name, retention, now)
    except (RunoffError, OSError) as error:
        say(f"! Retention could not delete everything: {error}")


def retentions(
    ledger: Ledger, settings: Settings, names: Collection[str] | None = None
) -> dict[str, Retention]:
    """Return how long each campaign keeps its files, as its newest run has it; only of those that say so.

    Args:
        ledger: The ledger.
        settings: The home and the environment.
        names: The campaigns; default: all.
    """
    newest = {run.campaign: run for run in reversed(ledger.runs.all())}
    found = {}
    for name, record in sorted(newest.items()):
        if names is not None and name not in names:
            continue
        try:
            retention = StoredRun(settings, ledger, record).campaign.retention
        except RunoffError:  # its file is gone or of another version: nothing is deleted
            continue
        if retention.sentence:
            found[name] = retention
    return found


def _old(name: str, retention: Retention, now: datetime) -> list[Old]:
    old = []
    if retention.drafts:
        old.append(Old(now - age_of(retention.drafts), name))
    if retention.declined:
        old.append(Old(now - age_of(retention.declined), name, of_declined=True))
    return old


def _total_bytes(runs: Sequence[PrunableRun] | Sequence[MirroredRun]) -> int:
    return sum(run.n_bytes for run in runs)


def _mb(n_bytes: int) -> str:
    return f"{n_bytes / 1e6:.1f} MB"
