"""Thirty requests are in flight at the stop of what runs flows for Prefect, or at a cancellation there."""

import fcntl
import os
import pty
import signal
import subprocess
import termios
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest

from flows.runs.stop_signals import SAME_STOP_S
from tests.support.child_process import wait_until
from tests.support.prefect_server import prefect_client
from tests.support.provider import OpenProvider
from tests.support.proxy import State, proxy_to
from tests.support.shell import COMMAND, Shell
from tests.support.stops import IN_FLIGHT, PLANNED, Busy, make_busy

CTRL_C = b"\x03"


@dataclass
class AtTerminal:
    """A command at a terminal of its own, which tells the command and all that it started.

    Args:
        words: The command.
        environ: Its environment.
    """

    words: list[str]
    environ: dict[str, str]
    said_bytes: bytearray = field(default_factory=bytearray)

    def __enter__(self) -> "AtTerminal":
        """Start the command."""
        self.terminal, theirs = pty.openpty()
        self.process = subprocess.Popen(
            self.words, env=self.environ | {"TERM": "xterm"}, stdin=theirs, stdout=theirs, stderr=theirs,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0), start_new_session=True,
        )  # fmt: skip
        os.close(theirs)
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        return self

    def __exit__(self, *_: object) -> None:
        """End it, should it still be there, and all that it started."""
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
        self._reader.join(5)
        self.close()

    def close(self) -> None:
        """Close the terminal."""
        if self.terminal >= 0:
            os.close(self.terminal)
            self.terminal = -1

    def said(self) -> str:
        """Tell what was said, in one line: a terminal breaks it anywhere."""
        return " ".join(self.said_bytes.decode(errors="replace").split())

    def wait_for(self, text: str) -> None:
        """Wait until something was said."""
        wait_until(lambda: text in self.said() or self.process.poll() is not None, told=self.said)
        assert text in self.said()

    def wait_for_end(self) -> None:
        """Wait until it has ended; if it does not, tell what it said."""
        wait_until(lambda: self.process.poll() is not None, told=self.said)

    def _read(self) -> None:
        try:
            while piece := os.read(self.terminal, 4096):
                self.said_bytes.extend(piece)
        except OSError:
            pass


STOPS: dict[str, Callable[[AtTerminal], object]] = {
    "SIGTERM": lambda one: one.process.send_signal(signal.SIGTERM),
    "SIGTERM to all": lambda one: os.killpg(one.process.pid, signal.SIGTERM),  # as an init system does
    "Ctrl-C": lambda one: os.write(one.terminal, CTRL_C),
    "closed terminal": lambda one: os.killpg(one.process.pid, signal.SIGHUP),  # as the kernel tells it
}


@dataclass
class FlowRun:
    """A flow run at the server.

    Args:
        server: The server's API.
        deployment: The name of its deployment.
    """

    server: httpx.Client
    deployment: str

    def start(self) -> None:
        """Create it, as somebody does in Prefect's pages."""
        found = self._ask(f"/deployments/name/prototype/{self.deployment}")
        made = self._ask(f"/deployments/{found['id']}/create_flow_run", {})
        self.address = f"/flow_runs/{made['id']}"

    def cancel(self) -> None:
        """Cancel it, as somebody does in Prefect's pages."""
        self._ask(f"{self.address}/set_state", {"state": {"type": "CANCELLING"}})

    def state(self) -> str:
        """Tell its state."""
        return str(self._ask(self.address)["state_type"])

    def _ask(self, path: str, body: Any = None) -> Any:
        """Ask the server."""
        answer = self.server.get(path) if body is None else self.server.post(path, json=body)
        return answer.raise_for_status().json()


@pytest.fixture
def busy(shell: Shell, open_provider: OpenProvider) -> Busy:
    """A home with thirty requests in flight."""
    shell.environ |= {"PREFECT_WORKER_QUERY_SECONDS": "2", "PREFECT_RUNNER_POLL_FREQUENCY": "2"}
    return make_busy(shell.home, open_provider)


@contextmanager
def at_work(shell: Shell, busy: Busy, by: str) -> Iterator[tuple[AtTerminal, FlowRun]]:
    """Let ``serve`` or a worker run a flow run until thirty requests are in flight."""
    name = f"busy-{shell.home.parent.name.replace('_', '-').lower()}"[-60:].strip("-")
    campaign = busy.campaign({"name": name, "schedule": {"cron": "0 6 1 1 *"}})
    words = {"serve": ["serve", str(campaign)], "worker": ["worker", "--pool", name]}[by]
    address = shell.environ["PREFECT_API_URL"]
    with (
        AtTerminal([COMMAND, *words], shell.environ) as command,
        prefect_client(address) as server,
    ):
        command.wait_for("started!" if by == "worker" else "stop with Ctrl-C")
        if by == "worker":
            assert shell.runoff("deploy", campaign, "--pool", name).returncode == 0
        flow_run = FlowRun(server, name)
        flow_run.start()
        busy.wait_until_full(command.said)
        yield command, flow_run


@pytest.mark.long  # among the slow tests: a flow run cancelled in Prefect, below
@pytest.mark.parametrize("by", ["serve", "worker"])
@pytest.mark.parametrize("how", STOPS)
def test_every_stop_of_what_runs_flows(shell: Shell, busy: Busy, by: str, how: str) -> None:
    """A terminal and an init system tell the flow run too, as a second time; all that is in flight comes in.

    Every day: one stop that is told twice, in test_every_way_to_stop.py.
    """
    stop(shell, busy, by, how)


def stop(shell: Shell, busy: Busy, by: str, how: str) -> None:
    """Stop what has thirty requests in flight; see that none is lost."""
    with at_work(shell, busy, by) as (command, _):
        STOPS[how](command)
        command.wait_for_end()
        assert command.process.returncode == 0, command.said()
        assert "Traceback" not in command.said(), command.said()
    busy.check_nothing_lost()


@pytest.mark.parametrize(
    ("by", "state"),
    [
        pytest.param("serve", "locked", marks=pytest.mark.slow),
        *(
            pytest.param(by, state, marks=pytest.mark.long)
            for by, state in [
                ("serve", "frozen"), ("serve", "failing"),
                ("worker", "frozen"), ("worker", "locked"), ("worker", "failing"),
            ]
        ),
    ],
)  # fmt: skip
def test_a_stop_does_not_wait_for_a_server_that_is_away(
    shell: Shell, busy: Busy, by: str, state: State
) -> None:
    """What is in flight comes in and the books are closed; then nobody waits for Prefect to record it."""
    with proxy_to(shell.environ["PREFECT_API_URL"]) as proxy:
        shell.environ["PREFECT_API_URL"] = proxy.url
        with at_work(shell, busy, by) as (command, _):
            proxy.state = state
            os.write(command.terminal, CTRL_C)
            command.wait_for_end()
            assert command.process.returncode == 0, command.said()
            if state != "failing":  # whose answer is one: it is not asked again
                assert "has not recorded the end of what ran here" in command.said()
    busy.check_nothing_lost()


@pytest.mark.parametrize(
    "by", [pytest.param("serve", marks=pytest.mark.slow), pytest.param("worker", marks=pytest.mark.long)]
)
def test_a_flow_run_cancelled_in_prefect_ends_its_run_for_good(shell: Shell, busy: Busy, by: str) -> None:
    """What is in flight comes in, the report is written, and Prefect says that it was cancelled.

    Every day: a run given up in the ledger, in integration/test_cancelled_runs.py.
    """
    with at_work(shell, busy, by) as (command, flow_run):
        flow_run.cancel()
        wait_until(lambda: flow_run.state() not in ("RUNNING", "CANCELLING"), told=command.said)
        assert flow_run.state() == "CANCELLED"
        command.process.send_signal(signal.SIGTERM)
        command.wait_for_end()
        assert "Traceback" not in command.said(), command.said()
    busy.check_nothing_lost("cancelled")
    assert len(list(shell.home.glob("busy-*/*/report.html"))) == 1


@pytest.mark.long
@pytest.mark.parametrize("by", ["serve", "worker"])
def test_a_second_ctrl_c_loses_what_is_in_flight_and_says_so(shell: Shell, busy: Busy, by: str) -> None:
    """The flow run's process records it and says it before it ends."""
    with at_work(shell, busy, by) as (command, _):
        os.write(command.terminal, CTRL_C)
        time.sleep(SAME_STOP_S + 0.2)
        os.write(command.terminal, CTRL_C)
        command.wait_for_end()
        lost = busy.states()["unknown"]
        assert 0 < lost <= IN_FLIGHT
        assert f"{lost} requests in flight may have been billed: recorded as unknown" in command.said()
        assert "Resume with: runoff run --resume" in command.said()
    assert busy.states()["planned"] == PLANNED - busy.provider.n_requests
    assert busy.run_states() == ["stopped"]
