"""`runoff serve` lives on: killed in the middle of a run, without its server, beside a wrong file."""

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.objects import FlowRun

from flows.engine import start_engine
from flows.engine.registry import Registry
from flows.schedule.flow_run_process import is_at_work
from tasks.emulator.faults import FaultRule
from tasks.emulator.server import emulator_server
from tasks.emulator.settings import EmulatorSettings
from tests.support.child_process import wait_until
from tests.support.ledgers import open_ledger
from tests.support.postgresql_server import free_port
from tests.support.provider import KEY, Provider
from tests.support.shell import CAMPAIGN, COMMAND

N_DRAFTS, N_FINALS = 12, 2
NEVER_TODAY = {"cron": "0 6 1 1 *"}


@dataclass
class Serving:
    """Somebody who serves one good campaign and one wrong one."""

    folder: Path
    provider: Provider

    def __post_init__(self) -> None:
        """Write the files."""
        self.home, self.said = self.folder / "home", self.folder / "said.txt"
        self.good, self.wrong = self.folder / "good.yaml", self.folder / "wrong.yaml"
        self.good.write_text(yaml.safe_dump(CAMPAIGN | {"schedule": NEVER_TODAY}))
        self.wrong.write_text("name: wrong\n")

    def start(self) -> None:
        """Start, or start again."""
        kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
        settings = {
            "OPENAI_BASE_URL": self.provider.url, "OPENAI_API_KEY": KEY, "RUNOFF_IMAGES_PER_MINUTE": "100000",
        }  # fmt: skip
        if "PREFECT_API_URL" in os.environ:
            settings["PREFECT_API_URL"] = os.environ["PREFECT_API_URL"]
        with self.said.open("ab") as said:
            self.process = subprocess.Popen(
                [COMMAND, "serve", str(self.wrong), str(self.good), "--home", str(self.home)],
                stdout=said, stderr=subprocess.STDOUT, env=kept | settings, start_new_session=True,
            )  # fmt: skip

    def wait_for(self, text: str) -> str:
        """Wait until it said something, and return all it said."""
        wait_until(lambda: text in self.said.read_text(), told=self.said.read_text)
        return self.said.read_text()

    def kill(self) -> None:
        """Take it away with everything it started, as when the machine loses its power."""
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(30)

    @property
    def server_pid(self) -> int:
        """Find Prefect's server."""
        server = Registry(self.home / ".prefect").record()
        assert server is not None
        return server.pid

    @contextmanager
    def client(self) -> Iterator[SyncPrefectClient]:
        """Talk to its server."""
        with start_engine(self.home, print) as engine:
            engine.wait_ready()
            with get_client(sync_client=True) as client:
                yield client


@pytest.fixture
def open_serving(tmp_path: Path) -> Iterator[Callable[..., Serving]]:
    """Serve with a provider of any faults."""
    opened: list[tuple[Any, Serving]] = []

    def open_one(*faults: dict[str, Any], **settings: Any) -> Serving:
        rules = tuple(FaultRule(**fault) for fault in faults)
        emulator = emulator_server(EmulatorSettings(faults=rules, paint="plain", **settings))
        serving = Serving(tmp_path, Provider(emulator.__enter__()))
        opened.append((emulator, serving))
        serving.start()
        return serving

    yield open_one
    for emulator, serving in opened:
        serving.kill()
        emulator.__exit__(None, None, None)


def begun(serving: Serving, n_requests: int) -> FlowRun:
    """Start a run as Prefect's pages do, and wait until the provider has seen some of it."""
    serving.wait_for("stop with Ctrl-C")
    with serving.client() as client:
        deployment = client.read_deployment_by_name("prototype/otters")
        run = client.create_flow_run_from_deployment(deployment.id)
    wait_until(lambda: serving.provider.n_requests >= n_requests, told=serving.said.read_text)
    return run


@pytest.mark.slow  # every day: the next turn takes up a killed run, in test_slots_of_a_schedule.py
def test_a_killed_serve_goes_on_with_its_run_and_a_wrong_file_stops_nobody(
    open_serving: Callable[..., Serving],
) -> None:
    """Killed with a request under way; started again it finishes the run, and buys nothing twice."""
    serving = open_serving({"kind": "bill_then_hang", "nth": [3], "path": "generations", "duration_s": 300})
    said = serving.wait_for("stop with Ctrl-C")
    assert "otters (" in said
    assert "! Skipped; the others are not affected:" in said
    assert "wrong.yaml: budget" in said
    first = begun(serving, N_DRAFTS)
    time.sleep(1)  # what was answered is kept by now
    serving.kill()
    serving.start()
    serving.wait_for("resuming")

    def is_done() -> bool:
        with open_ledger(serving.home) as ledger:
            return [run.state for run in ledger.runs.all()] == ["done"]

    wait_until(is_done, told=serving.said.read_text)
    assert serving.provider.n_requests == N_DRAFTS + N_FINALS
    with open_ledger(serving.home) as ledger:
        assert ledger.verify(serving.home) == []
        (run,) = ledger.runs.all()
        assert sorted({record.state for record in ledger.orders.of_run(run.run_id)}) == [
            "received",
            "unknown",
        ]
    with serving.client() as client:
        wait_until(lambda: len(states_of(client, "COMPLETED")) == 1)
        state = client.read_flow_run(first.id).state
        shown = {artifact.key: artifact for artifact in client.read_artifacts()}
    with open_ledger(serving.home) as ledger:
        assert [slot.state for slot in ledger.slots.all()] == ["ended"]
    assert {"otters-drafts", "otters-finals", "otters-report"} == set(shown)
    assert shown["otters-finals"].data == 100
    assert str(shown["otters-report"].data).count("](data:image/webp;base64,") == N_FINALS
    assert state is not None
    assert state.is_crashed()
    assert "died" in str(state.message)
    serving.process.send_signal(signal.SIGTERM)
    assert serving.process.wait(30) == 2
    assert "Skipped because of errors" in serving.said.read_text()


@pytest.mark.slow
def test_a_server_that_dies_is_brought_back_and_the_run_ends_well(
    open_serving: Callable[..., Serving],
) -> None:
    """The run neither fails nor loses its record, and the next one starts as if nothing had been."""
    serving = open_serving(pace=0.15)
    first = begun(serving, 2)
    os.kill(serving.server_pid, signal.SIGKILL)
    serving.wait_for("restarting it")
    with serving.client() as client:
        wait_until(lambda: states_of(client, "COMPLETED") == [first.id], told=serving.said.read_text)
    assert serving.provider.n_requests == N_DRAFTS + N_FINALS


@pytest.mark.long  # among the slow tests: a server that dies is brought back, above
def test_a_server_that_is_away_for_a_minute_costs_nothing(open_serving: Callable[..., Serving]) -> None:
    """Frozen for 60 s while a run is under way: it ends well, once, and so does the next one."""
    serving = open_serving(pace=0.15)
    first = begun(serving, 2)
    os.kill(serving.server_pid, signal.SIGSTOP)
    time.sleep(60)
    os.kill(serving.server_pid, signal.SIGCONT)
    with serving.client() as client:
        wait_until(lambda: states_of(client, "COMPLETED") == [first.id], told=serving.said.read_text)
        deployment = client.read_deployment_by_name("prototype/otters")
        client.create_flow_run_from_deployment(deployment.id)
        wait_until(lambda: len(states_of(client, "COMPLETED")) == 2, told=serving.said.read_text)
    assert serving.provider.n_requests == 2 * (N_DRAFTS + N_FINALS)


class ServerOfAnother:
    """A Prefect server that somebody else runs, at one address."""

    def __init__(self, folder: Path) -> None:
        self._port = free_port()
        self._folder = folder
        self.api_url = f"http://127.0.0.1:{self._port}/api"
        self.start()

    def start(self) -> None:
        """Start it, and wait until it answers."""
        quiet = {"PREFECT_SERVER_ANALYTICS_ENABLED": "false", "DO_NOT_TRACK": "1"}
        with (self._folder / "server.log").open("ab") as log:
            self._process = subprocess.Popen(
                [Path(COMMAND).parent / "prefect", "server", "start", "--port", str(self._port)],
                env=os.environ | quiet | {"PREFECT_HOME": str(self._folder / "server")},
                stdout=log, stderr=log, start_new_session=True,
            )  # fmt: skip
        wait_until(self._answers, told=(self._folder / "server.log").read_text)

    def _answers(self) -> bool:
        try:
            return httpx.get(f"{self.api_url}/health", timeout=2).is_success
        except httpx.TransportError:
            return False

    def kill(self) -> None:
        """Take it away, with no word to anybody."""
        os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait(30)


@pytest.mark.long  # among the slow tests: a server that dies is brought back, above
def test_a_server_of_somebody_else_may_be_gone_for_a_minute(
    tmp_path: Path, open_serving: Callable[..., Serving], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The run under way ends well, once; it is said that the server is away, and that it is back."""
    server = ServerOfAnother(tmp_path)
    monkeypatch.setenv("PREFECT_API_URL", server.api_url)
    try:
        serving = open_serving(pace=0.15)
        first = begun(serving, 2)
        server.kill()
        serving.wait_for(f"{server.api_url} does not answer")
        time.sleep(60)
        server.start()
        serving.wait_for(f"{server.api_url} answers again")
        with serving.client() as client:
            wait_until(lambda: states_of(client, "COMPLETED") == [first.id], told=serving.said.read_text)
        assert serving.provider.n_requests == N_DRAFTS + N_FINALS
    finally:
        server.kill()


def states_of(client: SyncPrefectClient, state: str) -> list[Any]:
    """List the flow runs in a state."""
    from prefect.client.schemas.filters import FlowRunFilter

    wanted = FlowRunFilter.model_validate({"state": {"type": {"any_": [state]}}})
    return [run.id for run in client.read_flow_runs(flow_run_filter=wanted)]


@pytest.mark.long  # among the slow tests: a killed serve goes on with its run, above
@pytest.mark.parametrize("loaded_s", [0, 4, 8])
def test_a_flow_run_outlives_the_serve_that_was_killed_while_it_loaded(
    loaded_s: float, open_serving: Callable[..., Serving]
) -> None:
    """The next serve leaves it alone: it makes its run once, and its end is recorded."""
    serving = open_serving(pace=0.05)
    serving.wait_for("stop with Ctrl-C")
    with serving.client() as client:
        deployment = client.read_deployment_by_name("prototype/otters")
        run = client.create_flow_run_from_deployment(deployment.id)
        wait_until(lambda: is_at_work(str(run.id)), told=serving.said.read_text)
        time.sleep(loaded_s)
        serving.process.kill()
        serving.process.wait(30)
        serving.start()
        wait_until(lambda: states_of(client, "COMPLETED") == [run.id], told=serving.said.read_text)
        assert states_of(client, "CRASHED") == []
    assert serving.provider.n_requests == N_DRAFTS + N_FINALS


@pytest.mark.long
def test_a_flow_run_that_died_before_it_began_says_that_nothing_was_bought(
    open_serving: Callable[..., Serving],
) -> None:
    """Killed with everything else while it loads: no other flow run resumes what never began."""
    serving = open_serving()
    serving.wait_for("stop with Ctrl-C")
    with serving.client() as client:
        deployment = client.read_deployment_by_name("prototype/otters")
        run = client.create_flow_run_from_deployment(deployment.id)
        wait_until(lambda: is_at_work(str(run.id)), told=serving.said.read_text)
        serving.kill()
        wait_until(lambda: not is_at_work(str(run.id)))
        serving.start()
        wait_until(lambda: states_of(client, "CRASHED") == [run.id], told=serving.said.read_text)
        state = client.read_flow_run(run.id).state
    assert state is not None
    assert "had not begun, so nothing was bought" in str(state.message)
    assert serving.provider.n_requests == 0
