"""Runs on two machines while their ledger's PostgreSQL restarts: two real processes, a real server."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.child_process import TextProcess, started, wait_for_end, wait_until
from tests.support.postgresql_server import PASSWORD, PostgresqlServer, binaries, running
from tests.support.provider import OpenProvider
from tests.support.shell import CAMPAIGN, COMMAND, Shell

N_REQUESTS = 26
AWAY_S = 3.0
LAST_COMES_AFTER_S = 30.0
"""Until then the run cannot end: time for the other machine's command to begin."""


@pytest.fixture
def server(shell: Shell) -> Iterator[PostgresqlServer]:
    """A PostgreSQL server that has the shell's ledger."""
    folder = binaries()
    if folder is None:
        pytest.skip("PostgreSQL is not installed here")
    with running(folder) as server:
        shell.environ["RUNOFF_LEDGER_URL"] = server.new_ledger()
        yield server


@contextmanager
def command(shell: Shell, *words: str | Path) -> Iterator[TextProcess]:
    """Start the command in a process of its own."""
    pipes = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
    with started([COMMAND, *words], env=shell.environ, **pipes) as process:
        yield process


def other_machine(shell: Shell) -> Shell:
    """Sit down at another machine: the same ledger, a home apart with the run's campaign in it."""
    other = Shell(
        shell.home.parent / "other", shell.environ | {"RUNOFF_HOME": str(shell.home.parent / "other")}
    )
    (file,) = shell.home.glob("otters/*/campaign.yaml")
    copied = other.home / file.relative_to(shell.home)
    copied.parent.mkdir(parents=True)
    copied.write_bytes(file.read_bytes())
    return other


@pytest.mark.long  # every day: integration/test_ledger_away.py and integration/test_run_lock.py
def test_a_run_outlives_a_restart_of_its_ledger_and_no_other_machine_takes_it_over(
    shell: Shell, open_provider: OpenProvider, server: PostgresqlServer
) -> None:
    """It waits, says so, and buys the rest; who resumes it meanwhile is refused, and nothing is unknown."""
    last = {"kind": "slow_body", "path": "generations", "nth": [5], "duration_s": LAST_COMES_AFTER_S}
    provider = open_provider(last, pace=0.3)
    campaign = shell.campaign({"drafts": CAMPAIGN["drafts"] | {"per_prompt": 6}})
    with command(shell, "run", campaign) as run:
        wait_until(lambda: provider.n_requests >= 4 or run.poll() is not None)
        with server.away(AWAY_S):
            pass
        with command(other_machine(shell), "run", "--resume", "latest") as other:
            told, _ = wait_for_end(other)
        said, _ = wait_for_end(run)
    assert (other.returncode, "another process is working on it" in told) == (1, True), told
    assert run.returncode == 0, said
    assert "does not answer" in said
    assert "answers again" in said
    for text in (said, told):
        assert "Traceback" not in text
        assert PASSWORD not in text
    (made,) = shell.json("runs")
    assert (made["state"], made["orders"]) == ("done", {"received": N_REQUESTS})
    assert provider.n_requests == N_REQUESTS
    assert shell.runoff("ledger", "verify").returncode == 0
