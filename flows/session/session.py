"""A run with all it needs: its campaign, its ledger, its folder, its buyer.

Opening a run reads and checks everything before a flow spends, takes the run's lock, heals what a killed
process left, and closes it all again, whatever happens. Ctrl-C, or a scheduler's SIGTERM, closes the buyer
and lets what is under way come in; a second one leaves at once, and those orders become unknown.
"""

import asyncio
import contextlib
import signal
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from flows.runs.lock import held_run
from flows.runs.progress import Display, current_display
from flows.runs.run import StoredRun
from flows.session.begun_orders import begun_drafts
from flows.session.composition import limits_of, open_workers, transport_of, watched
from flows.session.prepare import Prepared
from tasks.attachments.drawings import write_drawn
from tasks.campaign import Campaign
from tasks.errors import InterruptError, LedgerError
from tasks.ledger import Ledger, open_ledger
from tasks.ledger.replanning import add_warnings, replan
from tasks.order import Order
from tasks.orders.finals import wants_final
from tasks.pictures.provenance import ANCHORS_VARIABLE
from tasks.storage.atomic import write_atomically
from tasks.storage.home import CAMPAIGN_FILE, prepare_home

if TYPE_CHECKING:
    from flows.workers.dask_pool import DaskPool
    from tasks.images_api.batch_lane.lane import BatchLane
    from tasks.images_api.buyer import Buyer

STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM)


@dataclass(frozen=True)
class Session:
    """A prepared run that this process works on.

    Args:
        prepared: What was read and planned.
        stored: The same run for looking at it and deciding about it.
        buyer: Where orders are bought one by one.
        batch_lane: Where orders are bought in batches.
        judging: Where judging models are asked: closed by itself when the judge is down.
        display: Where progress goes.
        inspecting: Held while pictures are looked at, one batch at a time.
        pool: Workers on other machines that batches are handed to; ``None`` when all is done here.
    """

    prepared: Prepared
    stored: StoredRun
    buyer: "Buyer"
    batch_lane: "BatchLane"
    judging: "Buyer"
    display: Display
    inspecting: asyncio.Lock
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
        """The campaign as run."""
        return self.prepared.campaign

    @property
    def folder(self) -> Path:
        """The run's folder."""
        return self.prepared.folder

    @property
    def anchors_file(self) -> str | None:
        """Who is trusted to sign pictures: a PEM file of root certificates."""
        return self.prepared.settings.environ.get(ANCHORS_VARIABLE)

    @property
    def is_interrupted(self) -> bool:
        """Whether somebody asked it to stop."""
        return isinstance(self.buyer.closed_by, InterruptError)

    @property
    def is_out(self) -> bool:
        """Whether the provider still works on a batch of it."""
        return bool(self.ledger.batches.open_of(self.run_id))

    def planned(self, stage: str) -> list[Order]:
        """List the orders of a stage that are still to be sent."""
        records = self.ledger.orders.of_run(self.run_id, "planned")
        return [record.order for record in records if record.order.stage == stage]


@asynccontextmanager
async def open_session(prepared: Prepared) -> AsyncIterator[Session]:
    """Open a run for work, new or resumed.

    Raises:
        SettingError: The key is missing, or the home cannot be written.
        RunError: Another process works on the run.
        LedgerError: The ledger cannot be opened.
    """
    from tasks.images_api.client import connect
    from tasks.images_api.purchasing import compose

    terms = prepared.terms
    _ = terms.api_key  # a missing key is told before anything is written
    prepare_home(prepared.home)
    with open_ledger(prepared.home, prepared.settings.environ) as ledger, held_run(ledger, prepared.folder):
        limits, display = limits_of(prepared), current_display()
        async with open_workers(prepared, limits) as pool, connect(terms, transport_of(prepared)) as client:
            stored = _begin(prepared, ledger)
            buyer, lane, judging = compose(client, terms, ledger, prepared.folder, limits, display.bought)
            with (
                _closing_on_interrupt((buyer, judging), prepared, display),
                _stopped_on_fault(prepared, ledger),
            ):
                async with watched(pool, buyer):
                    yield Session(prepared, stored, buyer, lane, judging, display, asyncio.Lock(), pool)


def _begin(prepared: Prepared, ledger: Ledger) -> StoredRun:
    """Write the run and its planned orders into the ledger, and settle what a killed process left of it."""
    from tasks.images_api.answer_store import recover_sent

    campaign_file = prepared.folder / CAMPAIGN_FILE
    if not campaign_file.exists():
        write_atomically(campaign_file, prepared.campaign.as_yaml().encode())
    ledger.runs.start(
        prepared.run_id,
        campaign=prepared.campaign.name,
        provider=prepared.campaign.provider,
        now=datetime.now(UTC),
        warnings=prepared.plan.warnings,
    )
    recover_sent(ledger, prepared.run_id, prepared.folder, prepared.terms)
    drafts, is_wanted = begun_drafts(prepared, ledger), wants_final(prepared.campaign)
    write_drawn(picture for order in drafts for picture in order.sent)
    withdrawn = replan(ledger, prepared.run_id, drafts, is_wanted)
    add_warnings(ledger, prepared.run_id, [*prepared.plan.warnings, *_withdrawal_warnings(withdrawn)])
    return StoredRun.find(prepared.settings, ledger, prepared.run_id).decided_by(prepared.campaign)


def _withdrawal_warnings(withdrawn: Sequence[Order]) -> Iterator[str]:
    """Say which planned drafts will not be bought after all."""
    drafts = Counter(str(order.parameters["model"]) for order in withdrawn if order.is_draft)
    for model, count in drafts.items():
        orders = "1 planned order" if count == 1 else f"{count} planned orders"
        yield f"{orders} of {model} had not been sent and gave way to what the campaign orders now."


@contextmanager
def _closing_on_interrupt(buyers: Sequence["Buyer"], prepared: Prepared, display: Display) -> Iterator[None]:
    loop = asyncio.get_running_loop()

    def interrupted(number: int) -> None:
        if buyers[0].closed_by is None:
            display.say("Stopping: what is under way is paid for and is awaited. Ctrl-C again leaves it.")
        else:
            loop.remove_signal_handler(number)
            signal.raise_signal(number)
        reason = InterruptError(
            where=f"run {prepared.run_id}",
            what="was interrupted",
            money="What was bought stays; the ledger is right.",
            next_step=f"Go on with: runoff run --resume {prepared.run_id}",
        )
        for buyer in buyers:
            buyer.close(reason)

    try:
        for number in STOP_SIGNALS:
            loop.add_signal_handler(number, interrupted, number)
    except (NotImplementedError, RuntimeError, ValueError):  # not the main thread, or Windows
        yield
        return
    try:
        yield
    finally:
        for number in STOP_SIGNALS:
            loop.remove_signal_handler(number)


@contextmanager
def _stopped_on_fault(prepared: Prepared, ledger: Ledger) -> Iterator[None]:
    """Write that the run is stopped when an error ends it; without this it would seem to run for ever."""
    try:
        yield
    except BaseException:
        with contextlib.suppress(LedgerError):
            ledger.runs.end(prepared.run_id, "stopped", datetime.now(UTC))
        raise
