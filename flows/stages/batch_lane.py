"""The Batch lane in a flow: collect what is over, hand over what is planned, and let the flow end.

Nobody waits for a provider that takes up to a day. The flow ends as ``waiting`` and is taken up again by
``runoff run --resume``, by its schedule or by a served campaign. Only the emulator inside this process, which
forgets its batches with it, is waited for.
"""

import asyncio
from collections.abc import Sequence
from decimal import Decimal

from flows.session.session import Session
from flows.stages.prefect_task import as_task
from tasks.errors import RunoffError
from tasks.money import count_of, format_usd
from tasks.order import Order

LOOK_AGAIN_S = 0.2


async def buy_in_batches(run: Session, stage: str) -> None:
    """Take a run's batches as far as they go now. This spends money, within the run's budgets.

    Raises:
        RunoffError: Something could not be read or written; the ledger says which orders are out.
    """
    try:
        await _go_on(run, stage)
        await _hand_over(run, stage)
        while run.prepared.terms.base_url is None and run.is_out and run.buyer.closed_by is None:
            await asyncio.sleep(LOOK_AGAIN_S)
            await _go_on(run, stage)
            await _hand_over(run, stage)
    except RunoffError as error:
        run.buyer.close(error)
        raise


async def _go_on(run: Session, stage: str) -> None:
    n_out = len(run.ledger.batches.ids_out(run.run_id))
    if not n_out:
        return
    run.display.start(f"{stage}s", n_out)
    try:
        await collect_batches(run)
    finally:
        run.display.finish()


async def _hand_over(run: Session, stage: str) -> None:
    orders = [order for order in run.planned(stage) if order.lane == "batch"]
    if not orders or run.buyer.closed_by is not None:
        return
    await submit_batches(orders, run)
    left = len([order for order in run.planned(stage) if order.lane == "batch"])
    if left < len(orders):
        handed = count_of(len(orders) - left, "order")
        run.display.say(f"Handed over {handed} in batches: half the price, within 24 hours.")


@as_task("collect")
async def collect_batches(run: Session) -> int:
    """Take every batch of the run as far as it goes; returns how many are still out."""
    return await run.batch_lane.go_on(run.run_id)


@as_task("submit")
async def submit_batches(orders: Sequence[Order], run: Session) -> None:
    """Hand orders over to the provider in batches. This spends money: up to the sum of their estimates."""
    await run.batch_lane.submit(orders)


def waiting_message(run: Session) -> str:
    """Say what a run waits for, what it may cost, and how to go on."""
    out = run.ledger.batches.open_of(run.run_id)
    orders = run.ledger.orders.of_run(run.run_id, "sent")
    most_usd = format_usd(sum((record.charged_usd for record in orders), Decimal(0)))
    notes = list(filter(None, (run.batch_lane.notes.get(record.batch_key) for record in out)))
    note = f" ({notes[0].rstrip('.')})" if notes else ""
    what = f"{count_of(len(out), 'batch', 'batches')} with {count_of(len(orders), 'order')}"
    next_step = f"Nothing waits here; go on with: runoff run --resume {run.run_id}"
    return f"{what} for at most {most_usd} at the provider{note}. {next_step}"
