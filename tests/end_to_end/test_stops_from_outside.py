"""What ends a run from outside: a scheduler's SIGTERM, a folder removed in the middle. Then it goes on."""

import fcntl
import os
import pty
import shutil
import signal
import subprocess
import sys
import termios
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.support.child_process import TextProcess, end_by, started, wait_for_end, wait_until
from tests.support.provider import OpenProvider, Provider
from tests.support.shell import CAMPAIGN, COMMAND, LIMIT_S, Shell

PRESSED_WHILE_LOADED = """
import signal, sys

class Pressing:
    def find_spec(self, name, path=None, target=None):
        if name == sys.argv[1]:
            signal.raise_signal(signal.SIGINT)

sys.meta_path.insert(0, Pressing())
import runoff
runoff.main()
"""
"""The command, and Ctrl-C at the moment when it loads a module."""


@pytest.mark.parametrize("module", ["flows.command_line", "click"])
def test_ctrl_c_while_the_command_is_loaded_is_no_fault(module: str) -> None:
    """A person who sees at once that it was the wrong command reads one line, not where Python was."""
    words = [sys.executable, "-c", PRESSED_WHILE_LOADED, module]
    done = subprocess.run(words, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout) == (130, "")
    assert done.stderr == "Interrupted. The ledger is consistent; see: runoff runs\n"


@contextmanager
def started_run(shell: Shell, provider: Provider, n_requests: int) -> Iterator[TextProcess]:
    """Start a run and wait until the provider has seen some of it."""
    words = [COMMAND, "run", str(shell.campaign())]
    with started(
        words, env=shell.environ, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL
    ) as run:
        wait_until(lambda: provider.n_requests >= n_requests or run.poll() is not None)
        yield run


@pytest.mark.long  # among the slow tests: SIGTERM in test_every_way_to_stop.py
def test_sigterm_lets_what_is_under_way_come_in(shell: Shell, open_provider: OpenProvider) -> None:
    """As a scheduler sends it: one message, exit 130, nothing unknown, and a resume that buys the rest."""
    provider = open_provider(pace=0.1)
    with started_run(shell, provider, 2) as run:
        _, said = end_by(run, signal.SIGTERM)
    assert run.returncode == 130, said
    assert said.count("was interrupted") == 1
    assert "Traceback" not in said
    (stopped,) = shell.json("runs")
    assert (stopped["state"], set(stopped["orders"])) == ("stopped", {"received", "planned"})
    assert shell.runoff("ledger", "verify").returncode == 0
    assert shell.runoff("run", "--resume", "latest").returncode == 0
    assert provider.n_requests == 14


@pytest.mark.slow  # every day: a second press, in test_every_way_to_stop.py
def test_a_terminal_that_is_closed_lets_what_is_under_way_come_in(
    shell: Shell, open_provider: OpenProvider
) -> None:
    """Nothing can be shown any more; nothing is lost either, and the rest can be bought later."""
    provider = open_provider(pace=0.05)
    campaign = shell.campaign({"drafts": CAMPAIGN["drafts"] | {"per_prompt": 12}})
    ours, theirs = pty.openpty()
    run = subprocess.Popen(
        [COMMAND, "run", str(campaign), "--yes"], env=shell.environ | {"TERM": "xterm"},
        stdin=theirs, stdout=theirs, stderr=theirs, preexec_fn=become_its_terminal, start_new_session=True,
    )  # fmt: skip
    os.close(theirs)
    try:
        wait_until(lambda: provider.n_requests >= 2 or run.poll() is not None)
        os.close(ours)
        run.wait(LIMIT_S)
    finally:
        run.kill()
    (stopped,) = shell.json("runs")
    n_sent = provider.n_requests
    assert (stopped["state"], stopped["orders"]) == ("stopped", {"received": n_sent, "planned": 48 - n_sent})
    assert shell.runoff("ledger", "verify").returncode == 0


def become_its_terminal() -> None:
    """Make the terminal on standard input the one whose closing is told to this process."""
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


@pytest.mark.long  # every day: unit/flows/runs/test_progress.py and unit/tasks/redaction/test_outputs.py
def test_a_run_whose_output_nobody_reads_any_more_is_done(shell: Shell, open_provider: OpenProvider) -> None:
    """As ``| head`` does, or a log's reader that was killed: nothing in flight is lost, and all is bought."""
    provider = open_provider(pace=0.05)
    words = [COMMAND, "run", str(shell.campaign())]
    with started(
        words, env=shell.environ, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    ) as run:
        assert run.stdout is not None
        wait_until(lambda: provider.n_requests >= 2 or run.poll() is not None)
        run.stdout.close()
        run.wait(LIMIT_S)
    assert run.returncode == 0
    (done,) = shell.json("runs")
    assert (done["state"], done["orders"]) == ("done", {"received": 14})


@pytest.mark.long  # every day: a folder that goes away, in integration/test_buyer.py
def test_a_folder_removed_in_the_middle_stops_the_buying(shell: Shell, open_provider: OpenProvider) -> None:
    """One message with the folder's name, no further order, a ledger whose sums are right."""
    provider = open_provider(pace=0.1)
    with started_run(shell, provider, 2) as run:
        (folder,) = (path for path in (shell.home / "otters").iterdir() if path.is_dir())
        shutil.rmtree(folder)
        _, said = wait_for_end(run)
    assert run.returncode == 1, said
    assert str(folder) in said
    assert "Traceback" not in said
    assert provider.n_requests < 14
    (stopped,) = shell.json("runs")
    assert stopped["state"] == "stopped"
    again = shell.runoff("run", "--resume", "latest")
    assert again.returncode == 1
    assert "campaign file is missing" in again.stderr
