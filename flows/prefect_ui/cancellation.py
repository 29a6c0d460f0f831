"""A flow run that somebody cancels in Prefect: its run is given up for good, not left for the next slot.

Prefect's worker ends the flow run's process, which asks the server why; a flow run that no worker started is
not ended by Prefect, so that it looks now and then itself. The hook deals with a process that was killed.
"""

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

import httpx
from prefect.client.orchestration import PrefectClient, get_client
from prefect.client.schemas.filters import FlowRunFilter
from prefect.client.schemas.objects import StateType
from prefect.context import FlowRunContext
from prefect.logging import get_logger

from flows.engine.recorded_run import leave_when_unrecorded
from flows.prefect_ui.flow_names import Work, named_flow_run
from flows.prefect_ui.run_log import logged_run
from flows.runs.recovery import run_of_flow_run
from flows.session.cancelling import give_up
from flows.session.head_start import taken_over
from flows.session.session import Purpose, Session
from flows.session.traced_run import link_to_trace_before, note_end, traced_run
from tasks.campaign.succession import EVERY_PART, FINALS
from tasks.errors import InterruptError, RunoffError
from tasks.ledger import has_ledger, open_ledger
from tasks.settings import Settings

if TYPE_CHECKING:
    from prefect import Flow
    from prefect.client.schemas.objects import FlowRun, State

    from flows.session.prepare import Prepared

GIVEN_UP = (StateType.CANCELLING, StateType.CANCELLED)
LOOK_S = 5.0
ANSWER_S = 5.0
"""How long the server may take to say whether the flow run was cancelled."""


@asynccontextmanager
async def open_cancellable(prepared: "Prepared", purpose: Purpose = "go on") -> AsyncIterator[Session]:
    """Open a session that also ends when its flow run is cancelled in Prefect.

    Args:
        prepared: The prepared run.
        purpose: What it is opened for.

    Raises:
        RunoffError: See ``open_session``.
    """
    work: Work = "run" if prepared.needed == EVERY_PART else "finals" if prepared.needed == FINALS else "more"
    try:
        async with (
            named_flow_run(prepared.campaign.name, prepared.run_id, work),
            traced_run(prepared) as made,
            open_logged(prepared, purpose) as run,
        ):
            link_to_trace_before(made, run.folder)
            looking = asyncio.create_task(_give_up_when_cancelled(run))
            try:
                yield run
            finally:
                looking.cancel()
                await asyncio.gather(looking, return_exceptions=True)
                note_end(made, run)
    except InterruptError:
        leave_when_unrecorded()
        raise


@asynccontextmanager
async def open_logged(prepared: "Prepared", purpose: Purpose) -> AsyncIterator[Session]:
    """Open a session whose lines are in Prefect's log of the flow run, too.

    Args:
        prepared: The prepared run.
        purpose: What it is opened for.
    """
    with logged_run(prepared):
        async with taken_over(prepared, purpose) as run:
            yield run


async def is_given_up(run: Session) -> bool:
    """Whether the run was given up for good, in the ledger or by cancelling its flow run in Prefect."""
    if not run.ledger.runs.is_cancelled(run.run_id) and await _is_cancelled_in_prefect():
        run.ledger.runs.cancel(run.run_id, datetime.now(UTC))
    return run.ledger.runs.is_cancelled(run.run_id)


async def _give_up_when_cancelled(run: Session) -> None:
    """Look at the server now and then; the session stops once the ledger has the run as cancelled."""
    while not await _is_cancelled_in_prefect():
        await asyncio.sleep(LOOK_S)
    run.ledger.runs.cancel(run.run_id, datetime.now(UTC))


async def _is_cancelled_in_prefect() -> bool:
    """Whether this flow run is cancelled; no if the server does not say so in time."""
    context = FlowRunContext.get()
    if context is None or context.flow_run is None:
        return False
    client = context.client
    if not isinstance(client, PrefectClient):
        return False
    with contextlib.suppress(httpx.HTTPError, TimeoutError):
        async with asyncio.timeout(ANSWER_S):
            state = (await client.read_flow_run(context.flow_run.id)).state
        return state is not None and state.type in GIVEN_UP
    return False


async def give_up_runs_cancelled_before(settings: Settings, campaign: str) -> None:
    """Give up the left runs of a campaign whose flow runs were cancelled while nobody could close them.

    Their worker was killed too, so that no hook ran; the next slot would take them up. A server that does not
    answer is passed over.

    Args:
        settings: The home and the environment.
        campaign: The campaign's name.
    """
    left = await asyncio.to_thread(_left_runs, settings, campaign)
    if not left:
        return
    wanted = FlowRunFilter.model_validate({"id": {"any_": list(left)}, "state": {"type": {"any_": GIVEN_UP}}})
    try:
        async with asyncio.timeout(ANSWER_S), get_client() as client:
            cancelled = await client.read_flow_runs(flow_run_filter=wanted)
    except (httpx.HTTPError, TimeoutError):
        return
    for flow_run in cancelled:
        given_up = await asyncio.to_thread(give_up, settings, left[flow_run.id])
        get_logger("runoff").info(given_up.sentence)


def _left_runs(settings: Settings, campaign: str) -> dict[UUID, str]:
    """Find the runs of a campaign's open slots by the flow runs that began them."""
    if not has_ledger(settings.home, settings.environ):
        return {}
    with open_ledger(settings.home, settings.environ) as ledger:
        begun = {run.run_id for run in ledger.runs.all()}
        slots = [slot for slot in ledger.slots.all() if slot.state == "open" and slot.campaign == campaign]
    left = {}
    for slot in slots:
        with contextlib.suppress(ValueError):  # begun by something else than a flow run
            if slot.run_id in begun:
                left[UUID(slot.started_by)] = slot.run_id
    return left


def give_up_cancelled_flow_run(flow: "Flow[..., Any]", flow_run: "FlowRun", state: "State[Any]") -> None:  # noqa: ARG001
    """Give up the run of a flow run that was cancelled, after its process has ended; Prefect's hook.

    Args:
        flow: The flow; not used.
        flow_run: The flow run.
        state: Its state; not used.
    """
    settings = Settings.of(flow_run.parameters.get("home"), os.environ)
    try:
        if run_id := run_of_flow_run(settings, flow_run):
            get_logger("runoff").info(give_up(settings, run_id).sentence)
    except RunoffError as error:
        get_logger("runoff").warning("The run could not be given up: %s", error)
