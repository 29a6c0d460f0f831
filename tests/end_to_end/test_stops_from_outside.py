"""What ends a run from outside: a scheduler's SIGTERM, a folder removed in the middle. Then it goes on."""

import shutil
import signal
import subprocess
import time
from collections.abc import Callable

import pytest

from tests.end_to_end.conftest import COMMAND, Provider, Shell

OpenProvider = Callable[..., Provider]


def started(shell: Shell, provider: Provider, n_requests: int) -> "subprocess.Popen[str]":
    """Start a run and wait until the provider has seen some of it."""
    words = [COMMAND, "run", str(shell.campaign())]
    run = subprocess.Popen(
        words, env=shell.environ, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL, text=True,
    )  # fmt: skip
    deadline = time.monotonic() + 90
    while provider.n_requests < n_requests and run.poll() is None and time.monotonic() < deadline:
        time.sleep(0.05)
    return run


@pytest.mark.slow
def test_sigterm_lets_what_is_under_way_come_in(shell: Shell, open_provider: OpenProvider) -> None:
    """As a scheduler sends it: one message, exit 130, nothing unknown, and a resume that buys the rest."""
    provider = open_provider(pace=0.1)
    with started(shell, provider, 2) as run:
        run.send_signal(signal.SIGTERM)
        _, said = run.communicate(timeout=90)
    assert run.returncode == 130, said
    assert said.count("was interrupted") == 1
    assert "Traceback" not in said
    (stopped,) = shell.json("runs")
    assert (stopped["state"], set(stopped["orders"])) == ("stopped", {"received", "planned"})
    assert shell.runoff("ledger", "verify").returncode == 0
    assert shell.runoff("run", "--resume", "latest").returncode == 0
    assert provider.n_requests == 14


def test_a_folder_removed_in_the_middle_stops_the_buying(shell: Shell, open_provider: OpenProvider) -> None:
    """One message with the folder's name, no further order, a ledger whose sums are right."""
    provider = open_provider(pace=0.1)
    with started(shell, provider, 2) as run:
        (folder,) = (path for path in (shell.home / "otters").iterdir() if path.is_dir())
        shutil.rmtree(folder)
        _, said = run.communicate(timeout=90)
    assert run.returncode == 1, said
    assert str(folder) in said
    assert "Traceback" not in said
    assert provider.n_requests < 14
    (stopped,) = shell.json("runs")
    assert stopped["state"] == "stopped"
    again = shell.runoff("run", "--resume", "latest")
    assert again.returncode == 1
    assert "campaign is gone" in again.stderr
