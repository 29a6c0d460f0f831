"""Prefect's side of an approval: flow runs of a campaign's deployment, executed here, and their forms.

    python -m tests.support.approval_drive CAMPAIGN HOME '[[[ANSWER, …], …], …]'

For each list of rounds: executes a new flow run; then, for each round, looks at its form, gives the answers,
starts to serve as after a stop, and executes the flow run again. Prints what was seen as JSON, one list
for each flow run.
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
from flows.serving import skip_missed
from tasks.campaign_file.load import load_campaign
from tasks.catalogue import load_catalogue
from tasks.catalogue.providers import load_providers
from tests.support.ledgers import open_ledger

BOB_CONFIRMS = "Bob confirms on the page"
Seen = dict[str, Any]


async def drive(file: Path, home: Path, flow_runs: list[list[list[Any]]]) -> list[list[Seen]]:
    """Execute flow runs, answer and execute them again; returns what was seen after each execution."""
    campaign = load_campaign(file, load_catalogue(home), load_providers(home))
    deployment = deployment_of(campaign, file, home)
    deployment_id = await deployment.aapply()
    seen: list[list[Seen]] = []
    async with get_client() as client:
        for rounds in flow_runs:
            flow_run = await client.create_flow_run_from_deployment(deployment_id)
            seen.append([await execute(client, flow_run)])
            for answers in rounds:
                form = await read_form(client, seen[-1][-1])
                replies = [await give(client, flow_run, home, answer) for answer in answers]
                await asyncio.to_thread(skip_missed, [deployment], lambda _: None)  # `serve` is started anew
                seen[-1].append({**form, "replies": replies, **await execute(client, flow_run)})
    return seen


async def give(client: PrefectClient, flow_run: FlowRun, home: Path, answer: Any) -> Seen:
    """Answer a form as another program does; or let Bob decide elsewhere."""
    if answer == BOB_CONFIRMS:
        confirm_on_page(home)
        return {}
    reply = await client._client.post(f"/flow_runs/{flow_run.id}/resume", json={"run_input": answer})
    return {"code": reply.status_code, **reply.json()}


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
