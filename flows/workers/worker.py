"""A worker's side: a batch of a run that another process holds.

A worker opens the ledger by its own environment, with its own key, and works only while the process that
holds the run wants the batch. It buys what is still ``planned`` of it: a batch that comes again because its
first worker died buys nothing twice. What it leaves ``sent`` by dying is settled by whoever holds the run.
"""

import asyncio
import os
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Concatenate, ParamSpec, TypeVar

from flows.evaluation.drafts import inspect_new
from flows.runs.run import StoredRun
from tasks.campaign import Campaign
from tasks.catalogue import Catalogue
from tasks.catalogue.providers import Provider
from tasks.errors import InterruptError, RunError, RunoffError, SettingError
from tasks.generate import generate
from tasks.images_api.terms import Terms
from tasks.ledger import Ledger, Limits, has_ledger, open_ledger
from tasks.order import Order, OrderState, Reference
from tasks.settings import Settings
from tasks.storage.home import CAMPAIGN_FILE, home_folder, run_folder
from tasks.storage.mirror import HOME_VARIABLE, address_of, found_here, store_of

P = ParamSpec("P")
T = TypeVar("T")
LOOK_S = 0.2
INSPECT_EVERY_S = 1.0

# Dask calls from several threads of a worker, and adding to a counter is a read and a write.
_lock = threading.Lock()
_stopped: set[str] = set()
_at_work: Counter[str] = Counter()


@dataclass(frozen=True)
class Job:
    """What a worker is told of a run. Keys are not in it: each worker has its own.

    Args:
        token: One holding of the run: what is stopped is stopped by it.
        run_id: The run.
        home: The home's folder, or its store's address.
        campaign: The campaign as it runs.
        provider: The provider, with this worker's part of its concurrency.
        base_url: The address that whoever holds the run would order from.
        catalogue: Models and prices.
        limits: The budgets.
    """

    token: str
    run_id: str
    home: str
    campaign: Campaign
    provider: Provider
    base_url: str | None
    catalogue: Catalogue
    limits: Limits


@dataclass(frozen=True, slots=True)
class End:
    """How an order ended."""

    order_id: str
    state: OrderState
    n_pictures: int
    charged_usd: Decimal


@dataclass(frozen=True, slots=True)
class Bought:
    """What came of a batch.

    Args:
        ends: How its orders ended; those that were not sent are left out.
        stop: Why no more of it was sent, if anything stopped it.
    """

    ends: tuple[End, ...]
    stop: RunoffError | None = None


def stop(token: str) -> None:
    """Let this process send nothing more for a run; what is under way is awaited."""
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


def buy(job: Job, orders: Sequence[Order], is_wanted: Callable[[], bool]) -> Bought:
    """Buy what is still planned of a batch and look at its pictures. This spends money.

    Args:
        job: The run.
        orders: The batch.
        is_wanted: Whether whoever holds the run still waits for it.

    Returns:
        What came of it. A fault that Runoff knows is in it, so that the ends before it are not lost.
    """
    ends: list[End] = []
    try:
        with _open(job) as (terms, run):
            _bring(Path(reference.file) for order in orders for reference in _sent_along(order))
            planned = run.ledger.orders.planned([order.order_id for order in orders])
            left = [order for order in orders if order.order_id in planned]
            reason = asyncio.run(_generate_and_inspect(job, left, terms, run, is_wanted, ends))
            # What came last, or before a death.
            inspect_new(run, [order.order_id for order in orders])
    except RunoffError as error:
        return Bought(tuple(ends), error)
    return Bought(tuple(ends), reason)


async def _generate_and_inspect(
    job: Job,
    orders: Sequence[Order],
    terms: Terms,
    run: StoredRun,
    is_wanted: Callable[[], bool],
    ends: list[End],
) -> RunoffError | None:
    from tasks.images_api.buyer import Purchase
    from tasks.images_api.client import connect
    from tasks.images_api.purchasing import compose_buyer

    def note(purchase: Purchase) -> None:
        end = End(purchase.order.order_id, purchase.state, purchase.n_pictures, purchase.charged_usd)
        ends.append(end)

    async with connect(terms) as client:
        buyer = compose_buyer(client, terms, run.ledger, run.folder, job.limits, note)
        is_over = asyncio.Event()
        watching = asyncio.create_task(_close_when_unwanted(buyer.close, job, is_wanted))
        looking = asyncio.create_task(_look_meanwhile(run, [order.order_id for order in orders], is_over))
        try:
            await generate(orders, buyer)
        finally:
            watching.cancel()
            is_over.set()
            await asyncio.gather(watching, looking, return_exceptions=True)
    return buyer.closed_by


async def _look_meanwhile(run: StoredRun, order_ids: Sequence[str], is_over: asyncio.Event) -> None:
    """Look at what has come while more is under way; what this meets, the last look meets again and tells."""
    while not is_over.is_set():
        await asyncio.to_thread(inspect_new, run, order_ids)
        with suppress(TimeoutError):
            await asyncio.wait_for(is_over.wait(), INSPECT_EVERY_S)


async def _close_when_unwanted(
    close: Callable[[RunoffError], None], job: Job, is_wanted: Callable[[], bool]
) -> None:
    while is_wanted() and not _is_stopped(job.token):
        await asyncio.sleep(LOOK_S)
    close(InterruptError(where=f"run {job.run_id}", what="was stopped by the process that holds it"))


def evaluate(
    job: Job, evaluation: Callable[Concatenate[StoredRun, P], T], *args: P.args, **kwargs: P.kwargs
) -> T:
    """Do a function of ``flows.evaluation`` for a run that another process holds. Spends nothing.

    Raises:
        RunoffError: The run is another one here, or what the function raises.
    """
    with _open(job) as (_, run):
        return evaluation(run, *args, **kwargs)


@contextmanager
def _open(job: Job) -> Iterator[tuple[Terms, StoredRun]]:
    """Open a run that another process holds, and see that it is the same one here."""
    with _working_on(job.run_id):
        home = home_folder(job.home, os.environ)
        terms = Terms(job.provider, job.catalogue, os.environ)
        _require_same_address(job, terms)
        folder = run_folder(home, job.campaign.name, job.run_id)
        _require_folder(job, folder)
        if not has_ledger(home, os.environ):
            raise _elsewhere(job, "there is no ledger", "RUNOFF_LEDGER_URL")
        with open_ledger(home, os.environ) as ledger:
            yield terms, _find(job, Settings(home, os.environ), ledger)


def _require_same_address(job: Job, terms: Terms) -> None:
    if terms.base_url != job.base_url:
        raise _elsewhere(
            job, f"{job.provider.name} is at {terms.base_url}, not at {job.base_url}",
            str(job.provider.base_url_variable or "RUNOFF_HOME/providers.yaml"),
        )  # fmt: skip


def _require_folder(job: Job, folder: Path) -> None:
    address = address_of(job.home)
    if address is not None:
        if address_of(os.environ.get(HOME_VARIABLE, "")) != address:
            raise _elsewhere(job, f"{HOME_VARIABLE} is not {address}", HOME_VARIABLE)
        folder.mkdir(parents=True, exist_ok=True)
    elif not (folder / CAMPAIGN_FILE).exists():  # made anew here, its pictures would be nowhere else
        raise _elsewhere(job, f"there is no run in {folder}", "RUNOFF_HOME, to a store or a shared folder")


def _find(job: Job, settings: Settings, ledger: Ledger) -> StoredRun:
    try:
        return StoredRun.find(settings, ledger, job.run_id).decided_by(job.campaign)
    except RunError as error:
        what = f"the ledger {ledger.database.name} does not know the run"
        raise _elsewhere(job, what, "RUNOFF_LEDGER_URL") from error


def _elsewhere(job: Job, what: str, setting: str) -> SettingError:
    return SettingError(
        where=f"a worker of run {job.run_id}",
        what=what,
        money="It sent nothing; what was bought before stays.",
        next_step=f"Set {setting} there as here, then go on with: runoff run --resume {job.run_id}",
    )


def _sent_along(order: Order) -> tuple[Reference, ...]:
    return tuple(order.references) if order.mask is None else (*order.references, order.mask)


def _bring(files: Iterator[Path]) -> None:
    """With a store, fetch what another machine wrote."""
    for file in map(found_here, files):
        if not file.exists() and (store := store_of(file.parent)):
            store.fetch_file(file)
