"""A worker's side: buys, inspects and evaluates a batch of a run whose lock another process holds.

A worker opens the ledger by its own environment, with its own key, and works only while the process that
holds the run lock waits for the batch. It buys only orders that are still ``planned``: a batch that is done
again because its first worker died buys nothing twice. Orders that a dead worker left ``sent`` are settled by
the process that holds the lock.
"""

import asyncio
import os
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Concatenate, ParamSpec, TypeVar

from flows.evaluation.drafts import inspect_new
from flows.runs.progress import current_display
from flows.runs.run import StoredRun
from tasks.campaign import Campaign
from tasks.catalogue import Catalogue
from tasks.catalogue.providers import Providers
from tasks.errors import InterruptError, RunError, RunoffError, SettingError, StopRunError
from tasks.generate import generate
from tasks.images_api.terms import Terms
from tasks.ledger import Ledger, Limits, has_ledger, open_ledger
from tasks.order import Order, OrderState
from tasks.redaction import with_redacted_errors
from tasks.settings import Settings
from tasks.storage.home import CAMPAIGN_FILE, run_folder
from tasks.storage.mirror import HOME_VARIABLE, address_of, found_here, store_of
from tasks.tracing import Carrier, begin_tracing, end_tracing, span

if TYPE_CHECKING:
    from tasks.images_api.sellers import Sellers

P = ParamSpec("P")
T = TypeVar("T")
POLL_S = 0.2
INSPECT_EVERY_S = 1.0

# Dask calls from several threads of a worker, and adding to a counter is a read and a write.
_lock = threading.Lock()
_stopped: set[str] = set()
_at_work: Counter[str] = Counter()


@dataclass(frozen=True)
class Job:
    """The data of a run that a worker gets. It has no keys: each worker has its own.

    Args:
        token: Identifies the session; workers are stopped by it.
        run_id: The run.
        home: The home's folder, or its store's address.
        campaign: The campaign as it runs.
        providers: The providers, with this worker's share of their concurrency.
        addresses: The address of each provider of the run, in the process that holds the run lock.
        catalogue: Models and prices.
        limits: The budgets.
        hold: The token of the run's hold in the ledger; empty with a SQLite ledger.
        trace: The span of the batch, where the run is traced.
    """

    token: str
    run_id: str
    home: str
    campaign: Campaign
    providers: Providers
    addresses: Mapping[str, str | None]
    catalogue: Catalogue
    limits: Limits
    hold: str = ""
    trace: Carrier = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class End:
    """The end state of an order."""

    order_id: str
    state: OrderState
    n_pictures: int
    charged_usd: Decimal


@dataclass(frozen=True, slots=True)
class Bought:
    """The result of a batch.

    Args:
        ends: The end states of its orders, without those that were not sent.
        stop: Why the rest was not sent, if anything stopped it.
        closed: Why nothing more is sent to a provider, by its name.
    """

    ends: tuple[End, ...]
    stop: RunoffError | None = None
    closed: Mapping[str, RunoffError] = field(default_factory=dict)


def stop(token: str) -> None:
    """Let this process send nothing more for a session; requests in flight are awaited."""
    with _lock:
        _stopped.add(token)


def _is_stopped(token: str) -> bool:
    with _lock:
        return token in _stopped


def is_at_work(run_id: str) -> bool:
    """Whether this process works on a batch of a run."""
    with _lock:
        return _at_work[run_id] > 0


@contextmanager
def _working_on(run_id: str) -> Iterator[None]:
    with _lock:
        _at_work[run_id] += 1
    try:
        yield
    finally:
        with _lock:
            _at_work[run_id] -= 1


@with_redacted_errors
def buy(job: Job, orders: Sequence[Order], is_wanted: Callable[[], bool]) -> Bought:
    """Buy the planned orders of a batch and inspect their pictures. This spends money.

    Args:
        job: The run.
        orders: The batch.
        is_wanted: Whether the process that holds the run lock still waits for the batch.

    Returns:
        The result. It contains a RunoffError instead of raising it, so that the earlier ends are not lost.
    """
    ends: list[End] = []
    try:
        with _open(job) as (terms, run):
            _fetch(Path(reference.file) for order in orders for reference in order.sent)
            planned = run.ledger.orders.planned([order.order_id for order in orders])
            left = [order for order in orders if order.order_id in planned]
            sellers = asyncio.run(_generate_and_inspect(job, left, terms, run, is_wanted, ends))
            # The last pictures, and those that a dead worker received.
            inspect_new(run, [order.order_id for order in orders])
    except RunoffError as error:
        return Bought(tuple(ends), error)
    reason = sellers.stopped_by
    closed = {
        name: error for name, error in sellers.closed_sellers.items() if isinstance(error, StopRunError)
    }
    return Bought(tuple(ends), None if isinstance(reason, StopRunError) else reason, closed)


async def _generate_and_inspect(
    job: Job,
    orders: Sequence[Order],
    terms: Terms,
    run: StoredRun,
    is_wanted: Callable[[], bool],
    ends: list[End],
) -> "Sellers":
    from tasks.images_api.buyer import Purchase
    from tasks.images_api.client import connect
    from tasks.images_api.purchasing import compose_sellers

    def note(purchase: Purchase) -> None:
        end = End(purchase.order.order_id, purchase.state, purchase.n_pictures, purchase.charged_usd)
        ends.append(end)

    async with AsyncExitStack() as stack:
        names = dict.fromkeys(order.provider for order in orders)
        clients = {name: await stack.enter_async_context(connect(terms.at(name))) for name in names}
        buyer = compose_sellers(clients, terms, run.ledger, run.folder, job.limits, note)
        is_over = asyncio.Event()
        watching = asyncio.create_task(_close_when_unwanted(buyer.close, job, is_wanted))
        inspecting = asyncio.create_task(
            _inspect_meanwhile(run, [order.order_id for order in orders], is_over)
        )
        try:
            await generate(orders, buyer)
        finally:
            watching.cancel()
            is_over.set()
            await asyncio.gather(watching, inspecting, return_exceptions=True)
    return buyer


async def _inspect_meanwhile(run: StoredRun, order_ids: Sequence[str], is_over: asyncio.Event) -> None:
    """Inspect new pictures while requests are in flight; the last inspection raises any error again."""
    while not is_over.is_set():
        await asyncio.to_thread(inspect_new, run, order_ids)
        with suppress(TimeoutError):
            await asyncio.wait_for(is_over.wait(), INSPECT_EVERY_S)


async def _close_when_unwanted(
    close: Callable[[RunoffError], None], job: Job, is_wanted: Callable[[], bool]
) -> None:
    while is_wanted() and not _is_stopped(job.token):
        await asyncio.sleep(POLL_S)
    close(InterruptError(where=f"run {job.run_id}", what="was stopped by the process that holds its lock"))


@with_redacted_errors
def evaluate(
    job: Job, evaluation: Callable[Concatenate[StoredRun, P], T], *args: P.args, **kwargs: P.kwargs
) -> T:
    """Run a function of ``flows.evaluation`` for a run whose lock another process holds. Spends nothing.

    Raises:
        RunoffError: This machine does not see the same run, or what the function raises.
    """
    with _open(job) as (_, run):
        return evaluation(run, *args, **kwargs)


@contextmanager
def _open(job: Job) -> Iterator[tuple[Terms, StoredRun]]:
    """Open a run whose lock another process holds, and check that this machine sees the same run."""
    settings = Settings.of(job.home, os.environ)
    with _working_on(job.run_id), _traced(job, settings):
        home = settings.home
        provider = job.providers.provider(job.campaign.provider)
        terms = Terms(provider, job.catalogue, settings.environ, job.providers)
        _require_same_address(job, terms)
        folder = run_folder(home, job.campaign.name, job.run_id)
        _require_folder(job, folder)
        if not has_ledger(home, settings.environ):
            raise _different_setup(job, "there is no ledger", "RUNOFF_LEDGER_URL")
        with open_ledger(home, settings.environ) as ledger:
            ledger.share_hold(job.run_id, job.hold)
            yield terms, _find(job, settings, ledger)


@contextmanager
def _traced(job: Job, settings: Settings) -> Iterator[None]:
    """Trace what this worker does for a batch, as a part of the batch."""
    begin_tracing(settings.environ, current_display().say)
    try:
        with span("worker", parent=job.trace, run=job.run_id, campaign=job.campaign.name):
            yield
    finally:
        end_tracing()


def _require_same_address(job: Job, terms: Terms) -> None:
    for name, address in job.addresses.items():
        here = terms.at(name)
        if here.base_url != address:
            what = f"{name} is at {here.base_url}, not at {address}"
            raise _different_setup(
                job, what, str(here.provider.base_url_variable or "RUNOFF_HOME/providers.yaml")
            )


def _require_folder(job: Job, folder: Path) -> None:
    address = address_of(job.home)
    if address is not None:
        if address_of(os.environ.get(HOME_VARIABLE, "")) != address:
            raise _different_setup(job, f"{HOME_VARIABLE} is not {address}", HOME_VARIABLE)
        folder.mkdir(parents=True, exist_ok=True)
    elif not (folder / CAMPAIGN_FILE).exists():  # if created here, its pictures would be on this machine only
        raise _different_setup(
            job, f"there is no run in {folder}", "RUNOFF_HOME, to a store or a shared folder"
        )


def _find(job: Job, settings: Settings, ledger: Ledger) -> StoredRun:
    try:
        return StoredRun.find(settings, ledger, job.run_id).decided_by(job.campaign)
    except RunError as error:
        what = f"the ledger {ledger.database.name} does not know the run"
        raise _different_setup(job, what, "RUNOFF_LEDGER_URL") from error


def _different_setup(job: Job, what: str, setting: str) -> SettingError:
    return SettingError(
        where=f"a worker of run {job.run_id}",
        what=what,
        money="It sent nothing; what was bought before is kept.",
        next_step=f"Set {setting} there to the same value as here, then: runoff run --resume {job.run_id}",
    )


def _fetch(files: Iterator[Path]) -> None:
    """With a store, fetch files that another machine wrote."""
    for file in map(found_here, files):
        if not file.exists() and (store := store_of(file.parent)):
            store.fetch_file(file)
