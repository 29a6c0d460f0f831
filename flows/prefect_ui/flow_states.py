"""States, results and retries of flow runs, and the slot that a flow run belongs to."""

import asyncio
import contextlib
import logging
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any, cast

import httpx
from prefect.client.orchestration import get_client
from prefect.client.schemas.objects import FlowRunPolicy, State
from prefect.context import FlowRunContext
from prefect.exceptions import Pause, PrefectException
from prefect.logging import get_run_logger
from prefect.runtime import deployment, flow_run
from prefect.states import Completed, Failed

from flows.prefect_ui.artifacts import report_link
from flows.runs.outcome import Outcome, Skipped
from flows.schedule.take_slot import Starter
from tasks.errors import BudgetError, LedgerError, RunoffError
from tasks.money import format_usd
from tasks.settings import Settings

RETRIES = 2
RETRY_AFTER_S = 60.0
NAME_S = 5.0
"""How long the server may take for the name of a state."""
AWAITING = "Awaiting review"
STATE_NAMES = {
    "awaiting review": AWAITING,
    "stopped": "Stopped",
    "waiting": "Waiting for a batch",
    "cancelled": "Cancelled",
}
"""Prefect's name of a state, where that of the run says more than ``Completed``."""


def current_starter(*, is_scheduled: bool) -> Starter | None:
    """Find the slot that started this flow run; ``None`` if a person started it."""
    name = deployment.name
    if not is_scheduled and name is None:
        return None
    flow_run_id = str(flow_run.id)
    due_at = flow_run.scheduled_start_time or datetime.now(UTC)
    return Starter(str(name or flow_run_id), due_at, flow_run_id)


def flow_result(outcome: Outcome | Skipped, settings: Settings | None = None) -> dict[str, Any]:
    """Convert an outcome to a flow's result, a mapping, in a state that says what became of the run.

    If no run was made, the flow run's log gives the reason too.

    Args:
        outcome: What became of it.
        settings: The environment, for the address in the message.
    """
    if isinstance(outcome, Outcome):
        state: State[dict[str, Any]] = Completed(
            name=state_name(outcome), message=state_message(outcome, settings), data=asdict(outcome)
        )
    else:
        get_run_logger().warning(outcome.message)
        data = {"state": "skipped", "message": outcome.message, "exit_code": 0}
        state = Completed(name=outcome.name, message=outcome.message, data=data)
    return cast("dict[str, Any]", state)  # Prefect hands the caller its data


def state_name(outcome: Outcome) -> str:
    """Name the state of the flow run of an outcome; ``Completed`` where nothing is left to do."""
    if outcome.exit_code == BudgetError.exit_code:
        return "Out of money"
    if outcome.state == "done" and outcome.pictures and not outcome.finalists and not outcome.finals:
        return "Nothing to choose"
    return STATE_NAMES.get(outcome.state, "Completed")


def state_message(outcome: Outcome, settings: Settings | None = None) -> str:
    """Say in a few sentences what became of a run: its verdict, what it spent, what it waits for, and where.

    Args:
        outcome: What became of it.
        settings: The environment, for the address.
    """
    where = report_link(outcome.folder, settings)
    parts = (
        outcome.verdict,
        f"Spent {format_usd(outcome.spent_usd)}.",
        outcome.decide,
        where,
        outcome.message,  # it may end in a command
    )
    return " ".join(filter(None, parts))


def end_line(outcome: Outcome, settings: Settings) -> str:
    """Say in one line what became of a run, for a log: what awaits whom, or what it spent, and where."""
    where = report_link(outcome.folder, settings)
    if outcome.state == "awaiting review":
        return " ".join(filter(None, (f"awaits review at {where}.", outcome.decide)))
    name = state_name(outcome)
    ended = (f"{outcome.state if name == 'Completed' else name.lower()}.", state_message(outcome, settings))
    return " ".join(ended)


async def name_suspended(pause: Pause, outcome_message: str) -> None:
    """Give the state of a suspended flow run its own name, and its end the level of what is no error.

    Args:
        pause: What Prefect raised to suspend it.
        outcome_message: What it waits for.
    """
    logging.getLogger("prefect.flow_runs").addFilter(_as_information)
    context, state = FlowRunContext.get(), pause.state
    if context is None or context.flow_run is None or state is None:
        return
    named = state.model_copy(update={"name": AWAITING, "message": outcome_message})
    with contextlib.suppress(httpx.HTTPError, PrefectException, TimeoutError):
        async with asyncio.timeout(NAME_S), get_client() as client:
            await client.set_flow_run_state(context.flow_run.id, named, force=True)


def _as_information(record: logging.LogRecord) -> bool:
    """Lower the next error to information: Prefect calls each end but a completed one an error."""
    if record.levelno == logging.ERROR:
        record.levelno, record.levelname = logging.INFO, logging.getLevelName(logging.INFO)
        logging.getLogger(record.name).removeFilter(_as_information)
    return True


def failed_result(error: RunoffError) -> dict[str, Any]:
    """Convert an error that people can act on to a flow's result: a failed state with its own words.

    Args:
        error: Why the flow run failed.
    """
    state: State[Any] = Failed(message=str(error), data=error)
    return cast("dict[str, Any]", state)


def is_final(error: Exception) -> bool:
    """Whether a retry cannot help: with a full disk, a wrong file, a rejected key or a used-up budget."""
    return isinstance(error, RunoffError) and not isinstance(error, LedgerError)


async def allow_retries(error: Exception) -> None:
    """Let Prefect retry a failed flow run if a retry can help.

    Unexpected errors and an unreachable ledger may be temporary; the retry then resumes the same run.
    """
    if is_final(error):
        return
    policy = FlowRunPolicy(retries=RETRIES, retry_delay=int(RETRY_AFTER_S))
    async with get_client() as client:
        await client.update_flow_run(flow_run.id, empirical_policy=policy)
