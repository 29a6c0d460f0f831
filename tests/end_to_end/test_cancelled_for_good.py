"""A run that was given up stays so: nothing automatic takes it up again, and its books are closed."""

import signal
import threading
from collections.abc import Callable
from typing import Any

import pytest

from flows.prefect_ui import cancellation
from flows.session import stopping
from flows.session.cancelling import give_up
from tasks.settings import Settings
from tests.support.child_process import wait_until
from tests.support.prefect_server import prefect_client
from tests.support.provider import OpenProvider, Provider
from tests.support.shell import CAMPAIGN, Shell
from tests.support.stops import IN_FLIGHT, PLANNED, make_busy, told_to_stop
from tests.support.turns import day, turns

DAILY = {"schedule": {"cron": "0 6 * * *"}}
BETTER = {"arms": {"A": {"prompt": "A corrected prompt {{ action }}"}, "B": CAMPAIGN["arms"]["B"]}}


def left_in_the_middle(shell: Shell, provider: Provider, by: str = "") -> str:
    """Let a turn of a schedule be interrupted in the middle of its drafts; returns its run."""
    with told_to_stop(lambda: wait_until(lambda: provider.n_requests >= 2), [signal.SIGTERM]):
        (first,) = turns(shell, shell.campaign(DAILY), day(0, by))
    assert first["name"] == "Failed", first
    (left,) = shell.json("runs")
    assert (left["state"], left["orders"]) == ("stopped", {"received": 8, "planned": 4})
    return str(left["run_id"])


@pytest.mark.slow  # every day: integration/test_cancelled_runs.py
def test_a_corrected_file_runs_after_its_wrong_run_was_given_up(
    shell: Shell, open_provider: OpenProvider
) -> None:
    """The next turn buys by the corrected file; only a person goes on with the wrong run."""
    provider = open_provider(pace=1.0, latency_s=dict.fromkeys(("low", "medium"), 0.4))
    wrong = left_in_the_middle(shell, provider)
    n_wrong = provider.n_requests
    given_up = shell.json("cancel", wrong, "--for-good")
    assert (given_up["state"], given_up["is_closed"], given_up["unknown"]) == ("cancelled", True, 0)
    assert (shell.folder(wrong) / "report.html").exists()

    (nothing,) = turns(shell, shell.campaign(DAILY | BETTER), day(1), only_resumes=True)
    assert (nothing["name"], provider.n_requests) == ("Skipped", n_wrong)
    assert "Nothing was left over" in nothing["message"]
    (again,) = turns(shell, shell.campaign(DAILY | BETTER), day(0))
    assert "already has its run" in again["message"]
    (right,) = turns(shell, shell.campaign(DAILY | BETTER), day(2))
    assert right["answer"]["run_id"] != wrong
    assert right["answer"]["state"] == "done"
    assert provider.n_requests == n_wrong + 14

    shell.runoff("cancel", "latest", "--for-good")  # it is done: nothing to give up
    assert [run["state"] for run in shell.json("runs")] == ["done", "cancelled"]
    refused = shell.runoff("promote", wrong)
    assert refused.returncode == 1
    assert f"runoff run --resume {wrong}" in refused.stderr
    taken_up = shell.runoff("run", "--resume", wrong)
    assert taken_up.returncode == 0, taken_up.stderr
    assert [run["state"] for run in shell.json("runs")] == ["done", "done"]
    assert shell.runoff("ledger", "verify").returncode == 0


def give_up_here(shell: Shell) -> None:
    """Give the latest run up, as ``runoff cancel`` does."""
    assert not give_up(Settings(shell.home, shell.environ), "latest").is_closed


def cancel_in_prefect(shell: Shell) -> None:
    """Cancel the flow run that runs, as somebody does in Prefect's pages; no worker started it."""
    with prefect_client(shell.environ["PREFECT_API_URL"]) as server:
        wanted = {"flow_runs": {"state": {"type": {"any_": ["RUNNING"]}}}}

        def running() -> list[dict[str, Any]]:
            found = server.post("/flow_runs/filter", json=wanted).raise_for_status().json()
            return [one for one in found if str(shell.home) in str(one["parameters"])]

        wait_until(lambda: bool(running()))  # its first requests leave before its flow run begins
        (flow_run,) = running()
        state = {"state": {"type": "CANCELLING"}, "force": True}
        server.post(f"/flow_runs/{flow_run['id']}/set_state", json=state).raise_for_status()


@pytest.mark.slow  # every day: integration/test_cancelled_runs.py
@pytest.mark.parametrize("how", [give_up_here, cancel_in_prefect])
def test_a_run_at_work_is_given_up_from_outside(
    shell: Shell, open_provider: OpenProvider, monkeypatch: pytest.MonkeyPatch, how: Callable[[Shell], None]
) -> None:
    """It sends nothing more, keeps what is in flight, writes its report, and says how to take it up again."""
    monkeypatch.setattr(stopping, "LOOK_S", 0.1)
    monkeypatch.setattr(cancellation, "LOOK_S", 0.1)
    busy = make_busy(shell.home, open_provider)

    def wait_and_cancel() -> None:
        busy.wait_until_full()
        how(shell)

    other = threading.Thread(target=wait_and_cancel)
    other.start()
    done = shell.runoff("run", busy.campaign())
    other.join()
    assert done.returncode == 130, done.stderr
    assert "was cancelled for good" in done.stderr
    busy.check_nothing_lost("cancelled")
    (report,) = shell.home.glob("otters/*/report.html")
    latest = shell.runoff("run", "--resume", "latest")
    assert latest.returncode == 1
    assert "only a person can take it up again" in latest.stderr
    assert report.parent.name in latest.stderr
    assert IN_FLIGHT <= busy.provider.n_requests < PLANNED


@pytest.mark.slow  # every day: integration/test_cancelled_runs.py
def test_what_takes_up_left_runs_resumes_and_begins_none(shell: Shell, open_provider: OpenProvider) -> None:
    """The left run is ended; a second call finds nothing, and no call ever made a run of its own."""
    provider = open_provider(pace=1.0, latency_s=dict.fromkeys(("low", "medium"), 0.4))
    run_id = left_in_the_middle(shell, provider)
    first, second = turns(shell, shell.campaign(DAILY), day(1), day(2), only_resumes=True)
    assert (first["answer"]["run_id"], first["answer"]["state"]) == (run_id, "done")
    assert second["name"] == "Skipped"
    assert [run["state"] for run in shell.json("runs")] == ["done"]


@pytest.mark.slow  # every day: integration/test_cancelled_runs.py
def test_a_cancellation_that_nobody_could_carry_out_is_heeded_by_the_next_turn(
    shell: Shell, open_provider: OpenProvider
) -> None:
    """The worker was killed with the process; the flow run is cancelled at the server all the same."""
    provider = open_provider(pace=1.0, latency_s=dict.fromkeys(("low", "medium"), 0.4))
    with prefect_client(shell.environ["PREFECT_API_URL"]) as server:
        flow = server.post("/flows/", json={"name": "prototype"}).raise_for_status().json()
        wanted = {"flow_id": flow["id"], "state": {"type": "CANCELLING"}}
        by = str(server.post("/flow_runs/", json=wanted).raise_for_status().json()["id"])
    wrong = left_in_the_middle(shell, provider, by)
    (right,) = turns(shell, shell.campaign(DAILY | BETTER), day(1))
    assert right["answer"]["run_id"] != wrong
    assert [run["state"] for run in shell.json("runs")] == ["done", "cancelled"]
    assert (shell.folder(wrong) / "report.html").exists()
