"""Checks of the whole ledger, with what to do about each kind of fault."""

from dataclasses import dataclass, field

from flows.runs.lock import fetch_files
from tasks.errors import LedgerError
from tasks.ledger import has_ledger, open_existing_ledger
from tasks.money import count_of
from tasks.settings import Settings
from tasks.storage.home import paid_runs


@dataclass(frozen=True, slots=True)
class Checked:
    """The result of a check.

    Args:
        name: The ledger, without secrets.
        faults: One sentence for each fault; empty when there are none.
        next_step: What to do about them.
        elsewhere: What is in other homes of this ledger and was not checked, one sentence for each home.
    """

    name: str
    faults: list[str]
    next_step: str = ""
    elsewhere: list[str] = field(default_factory=list)

    def error(self) -> LedgerError:
        """Build the error that lists the faults."""
        listed = "\n  ".join(self.faults)
        return LedgerError(
            where=f"ledger {self.name}",
            what=f"{count_of(len(self.faults), 'error')}\n  {listed}\n",
            money="Nothing was changed.",
            next_step=self.next_step,
        )


def check_ledger(settings: Settings) -> Checked:
    """Check the database itself, its sums and states, and the files in both directions. Changes nothing.

    Args:
        settings: The home and the environment.

    Raises:
        RunError: There is no ledger yet.
        LedgerError: The ledger cannot be opened.
        SettingError: The store cannot be read.
    """
    fetch_files(settings.home)
    with open_existing_ledger(settings.home, settings.environ) as ledger:
        name = ledger.database.name
        if damage := ledger.damage():
            return Checked(name, damage, ledger.database.damaged(damage).next_step)
        faults, mendable = ledger.verify(settings.home), ledger.mendable(settings.home)
        elsewhere = ledger.elsewhere(settings.home)
    if mendable:
        next_step = "Read back what is on disk, and add the sums up again, with: runoff ledger rebuild"
    else:
        next_step = "Bring missing or changed files back from a copy; what was bought stays in the ledger."
    return Checked(name, faults, next_step if faults else "", elsewhere)


def require_fit_ledger(settings: Settings) -> None:
    """Refuse to spend by a ledger that is damaged, or knows less than the disk; a home may have none yet.

    Args:
        settings: The home and the environment.

    Raises:
        LedgerError: It is damaged, or runs or answers that were paid are unknown to it.
    """
    if has_ledger(settings.home, settings.environ) or any(paid_runs(settings.home)):
        with open_existing_ledger(settings.home, settings.environ) as ledger:
            ledger.require_fit_to_spend(settings.home)
