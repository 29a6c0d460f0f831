"""Buying a run's pictures in concurrent batches, in this process or at the run's workers.

A batch is one Prefect task. In this process its orders go through the run's own buyer; at workers each batch
has its own buyer, and the shared ledger limits what all of them spend.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from operator import attrgetter

from flows.prefect_ui.artifacts import Progress
from flows.run_report import load_for_report
from flows.runs.lock import fetch_files
from flows.session.head_start import ORDERS_PER_TASK, batches_at_once
from flows.session.session import Session
from flows.stages.batch_lane import buy_in_batches
from flows.stages.comparing_ahead import ComparingAhead
from flows.stages.evaluate import inspect_task
from flows.stages.prefect_task import as_task
from tasks.errors import BudgetError, RunoffError
from tasks.generate import generate
from tasks.images_api.buyer import Purchase
from tasks.images_api.recover_sent import recover_sent
from tasks.ledger.replanning import add_warnings
from tasks.order import Order
from tasks.tracing import span

Wanted = Callable[[Order], bool]
FOLLOW_EVERY_S = 15.0
"""How often the bar of a stage in Prefect's UI moves within a batch."""
LOAD_AFTER_S = 1.0
"""When the report's libraries are loaded: the first orders are in flight by then."""


async def make_pictures(run: Session, stage: str) -> None:
    """Buy every planned order of a stage and inspect the pictures. This spends, within the run's budgets.

    One batch is inspected while the next ones are in flight, so that inspection costs no time. Orders for the
    provider's Batch lane are collected and submitted first.
    """
    with span(f"{stage}s"):
        await buy_in_batches(run, stage)
        await _make(run, stage)


async def make_further_drafts(run: Session) -> None:
    """Buy every planned draft of further rounds and inspect the pictures. This spends, within the budgets.

    Drafts of the campaign that are still planned are left to whoever resumes the run.
    """
    with span("further drafts"):
        await _make(run, "draft", is_wanted=attrgetter("is_further_draft"))


async def _make(run: Session, stage: str, is_wanted: Wanted = lambda _: True) -> None:
    """Buy the planned orders of a stage that are wanted, one by one, and inspect the pictures."""
    orders = _with_begun(run, stage, _interactive(run, stage, is_wanted))
    progress = Progress(f"{run.campaign.name}-{stage}s", stage, len(orders))
    await progress.begin()
    following = asyncio.create_task(_follow(run, stage, progress))
    run.display.start(f"{stage}s", len(orders))
    for end in run.buyer.begun_ends:
        run.display.bought(end)
    asyncio.get_running_loop().call_later(LOAD_AFTER_S, _load_in_thread, run)
    ahead = ComparingAhead(run) if stage == "draft" and run.pool is None else None
    try:
        if run.pool is None:
            await _buy_once(run, orders, progress, ahead)
            await run.buyer.await_begun()  # a buyer that closed meanwhile still awaits what is in flight
        else:
            await _buy_at_workers(run, stage, orders, progress, is_wanted)
        await _inspect(run)
    finally:
        following.cancel()
        run.display.finish()
        if ahead is not None:
            await ahead.end()


async def _follow(run: Session, stage: str, progress: Progress) -> None:
    """Move a stage's bar within its batches, which a slow provider takes minutes for."""
    with suppress(RunoffError):  # whoever buys says what is wrong with the ledger
        n_ended, n_before = len(run.buyer.begun_ends), await _n_open(run, stage)
        while True:
            await asyncio.sleep(FOLLOW_EVERY_S)
            await progress.reach(n_ended + n_before - await _n_open(run, stage))


async def _n_open(run: Session, stage: str) -> int:
    """Count the orders of a stage that have not ended, here and at workers."""
    counts = await asyncio.to_thread(run.ledger.orders.counts, run.run_id)
    return sum(n for (of, state), n in counts.items() if of == stage and state in ("planned", "sent"))


async def _buy_at_workers(
    run: Session, stage: str, orders: Sequence[Order], progress: Progress, is_wanted: Wanted
) -> None:
    """Have the workers buy and inspect orders; afterwards fetch their files.

    A worker may find a budget reserved by requests in flight at others, which release a part of it when they
    end. So orders that found no money are tried again, until a whole pass buys nothing.
    """
    left = list(orders)
    while left and run.buyer.closed_by is None:
        shortage = await _buy_once(run, left, progress)
        await asyncio.to_thread(_fetch_results, run)
        n_before, left = len(left), _interactive(run, stage, is_wanted)
        if shortage is None:
            break
        if len(left) == n_before:
            run.buyer.end_by(shortage)
            break


async def _buy_once(
    run: Session, orders: Sequence[Order], progress: Progress, ahead: ComparingAhead | None = None
) -> BudgetError | None:
    """Try every order once; returns the budget error of a worker, if there was one."""
    shortages: list[BudgetError] = []
    by_seller: dict[str, list[Order]] = {}
    for order in orders:  # a slow provider must not hold up the batches of a fast one
        by_seller.setdefault("" if run.pool else order.provider, []).append(order)
    ends = await asyncio.gather(
        *(_buy_at(run, name, own, progress, shortages, ahead) for name, own in by_seller.items()),
        return_exceptions=True,
    )
    for end in ends:
        if end is not None:
            raise end
    return shortages[0] if shortages else None


async def _buy_at(
    run: Session,
    seller: str,
    orders: Sequence[Order],
    progress: Progress,
    shortages: list[BudgetError],
    ahead: ComparingAhead | None,
) -> None:
    """Try the orders at one provider once, or with workers all orders; adds budget errors of workers."""
    n_orders_each, n_at_once = await _batching(run, seller, len(orders))
    places = asyncio.Semaphore(n_at_once)

    async def make(batch: Sequence[Order]) -> None:
        async with places:
            if run.buyer.closed_by is None and (shortage := await buy_batch(batch, run)):
                shortages.append(shortage)
        if run.pool is None:  # workers inspect what they buy
            await _inspect(run)
        if ahead is not None:
            ahead.go_on()
        await progress.add(len(batch))

    await _in_batches(run, orders, n_orders_each, make)


async def _batching(run: Session, seller: str, n_orders: int) -> tuple[int, int]:
    """Return how many orders a batch has at most, and how many batches are in flight at once."""
    if run.pool is None:
        return ORDERS_PER_TASK, batches_at_once(run.prepared.terms.at(seller).provider)
    await run.pool.refresh()
    return run.pool.batch_size(n_orders, ORDERS_PER_TASK), max(1, run.pool.n_places)


@as_task("generate")
async def buy_batch(orders: Sequence[Order], run: Session) -> BudgetError | None:
    """Buy a batch of orders, here or at a worker. This spends money: up to the sum of their estimates.

    Returns:
        The budget error of a worker, if it had no money for some of them: requests in flight at others may
        release a part of the budget. An error that ends all buying closes the run's buyer instead.

    Raises:
        RunoffError: The ledger, the disk or the pool failed; the ledger has the state of every order.
    """
    if run.pool is None:
        await generate(orders, run.buyer)
        return None
    bought = await run.pool.buy(orders)
    by_id = {order.order_id: order for order in orders}
    for end in bought.ends:
        run.display.bought(Purchase(by_id[end.order_id], end.state, end.n_pictures, end.charged_usd))
    for name, reason in bought.closed.items():
        run.buyer.close_for(name, reason)
    if isinstance(bought.stop, BudgetError):
        return bought.stop
    if bought.stop is not None:
        run.buyer.close(bought.stop)
    return None


async def _in_batches(
    run: Session, orders: Sequence[Order], size: int, make: Callable[[Sequence[Order]], Awaitable[None]]
) -> None:
    """Make orders in concurrent batches; an error in one closes the run's buyer.

    Raises:
        Exception: The first error. The other batches have ended by then, because they cost money too.
    """

    async def make_one(batch: Sequence[Order]) -> None:
        try:
            await make(batch)
        except RunoffError as error:
            run.buyer.close(error)
            raise

    batches = [orders[start : start + size] for start in range(0, len(orders), size)]
    ends = await asyncio.gather(*(make_one(batch) for batch in batches), return_exceptions=True)
    for end in ends:
        if end is not None:
            raise end


async def _inspect(run: Session) -> None:
    """Inspect every new picture, one batch at a time, on all cores."""
    async with run.inspecting:
        await inspect_task(run)


def _interactive(run: Session, stage: str, is_wanted: Wanted) -> list[Order]:
    return [order for order in run.planned(stage) if order.lane == "interactive" and is_wanted(order)]


def _with_begun(run: Session, stage: str, planned: Sequence[Order]) -> list[Order]:
    """Put the orders first that the run's head start has begun, whether or not they are sent already."""
    begun = [order for order in run.buyer.begun if order.stage == stage]
    known = {order.order_id for order in begun}
    return [*begun, *(order for order in planned if order.order_id not in known)]


def _fetch_results(run: Session) -> None:
    """Fetch what the workers wrote, and settle the orders that a dead worker left ``sent``."""
    fetch_files(run.folder)
    n_lost = recover_sent(run.ledger, run.run_id, run.folder, run.prepared.terms)["unknown"]
    if n_lost and run.pool is not None:
        lost = run.pool.describe_lost(n_lost)
        run.display.say(lost)
        add_warnings(run.ledger, run.run_id, [lost])


def _load_in_thread(run: Session) -> None:
    """Load what the report needs while the run waits for pictures; a process that evaluates has done so."""
    if not run.evaluator.is_apart:
        asyncio.get_running_loop().run_in_executor(None, load_for_report, run.stored)
