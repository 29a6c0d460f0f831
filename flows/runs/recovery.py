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
from tasks.money import count_of
from tasks.settings import Settings

if TYPE_CHECKING:
    from prefect import Flow
    from prefect.client.schemas.objects import FlowRun, State


def lost_line(n_unknown: int, where: str = "when the run's last process ended") -> str:
    """Say how many requests were in flight when the process of a run died.

    Args:
        n_unknown: How many.
        where: Which process died.
    """
    requests = f"{count_of(n_unknown, 'request')} {'was' if n_unknown == 1 else 'were'}"
    return (
        f"{requests} in flight {where}, and may have been billed: recorded as "
        "unknown, charged at the estimate. See: runoff ledger unknown, runoff ledger reconcile"
    )


def settle_dead_run(ledger: Ledger, settings: Settings, run_id: str) -> int | None:
    """Settle the open orders of a run whose process died.

    Orders whose pictures are complete become ``received``, the others ``unknown``: they may have been billed.

    Args:
        ledger: The ledger.
        settings: The home and the environment.
        run_id: The run.

    Returns:
        How many orders became ``unknown``; ``None`` if no process of the run died.
    """
    from tasks.images_api.recover_sent import recover_sent
    from tasks.images_api.terms import Terms

    run = StoredRun.find(settings, ledger, run_id)
    if run.record.state not in ("running", "cancelled") or not fetch_campaign(run.folder).exists():
        return None
    try:
        with locked_run(ledger, run.folder):
            provider = run.providers.provider(run.record.provider)
            terms = Terms(provider, run.catalogue, settings.environ, run.providers)
            healed = recover_sent(ledger, run.run_id, run.folder, terms)
            ledger.runs.end(run.run_id, "stopped", datetime.now(UTC))
    except RunError:  # another process holds the lock
        return None
    return healed["unknown"]


def settle_failed_flow_run(flow: "Flow[..., Any]", flow_run: "FlowRun", state: "State[Any]") -> None:  # noqa: ARG001
    """Settle the run of a failed or crashed flow run; Prefect's hook.

    Args:
        flow: The flow; not used.
        flow_run: The flow run.
        state: Its final state; not used.
    """
    from prefect.logging import get_logger

    settings = Settings.of(flow_run.parameters.get("home"), os.environ)
    try:
        if run_id := run_of_flow_run(settings, flow_run):
            with open_ledger(settings.home, settings.environ) as ledger:
                if run_id not in {run.run_id for run in ledger.runs.all()}:
                    return  # it failed before its run began
                n_unknown = settle_dead_run(ledger, settings, run_id)
            if n_unknown:
                get_logger("runoff").warning("Run %s: %s", run_id, lost_line(n_unknown))
    except RunoffError as error:  # the flow run has failed already, with its own reason
        get_logger("runoff").warning("The ledger could not be updated: %s", error)


def run_of_flow_run(settings: Settings, flow_run: "FlowRun") -> str | None:
    """Find the run that a flow run worked on: that of its slot, or the one that it was given."""
    if not has_ledger(settings.home, settings.environ):
        return None
    with open_ledger(settings.home, settings.environ) as ledger:
        given = flow_run.parameters.get("run_id")
        return ledger.slots.run_of(str(flow_run.id)) or (ledger.runs.find(given).run_id if given else None)
