"""Buying a run's pictures: batch by batch, side by side, here or at the run's workers.

A batch is one Prefect task. Here its orders go through the run's own buyer; at workers each batch has a buyer
of its own, and one ledger that bounds what all of them spend.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from flows.prefect_ui.artifacts import Progress
from flows.runs.lock import bring_files
from flows.session.session import Session
from flows.stages.batch_lane import buy_in_batches
from flows.stages.evaluate import inspect_task
from flows.stages.prefect_task import as_task
from tasks.errors import BudgetError, RunoffError
from tasks.generate import generate
from tasks.images_api.answer_store import recover_sent
from tasks.images_api.buyer import Purchase
from tasks.order import Order
from tasks.report import load_libraries

ORDERS_PER_TASK = 50
LOAD_AFTER_S = 1.0
"""When what the report needs is loaded: the first orders are under way by then."""


async def make_pictures(run: Session, stage: str) -> None:
    """Buy every planned order of a stage and look at what came. This spends money, within the run's budgets.

    While one batch is looked at the next ones are under way, so that looking costs no time. What goes by the
    provider's Batch lane is collected and handed over first.
    """
    await buy_in_batches(run, stage)
    orders = _interactive(run, stage)
    progress = Progress(f"{run.campaign.name}-{stage}s", stage, len(orders))
    await progress.begin()
    run.display.start(f"{stage}s", len(orders))
    asyncio.get_running_loop().call_later(LOAD_AFTER_S, _load_in_thread, len(run.campaign.arms))
    try:
        if run.pool is None:
            await _try_once(run, orders, progress)
        else:
            await _buy_at_workers(run, stage, orders, progress)
    finally:
        run.display.finish()
    await _inspect(run)


async def _buy_at_workers(run: Session, stage: str, orders: Sequence[Order], progress: Progress) -> None:
    """Have orders bought and looked at by the workers; afterwards their files are here too.

    One worker may find no room in a budget while others have money under way that comes back in part. So what
    was left for want of money is tried again, until a whole round of it buys nothing.
    """
    left = list(orders)
    while left and run.buyer.closed_by is None:
        shortage = await _try_once(run, left, progress)
        await asyncio.to_thread(_take_back, run)
        n_before, left = len(left), _interactive(run, stage)
        if shortage is None:
            break
        if len(left) == n_before:
            run.buyer.close(shortage)


async def _try_once(run: Session, orders: Sequence[Order], progress: Progress) -> BudgetError | None:
    """Have every order tried once; returns why a worker had no money for some, if one had not."""
    n_orders_each, n_at_once = await _batching(run, len(orders))
    places = asyncio.Semaphore(n_at_once)
    shortages: list[BudgetError] = []

    async def make(batch: Sequence[Order]) -> None:
        async with places:
            if run.buyer.closed_by is None and (shortage := await buy_batch(batch, run)):
                shortages.append(shortage)
        if run.pool is None:  # a worker has looked at what it bought
            await _inspect(run)
        await progress.add(len(batch))

    await _in_batches(run, orders, n_orders_each, make)
    return shortages[0] if shortages else None


async def _batching(run: Session, n_orders: int) -> tuple[int, int]:
    """Tell how many orders a batch has at most, and how many batches are under way at once."""
    if run.pool is None:
        # Two batches more than can be under way at once: the buyer must never wait for work.
        return ORDERS_PER_TASK, run.prepared.terms.provider.concurrency // ORDERS_PER_TASK + 2
    await run.pool.look()
    return run.pool.batch_size(n_orders, ORDERS_PER_TASK), max(1, run.pool.n_places)


@as_task("generate")
async def buy_batch(orders: Sequence[Order], run: Session) -> BudgetError | None:
    """Buy a batch of orders, here or at a worker. This spends money: up to the sum of their estimates.

    Returns:
        Why a worker had no money for some of them, if it had not: others may have money under way that comes
        back. What ends all buying closes the run's buyer instead.

    Raises:
        RunoffError: The ledger, the disk or the pool failed; what became of the orders stands in the ledger.
    """
    if run.pool is None:
        await generate(orders, run.buyer)
        return None
    bought = await run.pool.buy(orders)
    by_id = {order.order_id: order for order in orders}
    for end in bought.ends:
        run.display.bought(Purchase(by_id[end.order_id], end.state, end.n_pictures, end.charged_usd))
    if isinstance(bought.stop, BudgetError):
        return bought.stop
    if bought.stop is not None:
        run.buyer.close(bought.stop)
    return None


async def _in_batches(
    run: Session, orders: Sequence[Order], size: int, make: Callable[[Sequence[Order]], Awaitable[None]]
) -> None:
    """Make orders batch by batch, side by side; a fault in one closes the run's buyer.

    Raises:
        Exception: The first fault. The other batches have ended too by then: theirs is money as well.
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
    """Look at every picture that nobody has looked at; one batch at a time, all cores inside."""
    async with run.inspecting:
        await inspect_task(run)


def _interactive(run: Session, stage: str) -> list[Order]:
    return [order for order in run.planned(stage) if order.lane == "interactive"]


def _take_back(run: Session) -> None:
    """Bring what the workers wrote, and settle what one that died left: nobody works on it any more."""
    bring_files(run.folder)
    recover_sent(run.ledger, run.run_id, run.folder, run.prepared.terms)


def _load_in_thread(n_arms: int) -> None:
    """Load what the report needs while the run waits for pictures."""
    asyncio.get_running_loop().run_in_executor(None, load_libraries, n_arms)
