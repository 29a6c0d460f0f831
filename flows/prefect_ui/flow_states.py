"""What Prefect is told of a run that a schedule starts: its slot, its states, and whether to try again."""

from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any, cast

from prefect.client.orchestration import get_client
from prefect.client.schemas.objects import FlowRunPolicy, State
from prefect.logging import get_run_logger
from prefect.runtime import deployment, flow_run
from prefect.states import Completed

from flows.runs.outcome import Outcome, Skipped
from flows.schedule.slots import Starter
from tasks.errors import LedgerError, RunoffError

RETRIES = 2
RETRY_AFTER_S = 60.0


def current_starter(*, is_scheduled: bool) -> Starter | None:
    """Find whose turn the flow run is; ``None`` when a person started it by hand."""
    name = deployment.name
    if not is_scheduled and name is None:
        return None
    flow_run_id = str(flow_run.id)
    due_at = flow_run.scheduled_start_time or datetime.now(UTC)
    return Starter(str(name or flow_run_id), due_at, flow_run_id)


def flow_result(outcome: Outcome | Skipped) -> dict[str, Any]:
    """Make what a flow returns of what came of it: a mapping.

    That no run was made, and why, is said in the flow run's state and log too.
    """
    if isinstance(outcome, Outcome):
        return asdict(outcome)
    get_run_logger().warning(outcome.message)
    data = {"state": "skipped", "message": outcome.message, "exit_code": 0}
    state: State[dict[str, Any]] = Completed(name=outcome.name, message=outcome.message, data=data)
    return cast("dict[str, Any]", state)  # Prefect hands the caller its data


async def allow_retries(error: Exception) -> None:
    """Let Prefect try a failed flow run again, where trying again can help.

    A full disk, a wrong file, a key that is refused or a budget that is used up stay what they are. Whatever
    nobody foresaw, and a ledger that could not be reached, may pass; the same run then goes on.
    """
    if isinstance(error, RunoffError) and not isinstance(error, LedgerError):
        return
    policy = FlowRunPolicy(retries=RETRIES, retry_delay=int(RETRY_AFTER_S))
    async with get_client() as client:
        await client.update_flow_run(flow_run.id, empirical_policy=policy)
