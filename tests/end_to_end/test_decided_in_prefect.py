"""A run that somebody decided about elsewhere: its flow run says so in Prefect's pages, once."""

from typing import Any

import pytest

from flows.prefect_ui.looked_after import look_after
from tasks.settings import Settings
from tests.support.prefect_server import prefect_client
from tests.support.provider import OpenProvider
from tests.support.shell import Shell

REVIEW = {"finalists": {"count": 2, "approval": "review"}}


def flow_run_of(shell: Shell, run_id: str) -> dict[str, Any]:
    """Find the flow run that made a run."""
    with prefect_client(shell.environ["PREFECT_API_URL"]) as api:
        found = api.post("/flow_runs/filter", json={"flow_runs": {"name": {"like_": run_id}}}).json()
    (made,) = (run for run in found if "finals" not in run["name"])
    return dict(made)


def looked_after(shell: Shell) -> list[str]:
    """Look after the server as `runoff serve` and `runoff worker` do."""
    with shell.seat():
        return [line for line in look_after(Settings(shell.home, shell.environ)) if "otters" in line]


@pytest.mark.slow  # every day: states and messages, in test_seen_in_prefect.py
def test_decided_runs_are_told_with_who_and_why(shell: Shell, open_provider: OpenProvider) -> None:
    """One declined, one bought, one still open: the first two are told, and not a second time."""
    open_provider()
    campaign = shell.campaign(REVIEW)
    declined, bought, left = [shell.json("run", campaign, "--yes")["run_id"] for _ in range(3)]
    assert flow_run_of(shell, declined)["state_name"] == "Awaiting review"
    assert looked_after(shell) == []
    assert shell.runoff("decline", declined, "--reason", "all too dark").returncode == 0
    assert shell.runoff("promote", bought, "--yes").returncode == 0
    told = looked_after(shell)
    assert [line.partition(":")[0] for line in sorted(told)] == [
        f"otters {run}" for run in sorted((declined, bought))
    ]
    assert looked_after(shell) == []

    of_declined, of_bought = flow_run_of(shell, declined), flow_run_of(shell, bought)
    assert (of_declined["state_name"], of_bought["state_name"]) == ("Declined", "Completed")
    message = of_declined["state"]["message"]
    assert ": all too dark On technical quality" in message or ": all too dark. " in message, message
    assert "Spent $0." in message
    assert message.endswith("report.html")
    assert "2 of 2 finals accepted." in of_bought["state"]["message"]
    assert {"declined", "otters", "runoff"} <= set(of_declined["tags"])
    assert {"done", "otters", "runoff"} <= set(of_bought["tags"])
    assert "awaiting review" not in {*of_declined["tags"], *of_bought["tags"]}
    assert flow_run_of(shell, left)["state_name"] == "Awaiting review"
