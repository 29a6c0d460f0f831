"""Campaigns on their schedules: a real server, a real runner, a real minute."""

import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
import yaml
from prefect import Flow
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.filters import FlowRunFilter
from prefect.client.schemas.objects import FlowRun, State
from prefect.states import Scheduled

from flows.deployments import announce, read_scheduled
from flows.engine import start_engine
from flows.engine.registry import Registry, is_alive
from flows.serving import serve
from tasks.errors import CampaignError, CatalogueError

ROOT = Path(__file__).parents[2]
MINUTE_LIMIT_S = 120

CAMPAIGN: dict[str, Any] = {
    "name": "every-minute",
    "provider": "emulator",
    "budget": {"per_run_usd": 1, "per_month_usd": 5},
    "arms": {"A": {"prompt": "A baby sea otter"}},
    "drafts": {"model": "gpt-image-2.5-flare", "quality": "low", "per_prompt": 1},
    "finals": {"model": "gpt-image-2.5-sunburst", "quality": "high"},
}
MINI = {"model": "gpt-image-1-mini", "quality": "low", "per_prompt": 1}
EVERY_MINUTE = {"cron": "* * * * *", "timezone": "Europe/Paris"}

SERVE_PROGRAM = """
import signal, sys
from pathlib import Path
signal.signal(signal.SIGINT, signal.SIG_IGN)  # as for a job that a shell started in the background
import runoff
from flows.serving import serve
serve([Path(sys.argv[1])], Path(sys.argv[2]), lambda line: print(line, flush=True))
print("left", flush=True)
"""


@pytest.fixture(autouse=True)
def _no_server_of_mine(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep a developer's own server out of the tests."""
    monkeypatch.delenv("PREFECT_API_URL", raising=False)


def write_campaign(folder: Path, name: str = "campaign.yaml", **changes: object) -> Path:
    """Write a small campaign file for the emulator."""
    file = folder / name
    file.write_text(yaml.safe_dump(CAMPAIGN | changes))
    return file


class Served:
    """A `serve` in a process of its own, in a folder with a `flows.py` and a `tasks.py` of somebody else's.

    What it says is kept in a file.
    """

    def __init__(self, folder: Path) -> None:
        for name in ("flows.py", "tasks.py"):
            (folder / name).write_text("")
        self.home = folder / "home"
        self.file = write_campaign(folder, schedule=EVERY_MINUTE)
        self.said = folder / "said.txt"
        self.start()

    def start(self) -> None:
        """Start, once more after a stop."""
        with self.said.open("ab") as said:
            self.process = subprocess.Popen(
                [sys.executable, "-c", SERVE_PROGRAM, str(self.file), str(self.home)],
                cwd=self.file.parent, stdout=said, stderr=subprocess.STDOUT,
            )  # fmt: skip

    def wait_for(self, text: str, limit_s: float) -> str:
        """Wait until `serve` said something, and return all it said."""
        deadline = time.monotonic() + limit_s
        while text not in (said := self.said.read_text()):
            assert self.process.poll() is None, said
            assert time.monotonic() < deadline, said
            time.sleep(0.1)
        return said

    def stop(self, how: signal.Signals) -> None:
        """Send a signal and wait for the end."""
        self.process.send_signal(how)
        self.process.wait(30)


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    """A campaign that is served every minute."""
    served = Served(tmp_path)
    yield served
    served.process.kill()
    served.process.wait()


def test_campaign_served_every_minute_runs_and_a_missed_turn_is_skipped(served: Served) -> None:
    """The schedule fires and the run leaves a report; a turn that nobody served is not made up for."""
    served.wait_for("stop with Ctrl-C", MINUTE_LIMIT_S)
    server = Registry(served.home / ".prefect").record()
    assert server is not None
    with client_of(served.home) as client:
        wait_until(lambda: bool(completed(client)), MINUTE_LIMIT_S)
        run = completed(client)[0]
    assert run.parameters["campaign_file"] == str(served.file)
    assert {"every-minute", "runoff"} <= set(run.tags)
    assert run.deployment_id is not None
    assert list(served.home.glob("every-minute/*/report.html"))
    served.stop(signal.SIGTERM)
    assert "left" in served.said.read_text()
    assert not is_alive(server.pid)

    with client_of(served.home) as client:
        an_hour_ago: State[Any] = Scheduled(scheduled_time=datetime.now(UTC) - timedelta(hours=1))
        missed = client.create_flow_run_from_deployment(run.deployment_id, state=an_hour_ago)
    served.start()
    served.wait_for("Skipped a run missed", MINUTE_LIMIT_S)
    with client_of(served.home) as client:
        state = client.read_flow_run(missed.id).state
    assert state is not None
    assert state.is_cancelled()
    assert "nothing bought" in str(state.message)


@contextmanager
def client_of(home: Path) -> Iterator[SyncPrefectClient]:
    """Talk to a home's server as another process would: with the one that serves, if one does."""
    with start_engine(home, print) as engine:
        engine.wait_ready()
        with get_client(sync_client=True) as client:
            yield client


def completed(client: SyncPrefectClient) -> list[FlowRun]:
    """Return the runs that ended well."""
    return client.read_flow_runs(
        flow_run_filter=FlowRunFilter.model_validate({"state": {"type": {"any_": ["COMPLETED"]}}})
    )


def wait_until(condition: Callable[[], bool], limit_s: float) -> None:
    """Wait for a condition, or fail."""
    deadline = time.monotonic() + limit_s
    while not condition():
        assert time.monotonic() < deadline, f"did not come true within {limit_s} s"
        time.sleep(0.5)


def test_campaign_without_schedule_is_not_served(tmp_path: Path) -> None:
    """A file without a schedule is refused before anything starts, with what to write."""
    file = write_campaign(tmp_path)
    with pytest.raises(CampaignError, match="schedule") as caught:
        serve([file], tmp_path / "home", print)
    assert str(file) in str(caught.value)
    assert not (tmp_path / "home").exists()


def test_a_wrong_file_is_told_and_keeps_no_other_from_being_served(tmp_path: Path) -> None:
    """One name is one schedule: the second file is left out, as is one without a schedule."""
    one, two, three = (
        write_campaign(tmp_path, name, schedule=schedule)
        for name, schedule in (("one.yaml", EVERY_MINUTE), ("two.yaml", EVERY_MINUTE), ("three.yaml", None))
    )
    scheduled = read_scheduled([three, one, two], tmp_path / "home")
    assert list(scheduled.campaigns) == [one]
    assert {file: type(error) for file, error in scheduled.faults.items()} == {
        three: CampaignError, two: CampaignError
    }  # fmt: skip
    said: list[str] = []
    announce(scheduled, said.append)
    assert "every-minute" in said[0]
    assert "three.yaml" in said[1]
    assert "schedule: missing" in said[1]
    assert "two.yaml" in said[2]
    assert "is taken by another file" in said[2]


def test_deployments_file_names_flows_and_their_parameters() -> None:
    """Each entrypoint of prefect.yaml is a flow, takes the parameters named there, and pulls nothing."""
    deployments = yaml.safe_load((ROOT / "prefect.yaml").read_text())["deployments"]
    assert [deployment["name"] for deployment in deployments] == ["prototype", "promote"]
    for deployment in deployments:
        module, _, name = deployment["entrypoint"].rpartition(".")
        flow = getattr(import_module(module), name)
        assert isinstance(flow, Flow)
        assert deployment["parameters"].keys() <= flow.parameters.properties.keys()
        assert deployment["pull"] == []


@pytest.mark.slow
def test_deployments_file_is_taken_by_a_real_server(tmp_path: Path) -> None:
    """`prefect deploy --all` creates both deployments, and none holds this machine's folder."""
    prefect = str(Path(sys.executable).with_name("prefect"))
    with start_engine(tmp_path, print, with_schedules=True) as engine:
        engine.wait_ready()
        for command in (
            ["work-pool", "create", "runoff", "--type", "process"],
            ["--no-prompt", "deploy", "--all"],
        ):
            subprocess.run([prefect, *command], cwd=ROOT, check=True, capture_output=True, timeout=120)
        with get_client(sync_client=True) as client:
            found = {deployment.name: deployment for deployment in client.read_deployments()}
    assert found.keys() == {"prototype", "promote"}
    assert all(deployment.pull_steps == [] for deployment in found.values())


def test_a_campaign_whose_model_is_gone_is_refused_at_once(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Before anything is started, with the file's name."""
    monkeypatch.setenv("RUNOFF_TODAY", "2026-12-01")
    file = write_campaign(tmp_path, schedule=EVERY_MINUTE, drafts=MINI)
    said: list[str] = []
    with pytest.raises(CatalogueError, match=r"campaign\.yaml: drafts: gpt-image-1-mini was shut down"):
        serve([file], tmp_path / "home", said.append)
    assert said == []


def test_a_campaign_whose_model_retires_is_announced_with_a_warning(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """On the eve: the next run, and below it what ends before it."""
    monkeypatch.setenv("RUNOFF_TODAY", "2026-11-30")
    file = write_campaign(tmp_path, schedule=EVERY_MINUTE, drafts=MINI)
    said: list[str] = []
    announce(read_scheduled([file], tmp_path), said.append)
    assert said[0].startswith("every-minute (")
    assert said[1].startswith("! drafts: gpt-image-1-mini will be shut down on 2026-12-01, in 1 day;")
