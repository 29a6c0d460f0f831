"""``approval: prefect`` under a real ``runoff serve``: suspended in one process, gone on with in another."""

import subprocess
import sys
from pathlib import Path
from uuid import UUID

import pytest
from prefect.client.orchestration import SyncPrefectClient

from tests.integration.test_serve import MINUTE_LIMIT_S, SERVE_PROGRAM, client_of, wait_until, write_campaign
from tests.support.ledgers import open_ledger

ANSWER = {"approve": "yes", "decided_by": "Ann"}


@pytest.mark.slow
def test_a_served_run_holds_no_process_until_it_is_answered(tmp_path: Path) -> None:
    """Its place is free while it is suspended; answered, it is started again and buys one final."""
    yearly = {"cron": "0 6 1 1 *"}
    file = write_campaign(tmp_path, schedule=yearly, finalists={"count": 1, "approval": "prefect"})
    home, said = tmp_path / "home", tmp_path / "said.txt"
    command = [sys.executable, "-c", SERVE_PROGRAM, str(file), str(home)]
    with said.open("wb") as out, subprocess.Popen(command, stdout=out, stderr=subprocess.STDOUT) as process:
        try:
            wait_until(lambda: "stop with Ctrl-C" in said.read_text(), MINUTE_LIMIT_S)
            with client_of(home) as client:
                first = start(client)
                wait_until(lambda: state_of(client, first) == "Suspended", MINUTE_LIMIT_S)
                second = start(client)
                wait_until(lambda: state_of(client, second) == "Suspended", MINUTE_LIMIT_S)
                assert client.resume_flow_run(first, run_input={"approve": "yes"}).status.value == "REJECT"
                assert client.resume_flow_run(first, run_input=ANSWER).status.value == "ACCEPT"
                wait_until(lambda: state_of(client, first) == "Completed", MINUTE_LIMIT_S)
                assert state_of(client, second) == "Suspended"
        finally:
            process.terminate()
            process.wait(30)
    with open_ledger(home) as ledger:
        runs = {run.state: run.run_id for run in ledger.runs.all()}
        finals = ledger.candidates.of_run(runs["done"], "final")
    assert runs.keys() == {"done", "awaiting review"}
    assert len(finals) == 1


def start(client: SyncPrefectClient) -> UUID:
    """Start the campaign's deployment once."""
    deployment = client.read_deployment_by_name("prototype/every-minute")
    return client.create_flow_run_from_deployment(deployment.id).id


def state_of(client: SyncPrefectClient, flow_run_id: UUID) -> str | None:
    """Read the name of a flow run's state."""
    state = client.read_flow_run(flow_run_id).state
    return state.name if state else None
