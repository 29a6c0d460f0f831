"""Reading runs back into a ledger that lost them, from their sidecars and pictures.

What a sidecar says of its order is read back: request, state, usage, pictures, a judge's answer. Costs are
computed again at today's prices. What people chose and voted, and requests that were in flight, are not on
disk; scores and duplicates can be found again by ``runoff rescore``.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import cached_property
from pathlib import Path
from typing import Literal

from flows.runs.ledger_backups import last_sound, require_idle
from flows.runs.lock import fetch_files
from flows.session.prepare import prepare
from tasks.campaign.succession import NO_PART
from tasks.catalogue import Catalogue, load_catalogue
from tasks.catalogue.providers import Providers, load_providers
from tasks.errors import DamagedLedgerError, LedgerError, RunoffError
from tasks.images_api.recover_sent import pictures_without_sidecar
from tasks.images_api.settlements import settlement_of_sidecar
from tasks.images_api.sidecars import Sidecar, read_sidecar
from tasks.images_api.terms import Terms
from tasks.ledger import Ledger, Settlement, open_ledger
from tasks.ledger.backups import sqlite_file
from tasks.ledger.database import LEDGER_VARIABLE, ledger_url
from tasks.ledger.reading_back import FoundOrder, FoundRun, correct_sums, enter
from tasks.ledger.restoring import move_aside
from tasks.order import Order
from tasks.settings import Settings
from tasks.storage.home import ANSWERS, CAMPAIGN_FILE, STAGE_FOLDERS, began_at, paid_runs


@dataclass(frozen=True, slots=True)
class ReadBack:
    """What was read back of a run.

    Args:
        run_id: The run.
        campaign: Its campaign.
        n_orders: How many orders.
        charged_usd: What they are charged, dollars.
    """

    run_id: str
    campaign: str
    n_orders: int
    charged_usd: Decimal


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """The result of rebuilding.

    Args:
        before: Where the damaged ledger is now; ``None`` if the ledger was sound.
        runs: The runs of which something was read back.
        unread: What could not be read back, one sentence each.
    """

    before: Path | None
    runs: list[ReadBack]
    unread: list[str]


def rebuild(settings: Settings, *, without_backup: bool = False) -> Rebuilt:
    """Enter into the ledger all that is on disk and that it does not know, and add its sums up again.

    A damaged SQLite ledger is moved aside, and a new one takes its place.

    Args:
        settings: The home and the environment.
        without_backup: Begin with an empty ledger in place of a damaged or missing one, though there is a
            backup.

    Raises:
        LedgerError: There is a backup to restore first; or the ledger cannot be written.
        RunError: Another process works on a run of the home. Nothing was changed.
        SettingError: The store cannot be read. Nothing was changed.
    """
    fetch_files(settings.home)
    require_idle(settings.home)
    before = _replace_damaged(settings, without_backup=without_backup)
    runs, unread = [], []
    with open_ledger(settings.home, settings.environ) as ledger:
        for folder in sorted(paid_runs(settings.home), key=lambda folder: folder.name):
            found = _Folder(settings, ledger, folder)
            if orders := found.orders():
                n_orders, charged_usd = enter(ledger.database, found.run(orders), orders)
                runs.append(ReadBack(folder.name, folder.parent.name, n_orders, charged_usd))
            unread += found.unread
        correct_sums(ledger.database)
        unread += ledger.strays(settings.home)
    return Rebuilt(before, runs, list(dict.fromkeys(unread)))


def _replace_damaged(settings: Settings, *, without_backup: bool) -> Path | None:
    """Move a damaged ledger aside; return where it is now, ``None`` if it is sound or missing."""
    file = sqlite_file(ledger_url(settings.home, settings.environ.get(LEDGER_VARIABLE)))
    if file is None:
        return None
    condition = _condition(settings, file)
    if condition != "sound" and not without_backup:
        _require_no_backup(settings, file, condition)
    return move_aside(file, datetime.now(UTC)) if condition == "damaged" else None


def _condition(settings: Settings, file: Path) -> Literal["sound", "damaged", "missing", "empty"]:
    if not file.exists():
        return "missing"
    try:
        with open_ledger(settings.home, settings.environ) as ledger:
            if ledger.damage():
                return "damaged"
            return "sound" if ledger.runs.all() else "empty"
    except DamagedLedgerError:
        return "damaged"


def _require_no_backup(settings: Settings, file: Path, condition: str) -> None:
    try:
        backup = last_sound(settings)
    except LedgerError:
        return
    raise LedgerError(
        where=f"ledger {file}",
        what=f"is {condition}, and there is a backup: {backup}. It knows what is in no other file: choices, "
        "votes, remarks, corrected costs and batches",
        money="Nothing was changed.",
        next_step="To do without it: runoff ledger rebuild --without-backup. Restore it first with: "
        "runoff ledger restore",
    )


class _Folder:
    """A run's folder, and what in it the ledger lacks.

    Args:
        settings: The home and the environment.
        ledger: The ledger.
        folder: The run's folder.
    """

    def __init__(self, settings: Settings, ledger: Ledger, folder: Path) -> None:
        self.unread: list[str] = []
        self._settings = settings
        self._folder = folder
        self._settled = {
            record.order.order_id for record in ledger.orders.of_run(folder.name) if record.state != "planned"
        }

    def orders(self) -> list[FoundOrder]:
        """Read what the ledger lacks; what cannot be read is listed in ``unread``."""
        found = list(self._from_sidecars())
        answered = {one.order.order_id for one in found} | self._settled
        return [*found, *self._from_pictures(answered)]

    def run(self, orders: Sequence[FoundOrder]) -> FoundRun:
        """Describe the run, should the ledger not know it."""
        today = datetime.now(UTC)
        try:
            started_at = began_at(self._folder.name)
        except ValueError:
            started_at = min((one.moment for one in orders), default=today)
        return FoundRun(
            run_id=self._folder.name,
            campaign=self._folder.parent.name,
            provider=orders[0].order.provider,
            started_at=started_at,
            warning=f"This run was read back from its files on {today:%Y-%m-%d}: what people chose, and "
            "requests that were in flight or have no file, are not known.",
        )

    def _from_sidecars(self) -> Iterator[FoundOrder]:
        for file in sorted((self._folder / ANSWERS).glob("*.json")):
            if file.stem in self._settled:
                continue
            try:
                sidecar = read_sidecar(file)
            except LedgerError as error:
                self.unread.append(f"{error.where} {error.what}.")
                continue
            order = sidecar.order or self._planned.get(file.stem)
            if order is None:
                self.unread.append(f"sidecar {file} does not describe its order, nor does the campaign.")
            elif (order.campaign, order.run_id) != (self._folder.parent.name, self._folder.name):
                self.unread.append(f"sidecar {file} is of another run: {order.campaign}/{order.run_id}.")
            else:
                yield self._found(file, sidecar, order)

    def _found(self, file: Path, sidecar: Sidecar, order: Order) -> FoundOrder:
        settlement = settlement_of_sidecar(order, sidecar, self._terms(order.provider))
        moment = sidecar.answered_at or _time_of(file)
        moment -= timedelta(seconds=sidecar.latency_s or 0)
        return FoundOrder(
            order,
            settlement,
            sidecar.receipts,
            sidecar.content,
            moment,
            is_moment_known=sidecar.answered_at is not None,
        )

    def _from_pictures(self, answered: Collection[str]) -> Iterator[FoundOrder]:
        """Find pictures whose process was killed before it wrote their sidecar, by their names."""
        for order in self._planned.values() if self._has_more_pictures(answered) else ():
            if order.order_id in answered:
                continue
            if receipts := pictures_without_sidecar(self._folder, order):
                moment = _time_of(self._folder / receipts[0].file)
                yield FoundOrder(
                    order, Settlement("received", is_charged=True), receipts, None, moment, False
                )

    def _has_more_pictures(self, answered: Collection[str]) -> bool:
        n_pictures = sum(1 for place in STAGE_FOLDERS.values() for _ in (self._folder / place).glob("[!.]*"))
        return n_pictures > len(answered)

    @cached_property
    def _planned(self) -> Mapping[str, Order]:
        """The drafts of the first round as the run's campaign plans them, by id; none if it is not valid."""
        try:
            file = self._folder / CAMPAIGN_FILE
            prepared = prepare(file, self._settings, self._folder.name, needed=NO_PART)
        except RunoffError:
            return {}
        return {order.order_id: order for order in prepared.plan.orders}

    def _terms(self, name: str) -> Terms | None:
        catalogue, providers = self._prices
        with suppress(RunoffError):
            return Terms(providers.provider(name), catalogue, self._settings.environ)
        return None

    @cached_property
    def _prices(self) -> tuple[Catalogue, Providers]:
        home, environ = self._settings.home, self._settings.environ
        return load_catalogue(home, environ), load_providers(home, environ)


def _time_of(file: Path) -> datetime:
    return datetime.fromtimestamp(file.stat().st_mtime, UTC)
