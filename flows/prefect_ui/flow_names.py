"""Names and tags of flow runs in Prefect's UI, by which one finds a run: its campaign, its day, its id.

``campaign · day or slot · run id``; tagged ``runoff``, with the campaign, with its owner, and at the end with
what became of the run. If the server does not take them, the run goes on without.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Literal

import httpx
from prefect.client.orchestration import get_client
from prefect.context import FlowRunContext
from prefect.exceptions import PrefectException
from prefect.runtime import flow_run

from flows.runs.reconciling import user_name

LIMIT_S = 5.0
"""How long the server may take for a name."""
OWNER = "by "
"""What the owner's tag begins with; a deployment's is whoever deployed it."""


Work = Literal["run", "finals", "more"]
"""What a flow run does: a whole run, only its finals, or more drafts of it."""


def flow_run_name(campaign: str, run_id: str | None = None, work: Work = "run") -> str:
    """Name the current flow run.

    Args:
        campaign: The campaign's name.
        run_id: The run, once it is known.
        work: What it does.
    """
    due_at = flow_run.scheduled_start_time or datetime.now(UTC)
    named = named_by_slot(campaign, due_at) if work == "run" else f"{campaign} · {work}"
    return f"{named} · {run_id}" if run_id else named


def named_by_slot(campaign: str, due_at: datetime) -> str:
    """Name a flow run that has no run yet, by its slot in UTC.

    Args:
        campaign: The campaign's name.
        due_at: When it is due, aware.
    """
    return f"{campaign} · {due_at.astimezone(UTC):%Y-%m-%d %H:%M}"


@asynccontextmanager
async def named_flow_run(campaign: str, run_id: str, work: Work) -> AsyncIterator[None]:
    """Name and tag the current flow run for as long as its work lasts; nothing waits for the server.

    Args:
        campaign: The campaign's name.
        run_id: The run.
        work: What it does.
    """
    naming = asyncio.create_task(_tell(campaign, flow_run_name(campaign, run_id, work)))
    try:
        yield
    finally:
        naming.cancel()
        await asyncio.gather(naming, return_exceptions=True)


async def tag_flow_run(campaign: str, outcome: str) -> None:
    """Tag the current flow run with what became of its run.

    Args:
        campaign: The campaign's name.
        outcome: The state of the run.
    """
    await _tell(campaign, None, [outcome])


async def _tell(campaign: str, name: str | None, more: Iterable[str] = ()) -> None:
    context = FlowRunContext.get()
    if context is None or context.flow_run is None:
        return
    known = set(context.flow_run.tags)
    owner = [tag for tag in known if tag.startswith(OWNER)] or [f"{OWNER}{user_name()}"]
    tags = sorted(known | {"runoff", campaign, *owner, *more})
    with contextlib.suppress(httpx.HTTPError, PrefectException, TimeoutError):
        async with asyncio.timeout(LIMIT_S), get_client() as client:
            await client.update_flow_run(context.flow_run.id, name=name, tags=tags)
