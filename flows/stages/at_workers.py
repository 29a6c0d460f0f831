"""Stages of a run that its workers do: one Prefect task for each batch, here, and one of Dask's there."""

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING

from flows.prefect_ui.artifacts import Progress
from flows.runs.lock import bring_files
from flows.stages.batches import as_task, in_batches
from flows.workers.worker import Bought
from tasks.errors import BudgetError
from tasks.generate import GenerateCounts, count_ends
from tasks.images_api.answer_store import recover_sent
from tasks.images_api.buyer import Purchase
from tasks.order import Order

if TYPE_CHECKING:
    from flows.session.session import Session
    from flows.workers.dask_pool import DaskPool

MOST_ORDERS = 50
MOST_DRAFTS = 200


async def make_at_workers(
    run: "Session", pool: "DaskPool", stage: str, orders: Sequence[Order], progress: Progress
) -> None:
    """Have orders bought and looked at by the workers; afterwards their files are here too.

    One worker may find no room in a budget while others have money under way that comes back in part. So what
    was left for want of money is tried again, until a whole round of it buys nothing.
    """
    left = list(orders)
    while left and run.buyer.closed_by is None:
        shortage = await _buy_round(run, pool, left, progress)
        await asyncio.to_thread(_take_back, run)
        n_before, left = len(left), [o for o in run.planned(stage) if o.lane == "interactive"]
        if shortage is None:
            break
        if len(left) == n_before:
            run.buyer.close(shortage)


async def _buy_round(
    run: "Session", pool: "DaskPool", orders: Sequence[Order], progress: Progress
) -> BudgetError | None:
    """Have every order tried once; returns why money was short, if it was."""
    await pool.look()
    places = asyncio.Semaphore(max(1, pool.n_places))
    shortages: list[BudgetError] = []

    async def make(batch: Sequence[Order]) -> None:
        async with places:
            if run.buyer.closed_by is None:
                await buy_batch(batch, run, pool, shortages)
        await progress.add(len(batch))

    await in_batches(run, orders, pool.batch_size(len(orders), MOST_ORDERS), make)
    return shortages[0] if shortages else None


async def _buy(
    orders: Sequence[Order], run: "Session", pool: "DaskPool", shortages: list[BudgetError]
) -> GenerateCounts:
    bought = await pool.buy(orders)
    ends = _purchases(orders, bought)
    for end in ends:
        run.display.bought(end)
    if isinstance(bought.stop, BudgetError):
        shortages.append(bought.stop)
    elif bought.stop is not None:
        run.buyer.close(bought.stop)
    return count_ends([*ends, *[None] * (len(orders) - len(ends))])


def _purchases(orders: Sequence[Order], bought: Bought) -> list[Purchase]:
    by_id = {order.order_id: order for order in orders}
    return [Purchase(by_id[end.order_id], end.state, end.n_pictures, end.charged_usd) for end in bought.ends]


def _take_back(run: "Session") -> None:
    """Bring what the workers wrote, and settle what one that died left: nobody works on it any more."""
    bring_files(run.folder)
    recover_sent(run.ledger, run.run_id, run.folder, run.prepared.terms)


async def score_at_workers(run: "Session", pool: "DaskPool") -> int:
    """Have every draft scored by what is free, in chunks; returns how many.

    Raises:
        RunoffError: A worker could not; scores that others wrote stand.
    """
    drafts = await asyncio.to_thread(run.ledger.candidates.of_run, run.run_id, "draft")
    names = [draft.candidate_id for draft in drafts]
    await pool.look()
    size = pool.batch_size(len(names), MOST_DRAFTS)
    chunks = [names[start : start + size] for start in range(0, len(names), size)]
    ends = await asyncio.gather(*(score_chunk(chunk, pool) for chunk in chunks), return_exceptions=True)
    for end in ends:
        if isinstance(end, BaseException):
            raise end
    return sum(end for end in ends if isinstance(end, int))


async def _score(candidate_ids: Sequence[str], pool: "DaskPool") -> int:
    return await pool.score(candidate_ids)


buy_batch = as_task(_buy, name="generate")
score_chunk = as_task(_score, name="score")
