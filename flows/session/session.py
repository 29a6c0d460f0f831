"""The session: a run opened for work, with its ledger, buyers and workers.

Opening a session takes the run lock and settles what a killed process left; at the end everything is closed,
whatever happens. ``flows.session.stopping`` describes how it is stopped from outside.
"""

import asyncio
import contextlib
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Literal, ParamSpec, TypeVar

from flows.runs.lock import locked_run
from flows.runs.progress import Display, current_display, lasting_outputs, without_repeats
from flows.runs.recovery import lost_line
from flows.runs.run import StoredRun
from flows.session.begun_orders import begun_drafts
from flows.session.composition import (
    check_sellers,
    connected,
    limits_of,
    n_to_evaluate,
    open_workers,
    watched,
)
from flows.session.inspecting import Arrivals, inspected_soon
from flows.session.prepare import Prepared
from flows.session.stopping import Stopping, stopped_from_outside
from flows.workers.evaluator import Evaluation, Evaluator, open_evaluator
from tasks.attachments.drawings import write_drawn
from tasks.campaign import Campaign
from tasks.errors import InterruptError, LedgerError, RunError
from tasks.ledger import Ledger, open_ledger
from tasks.ledger.replanning import add_warnings, find_replaced, replan
from tasks.money import count_of
from tasks.order import Order
from tasks.orders.finals import wants_final
from tasks.storage.atomic import write_atomically
from tasks.storage.home import CAMPAIGN_FILE, prepare_home

if TYPE_CHECKING:
    from flows.workers.dask_pool import DaskPool
    from tasks.images_api.batch_lane.lane import BatchLane
    from tasks.images_api.sellers import Sellers

P = ParamSpec("P")
T = TypeVar("T")


@dataclass(frozen=True)
class Session:
    """A prepared run that this process works on.

    Args:
        prepared: The prepared run.
        stored: The same run for reading it and deciding about it.
        buyer: Buys orders one by one, each at its provider.
        batch_lane: Buys orders in batches.
        judging: Asks judging models; it alone is closed if the judge is down.
        display: Shows progress.
        inspecting: Held while pictures are inspected, one batch at a time.
        evaluator: Evaluates its pictures.
        pool: Workers on other machines; ``None`` if everything is done in this process.
    """

    prepared: Prepared
    stored: StoredRun
    buyer: "Sellers"
    batch_lane: "BatchLane"
    judging: "Sellers"
    display: Display
    inspecting: asyncio.Lock
    evaluator: Evaluator
    pool: "DaskPool | None" = None

    @property
    def run_id(self) -> str:
        """The run's id."""
        return self.prepared.run_id

    @property
    def ledger(self) -> Ledger:
        """The ledger."""
        return self.stored.ledger

    @property
    def campaign(self) -> Campaign:
        """The campaign as it runs."""
        return self.prepared.campaign

    @property
    def folder(self) -> Path:
        """The run's folder."""
        return self.prepared.folder

    @property
    def is_interrupted(self) -> bool:
        """Whether it was interrupted."""
        return isinstance(self.buyer.closed_by, InterruptError)

    @property
    def is_out(self) -> bool:
        """Whether it has an open batch at the provider."""
        return bool(self.ledger.batches.open_of(self.run_id))

    async def evaluate(self, evaluation: Evaluation[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Call a function of ``flows.evaluation`` about this run: see ``Evaluator.evaluate``."""
        return await self.evaluator.evaluate(self.stored, evaluation, *args, **kwargs)

    def planned(self, stage: str) -> list[Order]:
        """List the orders of a stage that are still to be sent."""
        records = self.ledger.orders.of_run(self.run_id, "planned")
        return [record.order for record in records if record.order.stage == stage]


Purpose = Literal["go on", "take up", "close"]
"""``go on``: begin or resume a run; ``take up``: even a cancelled one; ``close``: plan and send nothing."""


@asynccontextmanager
async def open_session(prepared: Prepared, purpose: Purpose = "go on") -> AsyncIterator[Session]:
    """Open a session of a new or resumed run.

    Args:
        prepared: The prepared run.
        purpose: What it is opened for.

    Raises:
        SettingError: The key is missing, or the home cannot be written.
        RunError: Another process works on the run, or it was cancelled.
        LedgerError: The ledger cannot be opened, is damaged, or knows less than what is on disk.
    """
    from tasks.images_api.purchasing import compose

    check_sellers(prepared)  # what is missing raises before anything is written
    prepare_home(prepared.home)
    with (
        lasting_outputs(),
        open_ledger(prepared.home, prepared.settings.environ) as ledger,
        locked_run(ledger, prepared.folder),
    ):
        if purpose != "close":
            ledger.require_fit_to_spend(prepared.home)
        limits, display = limits_of(prepared), current_display()
        say = ledger.database.say = without_repeats(display.say)
        hold = ledger.hold_of(prepared.run_id)
        async with (
            _leaving_backup(ledger, display),
            open_workers(prepared, limits, hold) as pool,
            connected(prepared) as clients,
        ):
            stored = _find(prepared, ledger) if purpose == "close" else _begin(prepared, ledger, purpose)
            inspecting, arrivals = asyncio.Lock(), Arrivals(display.bought)
            buyer, lane, judging = compose(
                clients, prepared.campaign, prepared.terms, ledger, prepared.folder, limits, arrivals,
                display.say,
            )  # fmt: skip
            stopping = Stopping(prepared, ledger, (buyer, judging), display, has_workers=pool is not None)
            with _stopped_on_fault(prepared, ledger):
                async with (
                    stopped_from_outside(stopping),
                    watched(pool, buyer),
                    open_evaluator(stored, n_to_evaluate(prepared), hold, say) as evaluator,
                    inspected_soon(stored, evaluator, inspecting, arrivals),
                ):
                    yield Session(
                        prepared, stored, buyer, lane, judging, display, inspecting, evaluator, pool
                    )


def _find(prepared: Prepared, ledger: Ledger) -> StoredRun:
    return StoredRun.find(prepared.settings, ledger, prepared.run_id).decided_by(prepared.campaign)


def _begin(prepared: Prepared, ledger: Ledger, purpose: Purpose) -> StoredRun:
    """Record the run and its planned orders, and settle what a killed process left."""
    from tasks.images_api.recover_sent import recover_sent

    campaign_file = prepared.folder / CAMPAIGN_FILE
    if prepared.amended_from is not None:
        _require_same(campaign_file, prepared.amended_from)
    if prepared.amended_from is not None or not campaign_file.exists():
        write_atomically(campaign_file, prepared.campaign.as_yaml().encode())
    ledger.runs.start(
        prepared.run_id,
        campaign=prepared.campaign.name,
        provider=prepared.campaign.provider,
        now=datetime.now(UTC),
        warnings=prepared.plan.warnings,
        takes_up_cancelled=purpose == "take up",
    )
    say = current_display().say
    healed = recover_sent(ledger, prepared.run_id, prepared.folder, prepared.terms, say)
    _reread_kept(prepared, ledger, say)
    if healed["unknown"]:
        say(lost_line(healed["unknown"]))
    drafts, is_wanted = begun_drafts(prepared, ledger), wants_final(prepared.campaign)
    write_drawn(picture for order in drafts for picture in order.sent)
    replaced = find_replaced(ledger, prepared.run_id, drafts)
    withdrawn = replan(ledger, prepared.run_id, drafts, is_wanted)
    warnings = [*prepared.plan.warnings, *replaced, *_withdrawal_warnings(withdrawn)]
    add_warnings(ledger, prepared.run_id, warnings)
    return _find(prepared, ledger)


def _require_same(campaign_file: Path, text: str) -> None:
    """Refuse to put more arms into a file that somebody else has changed since it was read."""
    if campaign_file.read_text(encoding="utf-8") != text:
        raise RunError(
            where=str(campaign_file),
            what="was changed by somebody else since the price was shown",
            money="Nothing was bought.",
            next_step="Ask for it again, and look at the price.",
        )


def _reread_kept(prepared: Prepared, ledger: Ledger, say: Callable[[str], None]) -> None:
    """Fetch pictures that were paid and could not be fetched, and read what could not be read, once more."""
    from tasks.images_api.reread import kept_orders, reread

    records = kept_orders(ledger, prepared.run_id, prepared.folder)
    if records:
        say(f"{count_of(len(records), 'kept answer')} of earlier requests: read again, which buys nothing.")
    found = list(reread(ledger, records, prepared.folder, prepared.terms.at))
    if n_received := sum(not one.reason for one in found):
        say(f"{count_of(n_received, 'request')} of them received now.")


def _withdrawal_warnings(withdrawn: Sequence[Order]) -> Iterator[str]:
    """Describe the planned drafts that will no longer be bought."""
    drafts = Counter(str(order.parameters["model"]) for order in withdrawn if order.is_draft)
    for model, count in drafts.items():
        requests = "1 planned request" if count == 1 else f"{count} planned requests"
        yield f"{requests} for {model} will not be sent; the campaign's current requests replace them."


@asynccontextmanager
async def _leaving_backup(ledger: Ledger, display: Display) -> AsyncIterator[None]:
    """Back the ledger up when the run has ended, however it did; a backup that fails is only reported."""
    try:
        yield
    finally:
        try:
            await asyncio.to_thread(ledger.back_up, datetime.now(UTC))
        except LedgerError as error:
            display.say(str(error))


@contextmanager
def _stopped_on_fault(prepared: Prepared, ledger: Ledger) -> Iterator[None]:
    """Record the run as stopped when an error ends it; otherwise it would seem to run for ever."""
    try:
        yield
    except BaseException:
        with contextlib.suppress(LedgerError, RunError):  # the ledger is away, or the run is another's by now
            ledger.runs.end(prepared.run_id, "stopped", datetime.now(UTC))
        raise
