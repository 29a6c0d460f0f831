"""The end of a run: its state, its report, its Prefect artifacts and events, and its exit code.

A run whose budget is used up, or whose provider accepts no more orders, still writes its report; it is
``stopped`` and can be resumed. An interrupted run only records its state in the ledger.
"""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

from flows.prefect_ui.artifacts import report_link, show_outcome
from flows.prefect_ui.events import emit_run_end
from flows.run_report import write_run_report
from flows.runs.outcome import INCOMPLETE, Outcome, outcome_of
from flows.runs.run import StoredRun
from flows.session.session import Session
from flows.stages.batch_lane import waiting_message
from flows.stages.prefect_task import as_task
from tasks.errors import BudgetError, InterruptError, StopRunError
from tasks.ledger.budgets import LEDGER_PER_MONTH
from tasks.ledger.runs import RunState
from tasks.storage.home import CAMPAIGN_FILE


async def close_run(run: Session, *, state: RunState, lack: str = "", note: str = "") -> Outcome:
    """End a run: write its state and its report, and show both in Prefect.

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
    stop = run.buyer.closed_by
    state = "waiting" if run.is_out else state
    run.ledger.runs.end(run.run_id, "stopped" if stop else state, datetime.now(UTC))
    if isinstance(stop, InterruptError):
        raise stop
    all_high_usd, verdict = await write_report(run)
    outcome = outcome_of(_reread(run))
    outcome = replace(outcome, all_high_usd=all_high_usd, verdict=verdict, message=note)
    outcome = _with_reason(outcome, run, lack)
    await show_outcome(run, outcome)
    emit_run_end(run, outcome, report_link(outcome.folder), run.prepared.settings.today)
    run.ledger.slots.end_run(run.run_id)  # an interrupted run keeps its slot: the next slot resumes it
    if isinstance(stop, StopRunError):
        raise stop
    return outcome


def _with_reason(outcome: Outcome, run: Session, lack: str) -> Outcome:
    """Add what stopped the run, or what it lacks or waits for, if anything."""
    if lack:
        outcome = replace(outcome, message=lack, exit_code=INCOMPLETE)
    if run.is_out:
        outcome = replace(outcome, message=waiting_message(run))
    if isinstance(run.buyer.closed_by, BudgetError):
        outcome = outcome.stopped_by(_with_place(run.buyer.closed_by, run))
    return outcome


def _reread(run: Session) -> StoredRun:
    """Read the run again: its state and warnings have changed since it was opened."""
    return StoredRun.find(run.prepared.settings, run.ledger, run.run_id)


def _with_place(stop: BudgetError, run: Session) -> BudgetError:
    """Name the file in which the campaign's own budget can be raised for this run."""
    if stop.budget == LEDGER_PER_MONTH:
        return stop
    return BudgetError(
        budget=stop.budget,
        where=stop.where,
        what=stop.what,
        money=stop.money,
        next_step=f"Raise it in {run.folder / CAMPAIGN_FILE}, then: runoff run --resume {run.run_id}",
    )


@as_task("report")
async def write_report(run: Session) -> tuple[Decimal | None, str]:
    """Write the run's report; returns what all drafts cost at high quality (dollars), and the verdict."""
    written = await asyncio.to_thread(write_run_report, _reread(run))
    return written.facts.all_high_usd, written.verdict
