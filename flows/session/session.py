"""The session: a run opened for work, with its ledger, buyers and workers.

Opening a session takes the run lock and settles what a killed process left; at the end everything is closed,
whatever happens. Ctrl-C, or a scheduler's SIGTERM, closes the buyers and waits for the requests in flight; a
second one exits at once, and those orders become unknown.
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

from flows.runs.lock import locked_run
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
        prepared: The prepared run.
        stored: The same run for reading it and deciding about it.
        buyer: Buys orders one by one.
        batch_lane: Buys orders in batches.
        judging: Asks judging models; it alone is closed if the judge is down.
        display: Shows progress.
        inspecting: Held while pictures are inspected, one batch at a time.
        pool: Workers on other machines; ``None`` if everything is done in this process.
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

    def planned(self, stage: str) -> list[Order]:
        """List the orders of a stage that are still to be sent."""
        records = self.ledger.orders.of_run(self.run_id, "planned")
        return [record.order for record in records if record.order.stage == stage]


@asynccontextmanager
async def open_session(prepared: Prepared) -> AsyncIterator[Session]:
    """Open a session of a new or resumed run.

    Raises:
        SettingError: The key is missing, or the home cannot be written.
        RunError: Another process works on the run.
        LedgerError: The ledger cannot be opened.
    """
    from tasks.images_api.client import connect
    from tasks.images_api.purchasing import compose

    terms = prepared.terms
    _ = terms.api_key  # a missing key raises before anything is written
    prepare_home(prepared.home)
    with open_ledger(prepared.home, prepared.settings.environ) as ledger, locked_run(ledger, prepared.folder):
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
    """Record the run and its planned orders, and settle what a killed process left."""
    from tasks.images_api.recover_sent import recover_sent

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
    """Describe the planned drafts that will no longer be bought."""
    drafts = Counter(str(order.parameters["model"]) for order in withdrawn if order.is_draft)
    for model, count in drafts.items():
        requests = "1 planned request" if count == 1 else f"{count} planned requests"
        yield f"{requests} for {model} will not be sent; the campaign's current requests replace them."


@contextmanager
def _closing_on_interrupt(buyers: Sequence["Buyer"], prepared: Prepared, display: Display) -> Iterator[None]:
    loop = asyncio.get_running_loop()

    def interrupted(number: int) -> None:
        if buyers[0].closed_by is None:
            display.say(
                "Stopping: waiting for the requests in flight, which are paid for."
                " Press Ctrl-C again to exit at once."
            )
        else:
            loop.remove_signal_handler(number)
            signal.raise_signal(number)
        reason = InterruptError(
            where=f"run {prepared.run_id}",
            what="was interrupted",
            money="What was bought is kept; the ledger is consistent.",
            next_step=f"Resume it with: runoff run --resume {prepared.run_id}",
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
    """Record the run as stopped when an error ends it; otherwise it would seem to run for ever."""
    try:
        yield
    except BaseException:
        with contextlib.suppress(LedgerError):
            ledger.runs.end(prepared.run_id, "stopped", datetime.now(UTC))
        raise
