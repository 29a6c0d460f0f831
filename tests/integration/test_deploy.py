"""Campaigns handed to a work pool: what a server then knows of them, and what a worker makes of it."""

import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner
from prefect.client.orchestration import get_client

from flows.command_line import runoff
from flows.engine import start_engine
from tasks.errors import SettingError
from tests.support.ledgers import open_ledger
from tests.support.serving import write_campaign

EVERY_SIX_HOURS = {"interval": "6h", "timezone": "Europe/Paris"}
PREFECT = str(Path(sys.executable).with_name("prefect"))


def test_without_a_server_it_is_said_how_to_get_one(tmp_path: Path) -> None:
    """A pool needs a server that stays; none is started in its place."""
    file = write_campaign(tmp_path, schedule=EVERY_SIX_HOURS)
    words = ["deploy", str(file), "--pool", "runoff", "--home", str(tmp_path / "home")]
    error = CliRunner().invoke(runoff, words).exception
    assert isinstance(error, SettingError)
    assert "PREFECT_API_URL" in str(error)
    assert "prefect server start" in str(error)
    assert not (tmp_path / "home").exists()


@pytest.mark.slow
def test_a_pool_takes_good_campaigns_and_a_worker_runs_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Schedule, tags, one at a time, a form; a wrong file is left out; deployed again it is replaced."""
    good = write_campaign(tmp_path, "good.yaml", schedule=EVERY_SIX_HOURS)
    wrong = write_campaign(tmp_path, "wrong.yaml", schedule={"cron": "at noon"})
    home = tmp_path / "home"
    words = ["deploy", str(wrong), str(good), "--pool", "machines", "--home", str(home)]
    with start_engine(tmp_path / "server", print, with_schedules=True) as engine:
        engine.wait_ready()
        monkeypatch.setenv("PREFECT_API_URL", engine.api_url)
        missing = CliRunner().invoke(runoff, words).exception
        assert isinstance(missing, SettingError)
        assert "prefect work-pool create machines --type process" in str(missing)
        create = [PREFECT, "work-pool", "create", "machines", "--type", "process"]
        subprocess.run(create, check=True, capture_output=True, timeout=100)
        done = CliRunner().invoke(runoff, words)
        assert done.exit_code == 2, done.output
        assert "every-minute (" in done.output
        assert "schedule.cron" in done.output
        write_campaign(tmp_path, "good.yaml", schedule={"cron": "0 6 * * *"})
        assert CliRunner().invoke(runoff, words).exit_code == 2
        with get_client(sync_client=True) as client:
            (deployment,) = client.read_deployments()
            run = client.create_flow_run_from_deployment(deployment.id)
            assert [schedule.schedule.model_dump()["cron"] for schedule in deployment.schedules] == [
                "0 6 * * *"
            ]
            owner = {tag for tag in deployment.tags if tag.startswith("by ")}
            assert len(owner) == 1
            assert set(deployment.tags) == {"runoff", "every-minute"} | owner
            assert deployment.work_pool_name == "machines"
            assert deployment.global_concurrency_limit is not None
            assert deployment.global_concurrency_limit.limit == 1
            form = deployment.parameter_openapi_schema or {}
            assert form["properties"]["campaign_file"]["type"] == "string"
            assert form["properties"]["campaign_file"]["description"].startswith("The campaign file")
            assert form["required"] == ["campaign_file"]
            work = [PREFECT, "flow-run", "execute", str(run.id)]
            subprocess.run(work, check=True, capture_output=True, timeout=200, cwd=tmp_path)
            state = client.read_flow_run(run.id).state
            write_campaign(tmp_path, "good.yaml", schedule=None)
            again = CliRunner().invoke(runoff, words)
            assert "runs when somebody starts it" in " ".join(again.output.split())
            (deployment,) = client.read_deployments()
            assert deployment.schedules == []
        assert state is not None
        assert state.is_completed(), state
    with open_ledger(home) as ledger:
        assert [slot.state for slot in ledger.slots.all()] == ["ended"]
        assert len(ledger.runs.all()) == 1
