"""States, results and retries of flow runs, and the slot that a flow run belongs to."""

from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any, cast

from prefect.client.orchestration import get_client
from prefect.client.schemas.objects import FlowRunPolicy, State
from prefect.logging import get_run_logger
from prefect.runtime import deployment, flow_run
from prefect.states import Completed

from flows.runs.outcome import Outcome, Skipped
from flows.schedule.take_slot import Starter
from tasks.errors import LedgerError, RunoffError

RETRIES = 2
RETRY_AFTER_S = 60.0


def current_starter(*, is_scheduled: bool) -> Starter | None:
    """Find the slot that started this flow run; ``None`` if a person started it."""
    name = deployment.name
    if not is_scheduled and name is None:
        return None
    flow_run_id = str(flow_run.id)
    due_at = flow_run.scheduled_start_time or datetime.now(UTC)
    return Starter(str(name or flow_run_id), due_at, flow_run_id)


def flow_result(outcome: Outcome | Skipped) -> dict[str, Any]:
    """Convert an outcome to a flow's result, a mapping.

    If no run was made, the flow run's state and log give the reason too.
    """
    if isinstance(outcome, Outcome):
        return asdict(outcome)
    get_run_logger().warning(outcome.message)
    data = {"state": "skipped", "message": outcome.message, "exit_code": 0}
    state: State[dict[str, Any]] = Completed(name=outcome.name, message=outcome.message, data=data)
    return cast("dict[str, Any]", state)  # Prefect hands the caller its data


async def allow_retries(error: Exception) -> None:
    """Let Prefect retry a failed flow run if a retry can help.

    It cannot help with a full disk, a wrong file, a rejected key or a used-up budget. Unexpected errors and
    an unreachable ledger may be temporary; the retry then resumes the same run.
    """
    if isinstance(error, RunoffError) and not isinstance(error, LedgerError):
        return
    policy = FlowRunPolicy(retries=RETRIES, retry_delay=int(RETRY_AFTER_S))
    async with get_client() as client:
        await client.update_flow_run(flow_run.id, empirical_policy=policy)
