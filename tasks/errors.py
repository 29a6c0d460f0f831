"""Every error Runoff raises on purpose, as one tree.

RunoffError
├─ CampaignError      the campaign file is wrong (exit 2)
├─ CatalogueError     an unknown model, size or price (exit 2)
├─ SettingError       a key, an address or a folder is missing or unusable (exit 1)
├─ ProviderError      the provider is not there, or sells nothing to this key (exit 1)
│  └─ ProviderAwayError  it cannot be reached, which may pass by itself
├─ BudgetError        the next order would pass a budget (exit 3)
├─ RunError           a run is unknown, ambiguous or not in the state asked for (exit 1)
├─ PictureError       bytes that are not a usable picture; recorded on its order
├─ LedgerError        the ledger cannot be opened, or disagrees with itself (exit 1)
│  ├─ RolledBackError      its database rolled a transaction back, which may be run again
│  │  └─ ConnectionLostError  the connection broke in the middle of it
│  └─ DamagedLedgerError   its database is damaged: restore a backup, or read back what is on disk
├─ EngineError        Prefect's server did not come up or went away (exit 1)
├─ InterruptError     the run was interrupted (exit 130)
└─ StopRunError       the provider says that no further order can succeed (exit 1)

A message answers, in this order: where, what, what is accepted, what happened to the money, what to do
next. The commands print the message and exit with ``exit_code``; any other exception is a bug and keeps its
traceback. No message contains a secret that the process knows.
"""

import shlex
from collections.abc import Sequence
from typing import ClassVar

from tasks.redaction import hide_secrets

NOTHING_BOUGHT = "Nothing was bought."


class RunoffError(Exception):
    """An error whose cause is outside Runoff's code.

    Args:
        where: A file and key, an order, a folder or an address.
        what: What is wrong there, with the value.
        accepted: What would be accepted; empty when there is nothing to choose.
        money: What happened to the money.
        next_step: What to do now, if possible a command to paste.
    """

    exit_code: ClassVar[int] = 1

    def __init__(
        self, *, where: str, what: str, accepted: str = "", money: str = NOTHING_BOUGHT, next_step: str = ""
    ) -> None:
        where, what, accepted, money, next_step = map(hide_secrets, (where, what, accepted, money, next_step))
        self.where = where
        self.what = what
        self.accepted = accepted
        self.money = money
        self.next_step = next_step
        sentences = [f"{where}: {what}", accepted and f"Accepted: {accepted}", money, next_step]
        parts = [_as_sentence(part) for part in sentences if part]
        if next_step and _ends_in_command(next_step):
            parts[-1] = next_step
        super().__init__("".join(part if part.endswith("\n") else f"{part} " for part in parts).rstrip())

    def __reduce__(self) -> tuple[object, ...]:
        """Pickle the error with all its attributes."""
        return _rebuild, (type(self), self.__dict__.copy())


def _rebuild(kind: type[RunoffError], facts: dict[str, object]) -> RunoffError:
    error = kind.__new__(kind)
    RunoffError.__init__(
        error, **{key: str(facts[key]) for key in ("where", "what", "accepted", "money", "next_step")}
    )
    error.__dict__.update(facts)
    return error


def _ends_in_command(next_step: str) -> bool:
    """Return whether a sentence ends in a command, which a full stop would break."""
    if next_step.rpartition("\n")[2].startswith("  "):  # on a line of its own
        return True
    return ": " in next_step.rsplit(". ", 1)[-1] and not next_step.endswith(".")


def _as_sentence(part: str) -> str:
    return part if part.endswith((".", "!", "?", ":", "\n")) else f"{part}."


class CampaignError(RunoffError):
    """The campaign file has errors: all of them are listed, one per line.

    Args:
        file: The campaign file as the user named it.
        faults: One ``dotted.key: what, what is accepted`` for each fault, in file order; never empty.
        next_step: What to do now, when it is not editing the file.
    """

    exit_code = 2

    def __init__(self, file: str, faults: Sequence[str], next_step: str = "") -> None:
        self.file = file
        self.faults = tuple(map(hide_secrets, faults))
        noun = "1 error" if len(self.faults) == 1 else f"{len(self.faults)} errors"
        super().__init__(
            where=file,
            what=f"{noun}\n" + "\n".join(f"  {file}: {fault}" for fault in self.faults) + "\n",
            next_step=next_step
            or f"Edit the file, then check it without spending: runoff plan {shlex.quote(file)}",
        )


class CatalogueError(RunoffError):
    """The catalogue has no such model, or no price for the settings."""

    exit_code = 2

    def at(self, file: str) -> "CatalogueError":
        """Return the same error with the file's name in front of ``where``."""
        return CatalogueError(
            where=f"{file}: {self.where}", what=self.what, accepted=self.accepted, money=self.money,
            next_step=self.next_step,
        )  # fmt: skip


class SettingError(RunoffError):
    """A key, an address or a folder is missing or cannot be used."""


class ProviderError(RunoffError):
    """The provider sells nothing to this key, or is not at its address. Found before a run starts."""


class ProviderAwayError(ProviderError):
    """The provider cannot be reached, which may pass by itself: a scheduled run tries again for a while."""


class BudgetError(RunoffError):
    """The next request would exceed a budget. What was bought before is kept and reported.

    Args:
        budget: The limit's name, such as ``per_run_usd``; empty where no limit stopped an order.
        or_else: What helps besides raising it, as a part of ``next_step``; empty if nothing does.
        facts: As for ``RunoffError``.
    """

    exit_code = 3

    def __init__(self, *, budget: str = "", or_else: str = "", **facts: str) -> None:
        self.budget = budget
        self.or_else = or_else
        super().__init__(**facts)


class RunError(RunoffError):
    """The named run does not exist, is ambiguous, or is not in the state the command needs."""


class PictureError(RunoffError):
    """The bytes are not a usable picture."""


class LedgerError(RunoffError):
    """The ledger cannot be opened, has another version, or is not consistent with itself or the disk."""


class RolledBackError(LedgerError):
    """The ledger's database rolled a transaction back for what others do there; it may be run again."""


class ConnectionLostError(RolledBackError):
    """The connection to the ledger's database broke in the middle of a transaction, which was rolled back."""


class DamagedLedgerError(LedgerError):
    """The ledger's database itself is damaged; it is got back from a backup, or from what is on disk."""


class EngineError(RunoffError):
    """Prefect's server did not start, or is no longer reachable."""


class InterruptError(RunoffError):
    """The run was interrupted. Requests in flight were completed and kept."""

    exit_code = 130


class StopRunError(RunoffError):
    """The provider's answer means that no further request of this run can succeed."""
