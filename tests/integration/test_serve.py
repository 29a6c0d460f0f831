"""Campaigns on their schedules: a real server, a real runner."""

import signal
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from importlib import import_module
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
import yaml
from prefect import Flow
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.filters import FlowRunFilter
from prefect.client.schemas.objects import FlowRun, State, StateType
from prefect.states import Scheduled

from flows.deployments import announce, read_scheduled
from flows.engine import start_engine
from flows.engine.registry import Registry, is_alive
from flows.serving import serve, served_alone
from tasks.errors import CampaignError, CatalogueError
from tasks.ledger.schema import runs
from tests.support.child_process import wait_until
from tests.support.ledgers import open_ledger
from tests.support.serving import Served, client_of, serving_campaign, write_campaign

ROOT = Path(__file__).parents[2]
MINI = {"model": "gpt-image-1-mini", "quality": "low", "per_prompt": 1}
EVERY_MINUTE = {"cron": "* * * * *", "timezone": "Europe/Paris"}

MONTHLY = {"cron": "0 6 1 * *", "timezone": "Europe/Paris"}


@pytest.fixture(autouse=True)
def _no_server_of_mine(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep a developer's own server out of the tests."""
    monkeypatch.delenv("PREFECT_API_URL", raising=False)


@pytest.mark.slow  # every day: a turn is a flow run, in test_slots_of_a_schedule.py
def test_a_served_campaign_has_its_turns_and_a_missed_one_is_skipped(tmp_path: Path) -> None:
    """Its next turns are planned, one that is due leaves a report, and one that nobody served is not made up.

    That a turn falls due by the clock is the slow test below, which waits for the minute.
    """
    with serving_campaign(tmp_path, schedule=MONTHLY) as served:
        served.wait_for("stop with Ctrl-C")
        server = Registry(served.home / ".prefect").record()
        assert server is not None
        with client_of(served.home) as client:
            wait_until(lambda: len(flow_runs(client, StateType.SCHEDULED)) > 1)
            planned = flow_runs(client, StateType.SCHEDULED)
            assert all(run.auto_scheduled for run in planned)
            deployment_id = planned[0].deployment_id
            assert deployment_id is not None
            client.create_flow_run_from_deployment(deployment_id)
            assert check_completed(client, served).deployment_id == deployment_id
            served.stop(signal.SIGTERM)
            assert "left" in served.said.read_text()

            an_hour_ago: State[Any] = Scheduled(scheduled_time=datetime.now(UTC) - timedelta(hours=1))
            missed = client.create_flow_run_from_deployment(deployment_id, state=an_hour_ago)
            served.start()
            served.wait_for("Skipped a run missed")
            state = client.read_flow_run(missed.id).state
            assert state is not None
            assert state.is_cancelled()
            assert "nothing was bought" in str(state.message)
        served.stop(signal.SIGTERM)
        wait_until(lambda: not is_alive(server.pid))  # it ends after the last one who uses it


@pytest.mark.slow  # every day: its turns are planned and one is run, in the test above
def test_a_campaign_served_every_minute_runs_by_the_clock(tmp_path: Path) -> None:
    """The schedule fires and the run leaves a report."""
    with serving_campaign(tmp_path, schedule=EVERY_MINUTE) as served:
        served.wait_for("stop with Ctrl-C")
        with client_of(served.home) as client:
            run = check_completed(client, served)
        assert run.auto_scheduled


def check_completed(client: SyncPrefectClient, served: Served) -> FlowRun:
    """Wait for a run of the campaign that ended well, and for what it leaves."""
    wait_until(lambda: bool(flow_runs(client, StateType.COMPLETED)), every_s=0.5, told=served.said.read_text)
    run = flow_runs(client, StateType.COMPLETED)[0]
    assert run.parameters["campaign_file"] == str(served.file)
    assert {"every-minute", "runoff"} <= set(run.tags)
    assert list(served.home.glob("every-minute/*/report.html"))
    return run


def flow_runs(client: SyncPrefectClient, state: StateType) -> list[FlowRun]:
    """List the flow runs in a state."""
    wanted = FlowRunFilter.model_validate({"state": {"type": {"any_": [state]}}})
    return client.read_flow_runs(flow_run_filter=wanted)


def test_a_second_serve_of_a_campaign_waits_until_the_first_has_ended(tmp_path: Path) -> None:
    """It would take what is under way there for dead, and what waits for its turn for missed."""
    said: list[str] = []
    took_over: list[str] = []

    def serve_again() -> None:
        with served_alone(["cards", "otters"], tmp_path, said.append):
            took_over.append("after the first")

    second = Thread(target=serve_again)
    with served_alone(["otters"], tmp_path, said.append):
        second.start()
        wait_until(lambda: bool(said))
        assert took_over == []
    second.join(30)
    assert took_over == ["after the first"]
    assert said == ["otters is served by another process in this home: waiting until that has ended …"]


def test_campaign_without_schedule_is_not_served(tmp_path: Path) -> None:
    """A file without a schedule is refused before anything starts, with what to write."""
    file = write_campaign(tmp_path)
    with pytest.raises(CampaignError, match="schedule") as caught:
        serve([file], tmp_path / "home", print)
    assert str(file) in str(caught.value)
    assert not (tmp_path / "home").exists()


def test_a_campaign_with_several_faults_is_told_all_of_them(tmp_path: Path) -> None:
    """Those of the file and those that only a schedule asks about."""
    one, other = (
        write_campaign(tmp_path, name, schedule=EVERY_MINUTE) for name in ("one.yaml", "other.yaml")
    )
    other = write_campaign(tmp_path, "other.yaml", drafts={"per_prompt": "four"})
    faults = read_scheduled([one, other], tmp_path / "home").faults[other]
    assert isinstance(faults, CampaignError)
    assert [fault.split(":")[0].split(" ")[0] for fault in faults.faults][-2:] == ["schedule", "name"]
    assert any("drafts.per_prompt" in fault for fault in faults.faults)


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
    assert "is used by another file" in said[2]


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


@pytest.mark.slow  # every day: the same file, read and held against the flows, in the test above
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
    assert said[1].startswith("! drafts: gpt-image-1-mini will be shut down on 2026-12-01;")


DECIDED = {"count": 1, "approval": "review", "decide_within": "1h"}


@pytest.mark.slow  # every day: what is decided and left to buy, in test_deadlines.py
@pytest.mark.parametrize("then", ["auto", pytest.param("decline", marks=pytest.mark.long)])
def test_a_review_whose_time_is_up_is_ended_by_serve(tmp_path: Path, then: str) -> None:
    """At its next look: its finalist is bought once, by a flow run of its own, or the run is done."""
    with serving_campaign(tmp_path, schedule=MONTHLY, finalists=DECIDED | {"then": then}) as served:
        served.wait_for("stop with Ctrl-C")
        with client_of(served.home) as client:
            deployment = client.read_deployment_by_name("prototype/every-minute")
            client.create_flow_run_from_deployment(deployment.id)
            wait_until(lambda: states_in(served.home) == ["awaiting review"], every_s=0.5)
        served.stop(signal.SIGTERM)
        assert "nobody decided" not in served.said.read_text()
        begin_review_at(served.home, datetime.now(UTC) - timedelta(minutes=61))
        served.start()
        said = served.wait_for("nobody decided within 1h about")
        assert ("its finalists are bought" in said) == (then == "auto")
        wait_until(lambda: states_in(served.home) == ["done"], every_s=0.5, told=served.said.read_text)
        with client_of(served.home) as client:
            wait_until(lambda: not flow_runs(client, StateType.RUNNING), every_s=0.5)
            bought = flow_runs(client, StateType.COMPLETED)
        served.stop(signal.SIGTERM)
        assert served.said.read_text().count("nobody decided within 1h") == 1
    with open_ledger(served.home) as ledger:
        (run,) = ledger.runs.all()
        finals = ledger.candidates.of_run(run.run_id, "final")
    assert len(finals) == (then == "auto")
    assert sum("run_id" in one.parameters and bool(one.parameters["run_id"]) for one in bought) == len(finals)


def states_in(home: Path) -> list[str]:
    """List the states of a home's runs."""
    with open_ledger(home) as ledger:
        return [run.state for run in ledger.runs.all()]


def begin_review_at(home: Path, moment: datetime) -> None:
    """Let the reviews of a home have begun at another time."""
    with open_ledger(home) as ledger, ledger.database.write() as connection:
        connection.execute(runs.update().values(finished_at=moment))
