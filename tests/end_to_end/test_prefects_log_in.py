"""Prefect's own log-in: commands, a schedule and the page use it, a wrong one buys nothing, none is shown."""

import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
import yaml

from flows.engine.prefect_server import PrefectServer
from tests.support.child_process import end_by, started, wait_until
from tests.support.postgresql_server import free_port
from tests.support.provider import OpenProvider
from tests.support.shell import CAMPAIGN, COMMAND, Shell

LOG_IN = "team:of-the-tests-0123456789"


@pytest.fixture
def guarded(tmp_path: Path, shell: Shell) -> Iterator[Shell]:
    """A shell whose Prefect server asks for a log-in, which is in a file."""
    port, secret = free_port(), tmp_path / "log-in"
    secret.write_text(f"{LOG_IN}\n")
    own = {
        "PATH": os.environ["PATH"], "HOME": str(tmp_path), "PREFECT_HOME": str(tmp_path / "prefect"),
        "PREFECT_SERVER_API_AUTH_STRING_FILE": str(secret), "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "DO_NOT_TRACK": "1",
    }  # fmt: skip
    python = str(Path(COMMAND).with_name("python"))
    prefect = str(Path(COMMAND).with_name("prefect"))
    words = [python, "-m", "runoff.with_secrets", prefect, "server", "start", "--port", str(port)]
    shell.environ |= {
        "PREFECT_API_URL": f"http://127.0.0.1:{port}/api",
        "PREFECT_API_AUTH_STRING_FILE": str(secret),
    }
    with (
        (tmp_path / "server.log").open("w") as log,
        started(words, env=own, stdout=log, stderr=log) as server,
    ):
        address = shell.environ["PREFECT_API_URL"]
        wait_until(lambda: is_up(address), every_s=0.5, told=(tmp_path / "server.log").read_text)
        yield shell
        server.terminate()
        server.wait(30)


def is_up(address: str) -> bool:
    """Whether the server answers; its health is for everybody."""
    try:
        return httpx.get(f"{address}/health").status_code == 200
    except httpx.HTTPError:
        return False


@pytest.mark.slow  # every day: what is sent with each request, in unit/flows/engine
def test_everything_uses_the_log_in_and_a_wrong_one_buys_nothing(
    guarded: Shell, open_provider: OpenProvider, tmp_path: Path
) -> None:
    """A run, automations, a served schedule; the page's way to its deployment; and no word of it anywhere."""
    provider = open_provider()
    address = guarded.environ["PREFECT_API_URL"]
    assert httpx.post(f"{address}/flow_runs/filter", json={}).status_code == 401
    campaign = guarded.campaign()
    wrong = guarded.runoff_process(
        "run", campaign, "--yes", PREFECT_API_AUTH_STRING_FILE="", PREFECT_API_AUTH_STRING="team:x"
    )
    assert wrong.returncode == 1, wrong.stdout + wrong.stderr
    assert "Nothing was bought" in wrong.stderr
    assert "Traceback" not in wrong.stderr
    assert provider.n_requests == 0
    right = guarded.runoff_process("run", campaign, "--yes")
    assert right.returncode == 0, right.stderr
    assert provider.n_requests > 0
    assert guarded.runoff_process("automations").returncode == 0

    page = PrefectServer.of({"PREFECT_API_URL": address, "PREFECT_API_AUTH_STRING": LOG_IN})
    assert page is not None
    assert page.ask("/deployments/name/promote/promote") is None  # no such deployment, and no complaint

    file = tmp_path / "served.yaml"
    file.write_text(yaml.safe_dump(CAMPAIGN | {"schedule": {"cron": "0 6 1 1 *"}, "name": "served"}))
    said = tmp_path / "serve.log"
    with (
        said.open("w") as log,
        started(
            [COMMAND, "serve", file], env=guarded.environ, cwd=tmp_path, stdout=log, stderr=subprocess.STDOUT
        ) as serve,
    ):
        wait_until(
            lambda: "stop with Ctrl-C" in said.read_text() or serve.poll() is not None, told=said.read_text
        )
        end_by(serve, signal.SIGTERM)
    assert serve.returncode in (0, -signal.SIGTERM), said.read_text()  # as soon as it is ready
    everything = said.read_text() + wrong.stderr + right.stderr + right.stdout
    assert "of-the-tests-0123456789" not in everything
    logs = [
        file
        for file in guarded.home.rglob("*")
        if file.is_file() and file.suffix in (".json", ".html", ".log", ".yaml")
    ]
    assert logs
    assert not any("of-the-tests-0123456789" in file.read_text(errors="replace") for file in logs)
