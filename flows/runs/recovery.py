"""Recovery of a run whose process died: its open orders are settled, and it is marked ``stopped``.

Prefect calls the hook when a flow run failed or crashed, in the process that notices. A run whose lock
is held is not changed.
"""

import os
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from flows.runs.lock import fetch_campaign, locked_run
from flows.runs.run import StoredRun
from tasks.errors import RunError, RunoffError
from tasks.ledger import Ledger, has_ledger, open_ledger
from tasks.settings import Settings

if TYPE_CHECKING:
    from prefect import Flow
    from prefect.client.schemas.objects import FlowRun, State


def settle_dead_run(ledger: Ledger, settings: Settings, run_id: str) -> bool:
    """Settle the open orders of a run whose process died; returns whether it was such a run.

    Orders whose pictures are complete become ``received``, the others ``unknown``: they may have been billed.

    Args:
        ledger: The ledger.
        settings: The home and the environment.
        run_id: The run.
    """
    from tasks.images_api.recover_sent import recover_sent
    from tasks.images_api.terms import Terms

    run = StoredRun.find(settings, ledger, run_id)
    if run.record.state != "running" or not fetch_campaign(run.folder).exists():
        return False
    try:
        with locked_run(ledger, run.folder):
            terms = Terms(run.providers.provider(run.record.provider), run.catalogue, settings.environ)
            recover_sent(ledger, run.run_id, run.folder, terms)
            ledger.runs.end(run.run_id, "stopped", datetime.now(UTC))
    except RunError:  # another process holds the lock
        return False
    return True


def settle_failed_flow_run(flow: "Flow[..., Any]", flow_run: "FlowRun", state: "State[Any]") -> None:  # noqa: ARG001
    """Settle the run of a failed or crashed flow run; Prefect's hook.

    Args:
        flow: The flow; not used.
        flow_run: The flow run.
        state: Its final state; not used.
    """
    settings = Settings.of(flow_run.parameters.get("home"), os.environ)
    if not has_ledger(settings.home, settings.environ):
        return
    try:
        with open_ledger(settings.home, settings.environ) as ledger:
            run_id = ledger.slots.run_of(str(flow_run.id)) or flow_run.parameters.get("run_id")
            if run_id is not None:
                settle_dead_run(ledger, settings, run_id)
    except RunoffError as error:  # the flow run has failed already, with its own reason
        from prefect.logging import get_logger

        get_logger("runoff").warning("The ledger could not be updated: %s", error)
