"""How a run ends: its state, its report, what Prefect shows of it, and its exit code.

A run whose money is used up, or that was told that no order can succeed, still reports what it has; it is
``stopped`` and can be resumed. One that was interrupted only keeps its ledger right.
"""

import asyncio
from dataclasses import asdict, replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from prefect.artifacts import acreate_link_artifact, acreate_markdown_artifact, acreate_table_artifact

from flows.batch_lane import waiting_message
from flows.batches import as_task
from flows.open_run import OpenRun
from flows.outcome import Outcome, outcome_of
from flows.run_report import write_run_report
from tasks.errors import BudgetError, InterruptError, StopRunError
from tasks.home import CAMPAIGN_FILE
from tasks.ledger.runs import RunState
from tasks.money import format_usd

MOST_FINALISTS_SHOWN = 200


async def close_run(run: OpenRun, *, state: RunState) -> dict[str, Any]:
    """End a run: write its state and its report, and show both in Prefect.

    Args:
        run: The run.
        state: How it ends when nothing stopped it.

    Returns:
        ``flows.outcome.Outcome`` as a mapping.

    Raises:
        StopRunError: No further order could succeed; the report was written.
        InterruptError: Somebody interrupted it.
    """
    stop = run.desk.closed_by
    state = "waiting" if run.is_out else state
    run.ledger.runs.end(run.run_id, "stopped" if stop else state, datetime.now(UTC))
    if isinstance(stop, InterruptError):
        raise stop
    all_high_usd = await report(run)
    outcome = outcome_of(run.ledger, run.prepared.home, run.ledger.runs.find(run.run_id))
    outcome = replace(outcome, all_high_usd=all_high_usd)
    if run.is_out:
        outcome = replace(outcome, message=waiting_message(run))
    if isinstance(stop, BudgetError):
        outcome = outcome.stopped_by(_with_place(stop, run))
    await _show(run, outcome)
    run.ledger.slots.end_run(run.run_id)  # an interrupted run stays its slot's: the next turn takes it up
    if isinstance(stop, StopRunError):
        raise stop
    return asdict(outcome)


def _with_place(stop: BudgetError, run: OpenRun) -> BudgetError:
    """Name the file in which a campaign's own budget is raised for a run that was begun."""
    if "ledger" in stop.where:
        return stop
    return BudgetError(
        where=stop.where,
        what=stop.what,
        money=stop.money,
        next_step=f"Raise it in {run.folder / CAMPAIGN_FILE}, then: runoff run --resume {run.run_id}",
    )


async def _report(run: OpenRun) -> Decimal | None:
    """Write the run's report; returns what all drafts would have cost at high quality, dollars."""
    record = run.ledger.runs.find(run.run_id)
    written = await asyncio.to_thread(write_run_report, run.prepared.home, record, run.ledger)
    return written.facts.all_high_usd


report = as_task(_report, name="report")


async def _show(run: OpenRun, outcome: Outcome) -> None:
    """Leave a summary, a table of finalists and a link to the report in Prefect."""
    key = run.campaign.name
    await acreate_markdown_artifact(key=f"{key}-report", markdown=_markdown(outcome))
    finalists = [_finalist_row(run, row) for row in outcome.finalists[:MOST_FINALISTS_SHOWN]]
    await acreate_table_artifact(key=f"{key}-finalists", table=finalists)
    await acreate_link_artifact(
        key=f"{key}-page", link=(run.folder / "report.html").as_uri(), link_text="Report"
    )


def _finalist_row(run: OpenRun, row: dict[str, Any]) -> dict[str, Any]:
    return row | {"file": str(run.folder / row["file"])}


def _markdown(outcome: Outcome) -> str:
    counts = ", ".join(f"{count} {state}" for state, count in sorted(outcome.orders.items()))
    lines = [
        f"# {outcome.campaign} · {outcome.run_id}",
        f"**{outcome.state}** — {outcome.pictures} drafts, {outcome.duplicates} copies folded, "
        f"{len(outcome.finalists)} finalists, {outcome.accepted} finals accepted.",
        f"Spent {format_usd(outcome.spent_usd)}; orders: {counts}.",
    ]
    if outcome.message:
        lines.append(outcome.message)
    return "\n\n".join(lines)
