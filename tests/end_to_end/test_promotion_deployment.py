"""With a Prefect server set, confirming on the page hands the purchase to its workers, once."""

import json
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from flows.engine.prefect_server import PrefectServer
from flows.promotion.child_process import ChildPromoter
from flows.promotion.deployment import DeploymentPromoter
from tasks.errors import EngineError
from tasks.settings import Settings
from tests.support.prefect_server import prefect_server

RUN = "20261122-120000-abcd"


def tell(server: PrefectServer, path: str, body: dict[str, Any]) -> dict[str, Any]:
    """Tell the server something."""
    told = server.ask(path, body)
    assert told is not None
    return told


@contextmanager
def deployed(server: PrefectServer) -> Iterator[None]:
    """Let the server have a promote deployment for a while."""
    flow = tell(server, "/flows/", {"name": "promote"})
    one_at_a_time = {"concurrency_limit": 1, "concurrency_options": {"collision_strategy": "CANCEL_NEW"}}
    made = tell(server, "/deployments/", {"name": "promote", "flow_id": flow["id"]} | one_at_a_time)
    try:
        yield
    finally:
        address = f"{server.api_url}/deployments/{made['id']}"
        urllib.request.urlopen(urllib.request.Request(address, method="DELETE")).close()


def check_two_purchases_go_through(server: PrefectServer, promoter: DeploymentPromoter) -> None:
    """Two people confirm two runs at once: the second waits for the first, and is not cancelled."""
    states = []
    for run_id in (f"{RUN}2", f"{RUN}3"):
        promoter.start(run_id)
        made = promoter._flow_runs[run_id]
        for state in ("PENDING", "RUNNING"):
            told = tell(server, f"/flow_runs/{made}/set_state", {"state": {"type": state}})
        states.append((told.get("state") or {}).get("name"))
    assert states == ["Running", "AwaitingConcurrencySlot"]


class NotingChild(ChildPromoter):
    """A child that only notes what it should buy."""

    def __init__(self, home: Path) -> None:
        super().__init__(Settings(home, {}))
        self.started: list[str] = []

    def start(self, run_id: str) -> None:
        """Note it."""
        self.started.append(run_id)


@pytest.fixture
def quiet_server(tmp_path: Path) -> Iterator[str]:
    """A server that nobody else keeps busy: the 503 of one that is would be told here, not waited out."""
    with prefect_server(tmp_path / "server") as api_url:
        yield api_url


@pytest.mark.slow  # every day: a server that is away, below, and test_approval.py
def test_confirming_starts_the_deployment_or_else_a_child(quiet_server: str, tmp_path: Path) -> None:
    """Without the deployment a child buys; with it one flow run waits for a worker, and its end is told."""
    server = PrefectServer.of({"PREFECT_API_URL": quiet_server})
    assert server is not None
    child = NotingChild(tmp_path)
    promoter = DeploymentPromoter(tmp_path, server, child)
    promoter.start(RUN)
    assert (child.started, promoter.look(RUN)) == ([RUN], None)

    with deployed(server):
        promoter.start(RUN)
        assert child.started == [RUN]
        told = promoter.look(RUN)
        assert told is not None
        assert told.state == "running"
        request = urllib.request.Request(
            server.api_url + "/flow_runs/filter", json.dumps({}).encode(), dict(server.headers)
        )
        with urllib.request.urlopen(request) as answer:
            made = [one for one in json.load(answer) if RUN in one["tags"]]
        assert [one["parameters"] for one in made] == [{"run_id": RUN, "home": str(tmp_path)}]
        ended = {"state": {"type": "CRASHED", "message": "The worker went away."}, "force": True}
        tell(server, f"/flow_runs/{made[0]['id']}/set_state", ended)
        told = promoter.look(RUN)
        assert told is not None
        assert (told.state, told.message) == ("failed", "The worker went away.")
        check_two_purchases_go_through(server, promoter)


def test_a_server_that_is_away_is_told(tmp_path: Path) -> None:
    """Nothing is bought elsewhere in its place."""
    child = NotingChild(tmp_path)
    promoter = DeploymentPromoter(tmp_path, PrefectServer("http://127.0.0.1:1/api", {}), child)
    with pytest.raises(EngineError, match=r"does not answer\. .* Nothing was bought\. Start that server"):
        promoter.start(RUN)
    assert child.started == []
