"""Thirty requests are in flight at a Dask scheduler's workers when some of them are told to stop."""

import signal
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from flows.runs.stop_signals import SAME_STOP_S
from flows.workers import dask_pool
from tests.support.child_process import wait_until
from tests.support.dask_setup import dask_setup
from tests.support.provider import OpenProvider
from tests.support.shell import CAMPAIGN, LIMIT_S, Done, Shell
from tests.support.stops import Busy, make_busy

N_DRAFTS = 120
"""Two workers have two batches of eight each at once then: 32 in flight."""
ONE_WORKERS_SHARE = 16

pytestmark = [pytest.mark.long, pytest.mark.timeout(600)]


@pytest.fixture
def busy(shell: Shell, open_provider: OpenProvider) -> Busy:
    """A home with requests in flight."""
    return make_busy(shell.home, open_provider)


def stopped(
    shell: Shell, busy: Busy, folder: Path, *names: str, numbers: Sequence[signal.Signals] = (signal.SIGTERM,)
) -> Done:
    """Run over two workers, and tell some of them to stop once thirty requests are in flight."""
    with dask_setup(folder, shell.environ, "one", "two") as team:

        def tell() -> None:
            busy.wait_until_full(team.said)
            for number in numbers:
                for name in names:
                    team.workers[name].send_signal(number)
                time.sleep(SAME_STOP_S + 0.2 if len(numbers) > 1 else 0)
            for name in names:
                team.workers[name].wait(LIMIT_S)

        teller = threading.Thread(target=tell)
        teller.start()
        drafts = CAMPAIGN["drafts"] | {"per_prompt": N_DRAFTS}
        done = shell.runoff("run", busy.campaign({"drafts": drafts}), RUNOFF_DASK=team.address)
        teller.join()
    return done


def check(busy: Busy, state: str, is_right: Callable[[int, int], bool]) -> None:
    """See that no order is lost or sent twice, how many came, and that the books agree with the bill."""
    states = busy.states()
    assert set(states) <= {"received", "planned"}, states
    names = [entry["client_request_id"] for entry in busy.provider.orders()]
    assert len(names) == len(set(names)) == states["received"]
    assert is_right(states["received"], states["planned"]), states
    busy.check_books(state)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_worker_that_is_told_to_stop_leaves_the_rest_to_the_other(
    shell: Shell, busy: Busy, tmp_path: Path, number: signal.Signals
) -> None:
    """What it has in flight comes in, and the run is done as if nothing had been."""
    done = stopped(shell, busy, tmp_path / "dask", "one", numbers=[number])
    assert done.returncode == 0, done.stdout + done.stderr
    check(busy, "done", lambda received, planned: (received, planned) == (N_DRAFTS + 2, 0))


def test_a_worker_that_is_told_twice_loses_at_most_what_it_has_in_flight(
    shell: Shell, busy: Busy, tmp_path: Path
) -> None:
    """The run is done at the other worker; if anything was lost, it says how many may have been billed."""
    done = stopped(shell, busy, tmp_path / "dask", "one", numbers=[signal.SIGTERM, signal.SIGTERM])
    states = busy.states()
    assert set(states) <= {"received", "unknown"}, (states, done.stdout + done.stderr)
    assert states["unknown"] <= ONE_WORKERS_SHARE
    assert states["unknown"] == 0 or f"{states['unknown']} requests" in done.stdout + done.stderr
    assert busy.run_states() == ["done"]


def test_a_run_whose_workers_are_all_told_to_stop_can_be_resumed(
    shell: Shell, busy: Busy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is in flight comes in; the run stops for want of workers."""
    monkeypatch.setattr(dask_pool, "ALONE_S", 25.0)
    done = stopped(shell, busy, tmp_path / "dask", "one", "two")
    assert done.returncode == 1, done.stdout + done.stderr
    assert "has had no workers" in done.stderr
    check(busy, "stopped", lambda received, planned: 30 <= received < N_DRAFTS == received + planned)
    wait_until(lambda: busy.run_states() == ["stopped"])
