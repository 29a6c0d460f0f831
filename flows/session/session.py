"""A run with all it needs: its campaign, its ledger, its folder, its desk.

Opening a run reads and checks everything before a flow spends, takes the run's lock, heals what a killed
process left, and closes it all again, whatever happens. Ctrl-C, or a scheduler's SIGTERM, closes the desk
and lets what is under way come in; a second one leaves at once, and those orders become unknown.
"""

import asyncio
import contextlib
import os
import signal
import zlib
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

from flows.runs.lock import bring_campaign, held_run
from flows.runs.progress import Display, current_display
from flows.session.begun_orders import begun_drafts
from tasks.campaign import Campaign
from tasks.campaign.succession import heed_announced
from tasks.campaign_file.load import load_campaign
from tasks.candidate import Order
from tasks.catalogue import Catalogue, load_catalogue
from tasks.catalogue.providers import Providers, load_providers
from tasks.clock import today
from tasks.errors import CatalogueError, InterruptError, LedgerError, RunError
from tasks.images_api.terms import Terms
from tasks.ledger import Ledger, Limits, open_ledger
from tasks.ledger.monthly_limit import ledger_per_month_usd
from tasks.ledger.replanning import add_warnings, replan
from tasks.orders.finals import wants_final
from tasks.plan import Plan, plan
from tasks.storage.atomic import write_atomically
from tasks.storage.home import CAMPAIGN_FILE, prepare_home, run_folder
from tasks.storage.mirror import home_address

if TYPE_CHECKING:
    import httpx2
    from openai import AsyncOpenAI

    from flows.workers.dask_pool import Team
    from tasks.images_api.batch_lane.lane import BatchLane
    from tasks.images_api.buyer import Desk

STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM)


@dataclass(frozen=True)
class Prepared:
    """A run that was read, checked and planned, before anything is written or spent.

    Args:
        home: Runoff's home.
        catalogue: Models and prices.
        providers: Who sells.
        terms: The provider's terms.
        plan: What will be ordered, and for how much.
        note: Why the provider's own list of models is not known, when it was asked for in vain.
        ledger_per_month_usd: What the whole ledger may spend in a month, dollars.
    """

    home: Path
    catalogue: Catalogue
    providers: Providers
    terms: Terms
    plan: Plan
    note: str = ""
    ledger_per_month_usd: Decimal | None = None

    @property
    def run_id(self) -> str:
        """The run's id."""
        return self.plan.run_id

    @property
    def campaign(self) -> Campaign:
        """The campaign as it runs, successors of retired models in their places."""
        return self.plan.campaign

    @property
    def folder(self) -> Path:
        """The run's folder."""
        return run_folder(self.home, self.campaign.name, self.run_id)


@dataclass(frozen=True)
class OpenRun:
    """A prepared run that this process works on.

    Args:
        prepared: What was read and planned.
        ledger: The ledger.
        desk: Where orders are bought one by one.
        batch_lane: Where orders are bought in batches.
        judging: Where judging models are asked: closed by itself when the judge is down.
        display: Where progress goes.
        inspecting: Held while pictures are looked at, one batch at a time.
        team: Workers on other machines that batches are handed to; ``None`` when all is done here.
    """

    prepared: Prepared
    ledger: Ledger
    desk: "Desk"
    batch_lane: "BatchLane"
    judging: "Desk"
    display: Display
    inspecting: asyncio.Lock
    team: "Team | None" = None

    @property
    def run_id(self) -> str:
        """The run's id."""
        return self.prepared.run_id

    @property
    def campaign(self) -> Campaign:
        """The campaign as run."""
        return self.prepared.campaign

    @property
    def folder(self) -> Path:
        """The run's folder."""
        return self.prepared.folder

    @property
    def is_interrupted(self) -> bool:
        """Whether somebody asked it to stop."""
        return isinstance(self.desk.closed_by, InterruptError)

    @property
    def is_out(self) -> bool:
        """Whether the provider still works on a batch of it."""
        return bool(self.ledger.batches.open_of(self.run_id))

    def planned(self, stage: str) -> list[Order]:
        """List the orders of a stage that are still to be sent."""
        records = self.ledger.orders.of_run(self.run_id, "planned")
        return [record.order for record in records if record.order.stage == stage]


def prepare(
    campaign_file: Path,
    home: Path,
    run_id: str,
    *,
    asks_provider: bool = False,
    are_drafts_done: bool = False,
) -> Prepared:
    """Read, check and plan a campaign. Spends nothing and writes nothing.

    Args:
        campaign_file: The campaign file.
        home: Runoff's home.
        run_id: The run.
        asks_provider: Read the provider's own list of models too, for a few seconds at most; without an
            answer the catalogue's dates count.
        are_drafts_done: No more drafts will be bought: their models may be gone.

    Raises:
        CampaignError: The file is wrong.
        CatalogueError: A model is retired and has no successor, or has no price.
        SettingError: The provider's key is missing, or the ledger's monthly limit is none.
        BudgetError: The budget is below the least that the run can cost.
    """
    ledger_limit_usd = ledger_per_month_usd(home, os.environ)
    catalogue, providers = load_catalogue(home), load_providers(home)
    campaign = load_campaign(campaign_file, catalogue=catalogue, providers=providers)
    terms = Terms(providers.provider(campaign.provider), catalogue, os.environ)
    said: list[str] = []
    note = ""
    if asks_provider and terms.base_url is not None:
        from tasks.images_api.models_endpoint import read_models  # loads the SDK, a second of work

        answer = read_models(terms)
        catalogue, said = heed_announced(campaign, catalogue, answer.announced)
        terms = replace(terms, catalogue=catalogue)
        note = f"{answer.what}; the catalogue's dates of models count." if answer.what else ""
    try:
        planned = plan(
            campaign, catalogue, providers, run_id, today(), home=home, are_drafts_done=are_drafts_done
        )
    except CatalogueError as error:
        raise error.at(str(campaign_file)) from error
    planned = replace(planned, warnings=(*said, *planned.warnings))
    return Prepared(home, catalogue, providers, terms, planned, note, ledger_limit_usd)


@asynccontextmanager
async def open_run(prepared: Prepared) -> AsyncIterator[OpenRun]:
    """Open a run for work, new or resumed.

    Raises:
        SettingError: The key is missing, or the home cannot be written.
        RunError: Another process works on the run.
        LedgerError: The ledger cannot be opened.
    """
    from tasks.images_api.batch_lane.lane import BatchLane
    from tasks.images_api.batch_lane.settler import Clerk
    from tasks.images_api.buyer import Desk
    from tasks.images_api.client import connect
    from tasks.images_api.rate_limiter import pace_of

    terms = prepared.terms
    _ = terms.api_key  # a missing key is told before anything is written
    prepare_home(prepared.home)
    with open_ledger(prepared.home) as ledger, held_run(ledger, prepared.folder):
        budget = prepared.campaign.budget
        limits = Limits(budget.per_run_usd, budget.per_month_usd, prepared.ledger_per_month_usd)
        async with _team(prepared, limits) as team, connect(terms, _transport(prepared)) as client:
            _begin(prepared, ledger)
            display = current_display()
            desk = Desk(
                client=client,
                terms=terms,
                ledger=ledger,
                folder=prepared.folder,
                limits=limits,
                pace=pace_of(terms, ledger),
                watch=display.bought,
            )
            clerk = Clerk(terms, ledger, prepared.folder, display.bought, desk.close)
            lane = BatchLane(client=client, clerk=clerk, limits=limits, closed_by=lambda: desk.closed_by)
            judging = _judging_desk(client, prepared, ledger, limits, display)
            with (
                _closing_on_interrupt((desk, judging), prepared, display),
                _stopped_on_fault(prepared, ledger),
            ):
                async with _watched(team, desk):
                    yield OpenRun(prepared, ledger, desk, lane, judging, display, asyncio.Lock(), team)


@asynccontextmanager
async def _team(prepared: Prepared, limits: Limits) -> AsyncIterator["Team | None"]:
    """Find the workers that ``RUNOFF_DASK`` names; the emulator inside this process is in no other one."""
    from flows.workers.dask_pool import open_team, scheduler_address

    address, base_url = scheduler_address(), prepared.terms.base_url
    if address is None or base_url is None:
        yield None
        return
    from flows.workers.worker import Job

    def make_job(token: str) -> Job:
        return Job(
            token=token,
            run_id=prepared.run_id,
            home=home_address(prepared.home),
            campaign=prepared.campaign,
            provider=prepared.terms.provider,
            base_url=base_url,
            catalogue=prepared.terms.catalogue,
            limits=limits,
        )

    async with open_team(address, make_job, current_display().say) as team:
        yield team


@asynccontextmanager
async def _watched(team: "Team | None", desk: "Desk") -> AsyncIterator[None]:
    """Keep watch over the workers, if there are any, as long as the run is open."""
    watching = None if team is None else asyncio.create_task(team.keep_watch(desk))
    try:
        yield
    finally:
        if watching is not None:
            watching.cancel()
            await asyncio.gather(watching, return_exceptions=True)


def _judging_desk(
    client: "AsyncOpenAI", prepared: Prepared, ledger: Ledger, limits: Limits, display: Display
) -> "Desk":
    """Make the desk for questions: no pictures a minute, and no patience with a judge that is down."""
    from tasks.images_api.buyer import Desk
    from tasks.images_api.circuit_breaker import Patience
    from tasks.images_api.rate_limiter import Pace

    desk: Desk = Desk(
        client=client,
        terms=prepared.terms,
        ledger=ledger,
        folder=prepared.folder,
        limits=limits,
        pace=Pace(None),
        watch=Patience(display.bought, lambda reason: desk.close(reason)),
    )
    return desk


def _begin(prepared: Prepared, ledger: Ledger) -> None:
    from tasks.images_api.answer_store import heal

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
    heal(ledger, prepared.run_id, prepared.folder, prepared.terms)
    wanted = wants_final(prepared.campaign)
    withdrawn = replan(ledger, prepared.run_id, begun_drafts(prepared, ledger), wanted)
    add_warnings(ledger, prepared.run_id, [*prepared.plan.warnings, *_told(withdrawn)])


def _told(withdrawn: Sequence[Order]) -> Iterator[str]:
    """Say which planned drafts will not be bought after all."""
    drafts = Counter(str(order.parameters["model"]) for order in withdrawn if order.stage == "draft")
    for model, count in drafts.items():
        orders = "1 planned order" if count == 1 else f"{count} planned orders"
        yield f"{orders} of {model} had not been sent and gave way to what the campaign orders now."


def _transport(prepared: Prepared) -> "httpx2.AsyncBaseTransport | None":
    """Put the emulator inside the process, when the provider has no address."""
    if prepared.terms.base_url is not None:
        return None
    import httpx2

    from tasks.emulator.app import create_app
    from tasks.emulator.settings import EmulatorSettings

    seed = zlib.crc32(prepared.run_id.encode())
    return httpx2.ASGITransport(app=create_app(EmulatorSettings(seed=seed, today=today)))


@contextmanager
def _closing_on_interrupt(desks: Sequence["Desk"], prepared: Prepared, display: Display) -> Iterator[None]:
    loop = asyncio.get_running_loop()

    def interrupted(number: int) -> None:
        if desks[0].closed_by is None:
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
        for desk in desks:
            desk.close(reason)

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


def resumed_file(home: Path, ledger: Ledger, name: str) -> tuple[Path, str]:
    """Find the campaign as it was run, for going on with a run.

    Returns:
        The file and the run's id.

    Raises:
        RunError: There is no such run, or its folder is gone.
    """
    run = ledger.runs.find(name)
    file = bring_campaign(run_folder(home, run.campaign, run.run_id))
    if not file.exists():
        raise RunError(
            where=str(file),
            what="the run's campaign is gone",
            money="The ledger still knows what was bought.",
            next_step="Look at the money with: runoff ledger spend",
        )
    return file, run.run_id
