"""``approval: prefect`` under a real ``runoff serve``: suspended in one process, gone on with in another."""

import signal
from pathlib import Path
from uuid import UUID

import pytest
from prefect.client.orchestration import SyncPrefectClient

from tests.support.child_process import wait_until
from tests.support.ledgers import open_ledger
from tests.support.serving import client_of, serving_campaign

ANSWER = {"approve": "yes", "decided_by": "Ann"}


@pytest.mark.long  # among the slow tests: an answer in Prefect, in test_approval_in_prefect.py
def test_a_served_run_holds_no_process_until_it_is_answered(tmp_path: Path) -> None:
    """Its place is free while it is suspended; answered, it is started again and buys one final."""
    yearly = {"cron": "0 6 1 1 *"}
    answered = {"count": 1, "approval": "prefect"}
    with serving_campaign(tmp_path, schedule=yearly, finalists=answered) as served:
        served.wait_for("stop with Ctrl-C")
        with client_of(served.home) as client:
            first = start(client)
            wait_until(lambda: state_of(client, first) == "Awaiting review", every_s=0.5)
            second = start(client)
            wait_until(lambda: state_of(client, second) == "Awaiting review", every_s=0.5)
            assert client.resume_flow_run(first, run_input={"approve": "yes"}).status.value == "REJECT"
            assert client.resume_flow_run(first, run_input=ANSWER).status.value == "ACCEPT"
            wait_until(lambda: state_of(client, first) == "Completed", every_s=0.5)
            assert state_of(client, second) == "Awaiting review"
        served.stop(signal.SIGTERM)
    home = served.home
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
