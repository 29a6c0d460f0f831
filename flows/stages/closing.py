"""The end of a run: its report, its state, its Prefect artifacts and events, and its exit code.

A run whose budget is used up, or whose provider accepts no more orders, still writes its report; it is
``stopped`` and can be resumed. An interrupted run only records its state in the ledger, unless it was
cancelled for good.
"""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from flows.prefect_ui.artifacts import report_link, show_outcome
from flows.prefect_ui.cancellation import is_given_up
from flows.prefect_ui.events import emit_decided, emit_retired, emit_run_end
from flows.promotion.plan import price_promotion
from flows.run_report import report_end
from flows.runs.outcome import INCOMPLETE, Outcome
from flows.session.cancelling import end_batches
from flows.session.session import Session
from flows.stages.batch_lane import waiting_message
from flows.stages.prefect_task import as_task
from tasks.errors import BudgetError, InterruptError, StopRunError
from tasks.ledger.budgets import LEDGER_PER_MONTH
from tasks.ledger.runs import RunState
from tasks.storage.home import CAMPAIGN_FILE


async def close_run(run: Session, *, state: RunState, lack: str = "", note: str = "") -> Outcome:
    """End a run: write its report and its state, and show both in Prefect.

    Args:
        run: The run.
        state: How it ends when nothing stopped it.
        lack: What it could not continue without, if no order failed: the message, with exit code 4.
        note: The message otherwise.

    Returns:
        The outcome.

    Raises:
        StopRunError: No further order could succeed; the report was written.
        InterruptError: Somebody interrupted it.
    """
    stop = run.buyer.closed_by or run.buyer.stopped_by
    if isinstance(stop, InterruptError) and await is_given_up(run):
        raise await _close_cancelled(run)
    state = "stopped" if stop else "waiting" if run.is_out else state
    if isinstance(stop, InterruptError):
        run.ledger.runs.end(run.run_id, state, datetime.now(UTC))
        raise stop
    outcome = await _report(
        run, state, lambda outcome: _with_reason(replace(outcome, message=note), run, lack)
    )
    run.ledger.slots.end_run(run.run_id)  # an interrupted run keeps its slot: the next slot resumes it
    if isinstance(stop, StopRunError):
        raise stop
    return outcome


async def awaits_review(run: Session) -> bool:
    """Whether a person still has to decide: not once every finalist has been bought."""
    counts = run.ledger.orders.counts(run.run_id)
    if not any(stage == "final" and state != "planned" for stage, state in counts):
        return True
    priced = await asyncio.to_thread(price_promotion, run.ledger, run.prepared)
    return bool(priced.n_finals or priced.left_out)


async def _report(run: Session, state: RunState, explain: Callable[[Outcome], Outcome]) -> Outcome:
    """Write the run's report and then its state, and show its outcome in Prefect.

    In this order a run that is over has its report, wherever this process is killed.
    """
    now = datetime.now(UTC)
    outcome, nights = await write_report(run, state, now)
    run.ledger.runs.end(run.run_id, state, now)
    outcome = explain(outcome)
    await show_outcome(run, outcome)
    link = report_link(outcome.folder, run.prepared.settings)
    emit_run_end(run, outcome, link, run.prepared.settings.today)
    if run.campaign.verdict.stop_when == "decided" and nights.get("winner"):
        emit_decided(outcome.campaign, outcome.run_id, nights)
    for arm, why in (nights.get("retiring") or {}).items():
        emit_retired(outcome.campaign, outcome.run_id, nights, arm, why)
    return outcome


async def _close_cancelled(run: Session) -> InterruptError:
    """Close a run that was given up for good; returns the error that ends its flow run."""
    n_out, _ = await end_batches(run) if run.is_out else (0, ())
    collect = f" Collect what is at the provider: runoff cancel {run.run_id} --for-good." if n_out else ""
    reason = InterruptError(
        where=f"run {run.run_id}",
        what="was cancelled for good",
        money=f"What was bought is kept and reported: {run.folder / 'report.html'}.{collect}",
        next_step=f"Only this takes it up again: runoff run --resume {run.run_id}",
    )
    await _report(run, "cancelled", lambda outcome: outcome.stopped_by(reason))
    return reason


def _with_reason(outcome: Outcome, run: Session, lack: str) -> Outcome:
    """Add what stopped the run, or what it lacks or waits for, if anything."""
    if lack:
        outcome = replace(outcome, message=lack, exit_code=INCOMPLETE)
    if run.is_out:
        outcome = replace(outcome, message=waiting_message(run))
    stop = run.buyer.closed_by or run.buyer.stopped_by
    if isinstance(stop, BudgetError):
        outcome = outcome.stopped_by(_with_place(stop, run))
    return outcome


def _with_place(stop: BudgetError, run: Session) -> BudgetError:
    """Name the file in which the campaign's own budget can be raised for this run."""
    if stop.budget == LEDGER_PER_MONTH:
        return stop
    raise_it = f"Raise it in {run.folder / CAMPAIGN_FILE}{stop.or_else}"
    return BudgetError(
        budget=stop.budget,
        or_else=stop.or_else,
        where=stop.where,
        what=stop.what,
        money=stop.money,
        next_step=f"{raise_it}, then: runoff run --resume {run.run_id}",
    )


@as_task("report")
async def write_report(run: Session, state: RunState, now: datetime) -> tuple[Outcome, dict[str, Any]]:
    """Write the report of a run that ends now: see ``report_end``."""
    return await run.evaluate(report_end, state, now)
