"""The stages of a run as Prefect tasks: buying by batch, evaluating (``flows.evaluation``) in threads."""

import asyncio
from collections.abc import Sequence

from flows.evaluation import drafts as evaluation
from flows.evaluation import finals
from flows.prefect_ui.artifacts import Progress
from flows.session.session import Session
from flows.stages.at_workers import make_at_workers, score_at_workers
from flows.stages.batch_lane import buy_in_batches
from flows.stages.batches import as_task, in_batches
from tasks.generate import GenerateCounts, generate
from tasks.order import Order
from tasks.report import load_libraries

ORDERS_PER_TASK = 50
LOAD_AFTER_S = 1.0
"""When what the report needs is loaded: the first orders are under way by then."""


async def make_pictures(run: Session, stage: str) -> None:
    """Buy every planned order of a stage and look at what came, batch by batch, side by side.

    While one batch is looked at the next ones are under way, so that looking costs no time. What goes by the
    provider's Batch lane is collected and handed over first.
    """
    await buy_in_batches(run, stage)
    orders = [order for order in run.planned(stage) if order.lane == "interactive"]
    progress = Progress(f"{run.campaign.name}-{stage}s", stage, len(orders))
    await progress.begin()
    run.display.start(f"{stage}s", len(orders))
    asyncio.get_running_loop().call_later(LOAD_AFTER_S, _load_in_thread, len(run.campaign.arms))
    try:
        if run.pool is None:
            await _make_here(run, orders, progress)
        else:
            await make_at_workers(run, run.pool, stage, orders, progress)
    finally:
        run.display.finish()
    await inspect_batch(run)


async def _make_here(run: Session, orders: Sequence[Order], progress: Progress) -> None:
    # Two batches more than can be under way at once: the buyer must never wait for work.
    places = asyncio.Semaphore(run.prepared.terms.provider.concurrency // ORDERS_PER_TASK + 2)

    async def make(batch: Sequence[Order]) -> None:
        async with places:
            await generate_batch(batch, run)
        await inspect_batch(run)
        await progress.add(len(batch))

    await in_batches(run, orders, ORDERS_PER_TASK, make)


def _load_in_thread(n_arms: int) -> None:
    """Load what the report needs while the run waits for pictures."""
    asyncio.get_running_loop().run_in_executor(None, load_libraries, n_arms)


async def _generate(orders: Sequence[Order], run: Session) -> GenerateCounts:
    return await generate(orders, run.buyer)


async def _inspect(run: Session) -> int:
    """Look at every picture that nobody has looked at; one batch at a time, all cores inside."""
    async with run.inspecting:
        return await asyncio.to_thread(evaluation.inspect_new, run.stored)


async def score_drafts(run: Session) -> int:
    """Score every draft by what is free, here or at the workers; returns how many."""
    return await (score_here(run) if run.pool is None else score_at_workers(run, run.pool))


async def _score(run: Session) -> int:
    return await asyncio.to_thread(evaluation.score_drafts, run.stored)


async def _deduplicate(run: Session) -> int:
    return await asyncio.to_thread(evaluation.deduplicate_drafts, run.stored)


async def _score_judged(run: Session) -> int:
    return await asyncio.to_thread(evaluation.score_judged, run.stored)


async def _select(run: Session) -> int:
    return await asyncio.to_thread(evaluation.select_finalists, run.stored, keeps_bought=True)


async def _compare(run: Session) -> int:
    return await asyncio.to_thread(finals.compare_finals, run.stored)


generate_batch = as_task(_generate, name="generate")
inspect_batch = as_task(_inspect, name="inspect")
score_here = as_task(_score, name="score")
deduplicate_drafts = as_task(_deduplicate, name="deduplicate")
score_judged = as_task(_score_judged, name="score by judgement")
select_finalists = as_task(_select, name="select")
compare_finals = as_task(_compare, name="compare")
