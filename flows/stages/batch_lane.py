"""The Batch lane stage: collects finished batches, submits planned orders, and lets the flow end.

No process waits for a provider that takes up to a day: the run ends as ``waiting`` and is resumed by
``runoff run --resume`` or by its schedule. Only for the emulator inside this process, whose batches end with
the process, the flow waits.
"""

import asyncio
from collections.abc import Sequence
from decimal import Decimal

from flows.session.session import Session
from flows.stages.prefect_task import as_task
from tasks.errors import RunoffError
from tasks.money import count_of, format_usd
from tasks.order import Order

POLL_S = 0.2


async def buy_in_batches(run: Session, stage: str) -> None:
    """Collect and submit a run's batches as far as possible now. This spends money, within the run's budgets.

    Raises:
        RunoffError: Something could not be read or written; the ledger has the batches that are still open.
    """
    try:
        await _collect(run, stage)
        await _submit(run, stage)
        while _is_here(run) and run.is_out and run.buyer.closed_by is None:
            await asyncio.sleep(POLL_S)
            await _collect(run, stage)
            await _submit(run, stage)
    except RunoffError as error:
        run.buyer.close(error)
        raise


def _is_here(run: Session) -> bool:
    """Return whether the provider of the drafts is in this process, and ends with it."""
    return run.prepared.terms.at(run.campaign.draft_sellers[0]).base_url is None


async def _collect(run: Session, stage: str) -> None:
    if not run.is_out:
        return
    # It may be none: a killed process settled every order and did not come to note it of the batch.
    run.display.start(f"{stage}s", len(run.ledger.batches.ids_out(run.run_id)))
    try:
        await collect_batches(run)
    finally:
        run.display.finish()


async def _submit(run: Session, stage: str) -> None:
    orders = [order for order in run.planned(stage) if order.lane == "batch"]
    if not orders or run.buyer.closed_by is not None:
        return
    await submit_batches(orders, run)
    n_left = len([order for order in run.planned(stage) if order.lane == "batch"])
    if n_left < len(orders):
        submitted = count_of(len(orders) - n_left, "request")
        run.display.say(f"Submitted {submitted} in batches: half the price, within 24 hours.")


@as_task("collect")
async def collect_batches(run: Session) -> int:
    """Advance every batch of the run as far as possible; returns how many are still open."""
    return await run.batch_lane.go_on(run.run_id)


@as_task("submit")
async def submit_batches(orders: Sequence[Order], run: Session) -> None:
    """Submit orders to the provider in batches. This spends money: up to the sum of their estimates."""
    await run.batch_lane.submit(orders)


def waiting_message(run: Session) -> str:
    """Describe what a run waits for, what it may cost, and how to resume it."""
    out = run.ledger.batches.open_of(run.run_id)
    orders = run.ledger.orders.of_run(run.run_id, "sent")
    most_usd = format_usd(sum((record.charged_usd for record in orders), Decimal(0)))
    notes = list(filter(None, (run.batch_lane.notes.get(record.batch_key) for record in out)))
    note = f" ({notes[0].rstrip('.')})" if notes else ""
    what = f"{count_of(len(out), 'batch', 'batches')} with {count_of(len(orders), 'request')}"
    next_step = f"No process waits for it. Resume with: runoff run --resume {run.run_id}"
    return f"{what} for at most {most_usd} at the provider{note}. {next_step}"
