"""Prefect's side of an approval: flow runs of a campaign's deployment, executed here, and their forms.

    python -m tests.approval_drive CAMPAIGN HOME '[[ANSWER, …], …]'

Executes a new flow run; then, for each list of answers, looks at its form, gives the answers until the server
takes one, and executes the flow run again. Prints what was seen as JSON.
"""

import asyncio
import json
import sys
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from prefect.client.orchestration import PrefectClient, get_client
from prefect.client.schemas.objects import FlowRun
from prefect.exceptions import Pause
from prefect.flow_engine import run_flow_async

from flows.deployments import deployment_of
from flows.prototype import prototype
from tasks.campaign_file import load_campaign
from tasks.catalogue import load_catalogue
from tasks.ledger import open_ledger
from tasks.providers import load_providers

BOB_CONFIRMS = "Bob confirms on the page"
Seen = dict[str, Any]


async def drive(file: Path, home: Path, rounds: list[list[Any]]) -> list[Seen]:
    """Execute a flow run, answer and execute it again; returns what was seen after each execution."""
    campaign = load_campaign(file, load_catalogue(home), load_providers(home))
    deployment_id = await deployment_of(campaign, file, home).aapply()
    async with get_client() as client:
        flow_run = await client.create_flow_run_from_deployment(deployment_id)
        seen = [await execute(client, flow_run)]
        for answers in rounds:
            form = await read_form(client, seen[-1])
            replies = []
            for answer in answers:
                if answer == BOB_CONFIRMS:
                    confirm_on_page(home)
                    continue
                reply = await client._client.post(
                    f"/flow_runs/{flow_run.id}/resume", json={"run_input": answer}
                )
                replies.append({"code": reply.status_code, **reply.json()})
            seen.append({**form, "replies": replies, **await execute(client, flow_run)})
    return seen


def confirm_on_page(home: Path) -> None:
    """Let Bob choose one draft and agree to buy it, as the review page writes it down."""
    with open_ledger(home) as ledger:
        run = ledger.runs.find("latest")
        draft = ledger.candidates.of_run(run.run_id, "draft")[0]
        now = datetime.now(UTC)
        ledger.shortlists.choose(run.run_id, [draft.candidate_id], after=0, by="Bob", now=now)
        ledger.shortlists.confirm(run.run_id, 1, by="Bob", now=now)


async def execute(client: PrefectClient, flow_run: FlowRun) -> Seen:
    """Execute a flow run as a worker's child does, unless the server wants it no more."""
    known = await client.read_flow_run(flow_run.id)
    assert known.state is not None
    if known.state.is_scheduled():
        with suppress(Pause):
            await run_flow_async(prototype, flow_run=known, parameters=known.parameters, return_type="state")
    state = (await client.read_flow_run(flow_run.id)).state
    assert state is not None
    return {
        "flow_run_id": str(flow_run.id),
        "type": state.type.value,
        "name": state.name,
        "message": state.message,
        "keys": state.state_details.run_input_keyset,
        "expires": state.state_details.pause_timeout,
    }


async def read_form(client: PrefectClient, seen: Seen) -> Seen:
    """Read the form that a suspended flow run shows; nothing where there is none."""
    if not seen["keys"]:
        return {}
    path = f"/flow_runs/{seen['flow_run_id']}/input"
    schema = (await client._client.get(f"{path}/{seen['keys']['schema']}")).json()
    told = (await client._client.get(f"{path}/{seen['keys']['description']}")).json()
    return {"schema": schema, "told": told}


if __name__ == "__main__":
    watched = asyncio.run(drive(Path(sys.argv[1]), Path(sys.argv[2]), json.loads(sys.argv[3])))
    sys.stdout.write(json.dumps(watched, default=str) + "\n")
