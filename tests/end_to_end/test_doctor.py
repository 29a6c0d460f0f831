"""`runoff doctor` at a shell: ready or not, with the way out, no secret, nothing bought, nothing started."""

import json
import subprocess
import sys
from typing import Any

import pytest

from tests.support.provider import KEY, OpenProvider
from tests.support.shell import Shell


def subjects(answer: dict[str, Any], state: str) -> set[str]:
    """Name what was found in a state."""
    return {finding["subject"] for finding in answer["findings"] if finding["state"] == state}


def test_a_machine_that_is_ready_passes(shell: Shell, open_provider: OpenProvider) -> None:
    """Exit 0, the endpoint answers, the campaign's models are listed, nothing was ordered or made."""
    provider = open_provider()
    done = shell.runoff("doctor", shell.campaign(), "--json")
    answer = json.loads(done.stdout)
    assert (done.returncode, answer["faults"], subjects(answer, "fault")) == (0, 0, set())
    assert {"Prefect", "packages", "key", "endpoint", "ledger", "disk", "clock"} <= subjects(answer, "ok")
    assert {"gpt-image-2.5-flare", "gpt-image-2.5-sunburst"} <= subjects(answer, "ok")
    assert provider.n_requests == 0
    assert not shell.home.exists()
    assert KEY not in done.stdout + done.stderr


def test_a_person_reads_it_in_80_columns(shell: Shell, open_provider: OpenProvider) -> None:
    """Every line fits, the verdict comes last, and each trouble has its way out below it."""
    open_provider()
    done = shell.runoff("doctor", shell.campaign(), RUNOFF_TODAY="2026-11-30")
    lines = done.stdout.splitlines()
    assert all(len(line) <= 80 for line in lines if str(shell.home.parent) not in line)
    assert lines[-1] == "1 warning."
    assert "→ End the rehearsal with: unset RUNOFF_TODAY" in done.stdout


@pytest.mark.parametrize(
    ("environ", "settings", "subject", "said"),
    [
        ({"OPENAI_API_KEY": ""}, {}, "key", "OPENAI_API_KEY is empty"),
        ({}, {"api_key": "another"}, "endpoint", "rejects the key"),
        ({"OPENAI_BASE_URL": "http://127.0.0.1:9/v1"}, {}, "endpoint", "cannot be reached"),
        ({"OPENAI_BASE_URL": "127.0.0.1:9"}, {}, "address", "is not a URL"),
        ({"PREFECT_API_URL": "http://127.0.0.1:9/api"}, {}, "Prefect", "cannot be used"),
        ({"RUNOFF_HOME": "/proc/nowhere"}, {}, "home", "cannot be created"),
        ({"RUNOFF_LEDGER_URL": "nonsense"}, {}, "ledger", "is not a database address"),
    ],
)
def test_each_fault_is_told_with_a_way_out(
    shell: Shell,
    open_provider: OpenProvider,
    environ: dict[str, str],
    settings: dict[str, Any],
    subject: str,
    said: str,
) -> None:
    """Exit 1, the fault by its name, no traceback, no key."""
    open_provider(**settings)
    done = shell.runoff("doctor", shell.campaign(), "--json", **environ)
    answer = json.loads(done.stdout)
    assert done.returncode == 1
    assert subject in subjects(answer, "fault")
    (fault,) = [f for f in answer["findings"] if f["subject"] == subject and f["state"] == "fault"]
    assert said in fault["what"]
    assert fault["way_out"]
    assert KEY not in done.stdout + done.stderr
    assert done.stderr == ""


def test_an_address_without_its_path_is_told_as_wrong(shell: Shell, open_provider: OpenProvider) -> None:
    """The emulator's root knows no models: that is an address, not a network, that is wrong."""
    provider = open_provider()
    done = shell.runoff("doctor", "--provider", "openai", OPENAI_BASE_URL=provider.url.removesuffix("/v1"))
    assert done.returncode == 1
    assert "up to and including /v1" in done.stdout


def test_without_a_campaign_a_missing_key_is_no_fault(shell: Shell) -> None:
    """Nobody said that the provider is wanted; the emulator needs no key. A named one is wanted."""
    assert shell.runoff("doctor").returncode == 0
    assert shell.runoff("doctor", "--provider", "openai").returncode == 1
    assert shell.runoff("doctor", "--provider", "emulator").returncode == 0
    assert shell.runoff("doctor", "--provider", "nobody").returncode == 1


def test_a_wrong_campaign_is_one_fault_among_the_lines(shell: Shell) -> None:
    """The rest of the machine is looked at all the same."""
    answer = shell.json("doctor", shell.campaign({"draughts": 3}))
    assert subjects(answer, "fault") == {"campaign"}
    assert "ledger" in subjects(answer, "ok")


def test_the_doctor_never_loads_prefect() -> None:
    """It tells of Prefect without importing it."""
    program = (
        "import sys; from flows.command_line import runoff\n"
        "runoff.main(['doctor', '--home', sys.argv[1]], standalone_mode=False)\n"
        "assert 'prefect' not in sys.modules"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, "/nowhere-to-be-found"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert "Traceback" not in done.stderr, done.stderr
    assert "embedded" in done.stdout or "PREFECT_API_URL" in done.stdout
