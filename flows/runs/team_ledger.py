"""What a team does with its ledger: set its monthly limit, migrate it, and copy it to another database."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from pathlib import Path

from flows.runs.ledger_backups import require_idle
from tasks.errors import LedgerError
from tasks.ledger import Ledger, has_ledger, open_existing_ledger, open_ledger
from tasks.ledger.copying import Copied, copy_ledger
from tasks.ledger.database import LEDGER_VARIABLE, Database, ledger_url
from tasks.ledger.migrating import require_idle_ledger, upgrade, version_of
from tasks.ledger.monthly_limit import ledger_per_month_usd
from tasks.ledger.schema import HEAD
from tasks.ledger.spending_limits import SpendingLimit, lower_of
from tasks.settings import Settings


@dataclass(frozen=True, slots=True)
class TeamLimit:
    """The monthly limit of a ledger.

    Args:
        limit_usd: What holds on this machine, dollars; ``None`` for no limit.
        here_usd: What this machine's variable or ``limits.yaml`` says, dollars; ``None`` for nothing.
        set_limits: What was set in the ledger, the one that counts first.
    """

    limit_usd: Decimal | None
    here_usd: Decimal | None
    set_limits: tuple[SpendingLimit, ...]


@dataclass(frozen=True, slots=True)
class Migrated:
    """A ledger that was migrated, or needed it not.

    Args:
        name: The ledger, without secrets.
        before: Its version before.
        version: Its version now.
        backup: The backup of a SQLite file; ``None`` without one.
    """

    name: str
    before: str | None
    version: str
    backup: Path | None


def team_limit(settings: Settings, ledger: Ledger) -> TeamLimit:
    """Read the monthly limit of a ledger.

    Args:
        settings: The home and the environment.
        ledger: The ledger.

    Raises:
        SettingError: This machine's own limit is not an amount.
    """
    here = ledger_per_month_usd(settings.home, settings.environ)
    known = tuple(ledger.spending_limits.all())
    return TeamLimit(lower_of(here, known[0].per_month_usd if known else None), here, known)


def set_team_limit(settings: Settings, usd: Decimal | None, by: str, now: datetime) -> TeamLimit:
    """Set the monthly limit of a ledger; a new home gets its ledger by it.

    Args:
        settings: The home and the environment.
        usd: Dollars in a calendar month (UTC); ``None`` for no limit.
        by: Who sets it.
        now: Aware time.
    """
    with open_ledger(settings.home, settings.environ) as ledger:
        ledger.spending_limits.set(usd, by, now)
        return team_limit(settings, ledger)


def migrate(settings: Settings) -> Migrated:
    """Migrate the ledger to this version.

    Args:
        settings: The home and the environment.

    Raises:
        RunError: There is no ledger, or a process works on a run of it. Nothing was changed.
        LedgerError: It cannot be opened or backed up, or was written by a newer Runoff. Nothing was changed.
    """
    if not has_ledger(settings.home, settings.environ):
        open_existing_ledger(settings.home, settings.environ).close()  # says that there is none
    url = ledger_url(settings.home, settings.environ.get(LEDGER_VARIABLE))
    with Database(url, home=settings.home) as database:
        before = version_of(database)
        if before == HEAD:
            return Migrated(database.name, before, HEAD, None)
        if before is not None:
            require_idle(settings.home)
            require_idle_ledger(database)
        return Migrated(database.name, before, HEAD, upgrade(database, before))


def copy_to(settings: Settings, address: str) -> Copied:
    """Copy the ledger into an empty database.

    Args:
        settings: The home and the environment.
        address: The database, as in ``RUNOFF_LEDGER_URL``.

    Raises:
        RunError: There is no ledger, or a process works on a run of it. Nothing was copied.
        LedgerError: It or the new one cannot be used, or they differ. Nothing was copied.
    """
    with open_existing_ledger(settings.home, settings.environ) as ledger:
        target_url = ledger_url(settings.home, address)
        if target_url == ledger.database.url:
            raise LedgerError(
                where=f"ledger {ledger.database.name}", what="is the ledger that is to be copied",
                accepted="another database", money="Nothing was copied.",
            )  # fmt: skip
        if damage := ledger.database.damage():
            raise ledger.database.damaged(damage)
        require_idle(settings.home)
        require_idle_ledger(ledger.database)
        with open_ledger(settings.home, {LEDGER_VARIABLE: address}) as target:
            return copy_ledger(ledger.database, target.database)
