"""What a dead process left of a run is put right: its open orders are settled, and it is marked ``stopped``.

Prefect calls the hook when a flow run failed or crashed, in whatever process notices. A run that is still
worked on holds its lock, and is left alone.
"""

import os
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from flows.runs.lock import bring_campaign, held_run
from flows.runs.run import StoredRun
from tasks.errors import RunError, RunoffError
from tasks.ledger import Ledger, has_ledger, open_ledger
from tasks.settings import Settings

if TYPE_CHECKING:
    from prefect import Flow
    from prefect.client.schemas.objects import FlowRun, State


def put_right(ledger: Ledger, settings: Settings, run_id: str) -> bool:
    """Settle what a dead process left of a run; returns whether there was such a run.

    Orders whose pictures are whole become ``received``, the others ``unknown``: they may have been billed.
    """
    from tasks.images_api.answer_store import recover_sent
    from tasks.images_api.terms import Terms

    run = StoredRun.find(settings, ledger, run_id)
    if run.record.state != "running" or not bring_campaign(run.folder).exists():
        return False
    try:
        with held_run(ledger, run.folder):
            terms = Terms(run.providers.provider(run.record.provider), run.catalogue, settings.environ)
            recover_sent(ledger, run.run_id, run.folder, terms)
            ledger.runs.end(run.run_id, "stopped", datetime.now(UTC))
    except RunError:  # somebody works on it
        return False
    return True


def leave_ledger_right(flow: "Flow[..., Any]", flow_run: "FlowRun", state: "State[Any]") -> None:  # noqa: ARG001
    """Put right what a failed or crashed flow run left; Prefect's hook."""
    settings = Settings.of(flow_run.parameters.get("home"), os.environ)
    if not has_ledger(settings.home, settings.environ):
        return
    try:
        with open_ledger(settings.home, settings.environ) as ledger:
            run_id = ledger.slots.run_of(str(flow_run.id)) or flow_run.parameters.get("run_id")
            if run_id is not None:
                put_right(ledger, settings, run_id)
    except RunoffError as error:  # the flow run has failed already, and says why
        from prefect.logging import get_logger

        get_logger("runoff").warning("The ledger was not put right: %s", error)
