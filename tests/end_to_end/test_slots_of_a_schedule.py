"""A schedule by a fast clock: slots, skips, pauses, and runs that are taken up again."""

import re
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest

from flows.schedule.take_slot import Starter
from tasks.ledger.schema import runs
from tests.support.child_process import started, wait_until
from tests.support.ledgers import open_ledger
from tests.support.prefect_server import prefect_client
from tests.support.provider import OpenProvider
from tests.support.shell import Shell
from tests.support.turns import SIX, day, turns


@pytest.mark.slow  # every day: integration/test_slots.py
def test_each_slot_has_one_run_and_skips_are_told(shell: Shell, open_provider: OpenProvider) -> None:
    """Two days bought, one of them started twice; then the month's money is short and people are told."""
    provider = open_provider()
    daily = {"schedule": {"cron": "0 6 * * *"}}
    campaign = shell.campaign(daily)
    first, again, second = turns(shell, campaign, day(0), day(0, by="another worker"), day(1))
    assert first["answer"]["state"] == second["answer"]["state"] == "done"
    assert first["name"] == "Completed"
    assert f"Spent ${Decimal(first['answer']['spent_usd']):.4f}" in first["message"]
    check_seen_in_prefect(shell, first["answer"]["run_id"])
    assert again["name"] == "Skipped"
    assert f"This slot already has its run: {first['answer']['run_id']}, done." in again["message"]
    assert provider.n_requests == 2 * (12 + 2)
    spent_usd = sum(Decimal(turn["answer"]["spent_usd"]) for turn in (first, second))
    campaign = shell.campaign(daily | {"budget": {"per_run_usd": "3", "per_month_usd": f"{spent_usd}1"}})
    for turn in turns(shell, campaign, day(2), day(3), day(3)):
        assert turn["name"] == "Skipped"
        assert "This month's budget of otters has $" in turn["message"]
        assert turn["answer"]["state"] == "skipped"
    assert provider.n_requests == 2 * (12 + 2)
    told = shell.runoff("runs").stdout
    assert told.count("skipped") == 2
    assert told.count("otters: This month's budget of otters") == 2
    assert [run["state"] for run in shell.json("runs")] == ["skipped", "skipped", "done", "done"]


def check_seen_in_prefect(shell: Shell, run_id: str) -> None:
    """The flow run is named by campaign, time and run, tagged by what became of it, and has the run's log."""
    api_url = shell.environ["PREFECT_API_URL"]
    with prefect_client(api_url) as server:
        wanted = {"flow_runs": {"tags": {"all_": ["runoff", "otters", "done"]}}}
        (seen,) = [
            one
            for one in server.post("/flow_runs/filter", json=wanted).json()
            if one["name"].endswith(f" · {run_id}")
        ]
        assert re.fullmatch(rf"otters · \d{{4}}-\d\d-\d\d \d\d:\d\d · {run_id}", seen["name"])
        assert any(tag.startswith("by ") for tag in seen["tags"])
        asked = {"logs": {"flow_run_id": {"any_": [seen["id"]]}}}
        wait_until(lambda: "drafts 12/12" in str(server.post("/logs/filter", json=asked).json()))


@pytest.mark.slow
def test_a_wrong_file_fails_its_turn_only_and_a_right_one_makes_it_up(
    shell: Shell, open_provider: OpenProvider
) -> None:
    """Nothing is bought, the turn is listed with its fault; the same turn started again makes its run."""
    provider = open_provider()
    campaign = shell.campaign({"finals": {"model": "gpt-image-9"}})
    (failed,) = turns(shell, campaign, day(0))
    assert failed["name"] == "Failed"
    assert "otters.yaml" in failed["message"]
    (listed,) = shell.json("runs")
    assert listed["state"] == "failed"
    assert "otters.yaml" in listed["message"]
    assert provider.n_requests == 0
    (mended,) = turns(shell, shell.campaign(), day(0))
    assert mended["answer"]["state"] == "done"
    assert [run["state"] for run in shell.json("runs")] == ["done"]


FIRST_TURN = """
import asyncio, sys
from datetime import datetime
from unittest.mock import patch
from flows import prototype as module
from flows.schedule.take_slot import Starter

starter = Starter("otters", datetime.fromisoformat(sys.argv[2]), "flow-run-0")
with patch.object(module, "current_starter", lambda **_: starter):
    asyncio.run(module.prototype(sys.argv[1], is_scheduled=True))
"""


@pytest.mark.slow  # every day: a retried flow run, below
def test_a_run_left_by_a_killed_process_is_taken_up_by_the_next_turn(
    shell: Shell, open_provider: OpenProvider
) -> None:
    """The first turn's process is killed; the second goes on with its run and buys nothing twice."""
    hang = {"kind": "bill_then_hang", "nth": [3], "path": "generations", "duration_s": 100}
    provider = open_provider(hang)
    campaign = shell.campaign({"schedule": {"cron": "0 6 * * *"}})
    words = [sys.executable, "-c", FIRST_TURN, str(campaign), SIX.isoformat()]
    with started(words, env=shell.environ, stdout=subprocess.DEVNULL) as process:
        wait_until(lambda: provider.n_requests >= 12 or process.poll() is not None)
        assert process.poll() is None
        time.sleep(0.5)  # what was answered is kept by now
        process.kill()
    (left,) = shell.json("runs")
    assert left["state"] == "stopped"
    assert "killed" in left["message"]
    assert f"Resume it: runoff run --resume {left['run_id']}" in shell.runoff("runs").stdout
    next_day, day_after = turns(shell, campaign, day(1), day(2))
    assert next_day["answer"]["run_id"] == left["run_id"]
    assert next_day["answer"]["state"] == "done"
    assert next_day["answer"]["orders"] == {"received": 13, "unknown": 1}
    assert day_after["answer"]["run_id"] != left["run_id"]
    assert provider.n_requests == 2 * (12 + 2)
    assert shell.runoff("ledger", "verify").returncode == 0


@pytest.mark.slow
@pytest.mark.parametrize(
    ("n_failures", "state", "in_ledger"), [(2, "Completed", "done"), (9, "Failed", "stopped")]
)
def test_a_retried_flow_run_goes_on_with_its_run(
    shell: Shell, open_provider: OpenProvider, n_failures: int, state: str, in_ledger: str
) -> None:
    """What nobody foresaw is tried again twice; each try goes on with the same run, buying nothing again."""
    provider = open_provider()
    campaign = shell.campaign({"schedule": {"cron": "0 6 * * *"}})
    ended, n_calls = retried(shell, campaign, n_failures)
    assert (ended, n_calls) == (state, 3)
    (run,) = shell.json("runs")
    assert run["state"] == in_ledger
    assert provider.n_requests == (14 if in_ledger == "done" else 12)


def retried(shell: Shell, campaign: Path, n_failures: int) -> tuple[str, int]:
    """Start a turn whose last step fails so often; returns its state and how often the step was tried."""
    from flows import prototype
    from flows.prefect_ui import flow_states

    module: Any = prototype  # the module, whose names are replaced
    real, n_calls = module.select_task, 0

    async def fail_first(run: Any, **rules: Any) -> Any:
        nonlocal n_calls
        n_calls += 1
        if n_calls <= n_failures:
            message = "the network share is away"
            raise OSError(message)
        return await real(run, **rules)

    starter = Starter("otters", datetime(2026, 11, 23, 6, tzinfo=UTC), "flow-run")
    with (
        patch.object(flow_states, "RETRY_AFTER_S", 0.0),
        patch.object(module, "current_starter", lambda **_: starter),
        patch.object(module, "select_task", fail_first),
    ):
        state: Any = shell.run_flow(
            lambda: module.prototype(str(campaign), is_scheduled=True, return_state=True)
        )
    return state.name, n_calls


@pytest.mark.slow  # every day: what is decided, in integration/test_deadlines.py
def test_a_slot_buys_first_what_nobody_decided_about_in_time(
    shell: Shell, open_provider: OpenProvider
) -> None:
    """The first day's review has ended by the second: its finalists are bought, once; the second waits."""
    provider = open_provider()
    rules = {"count": 2, "approval": "review", "decide_within": "2h", "then": "auto"}
    campaign = shell.campaign({"schedule": {"cron": "0 6 * * *"}, "finalists": rules})
    turns(shell, campaign, day(0))
    assert "Decide by" in shell.runoff("runs").stdout
    long_ago = datetime.now(UTC) - timedelta(hours=3)
    with open_ledger(shell.home) as ledger, ledger.database.write() as connection:
        connection.execute(runs.update().values(finished_at=long_ago))
    turns(shell, campaign, day(1), day(1))
    listed = {run["run_id"]: (run["state"], run["finals"]) for run in shell.json("runs")}
    assert [listed[name] for name in sorted(listed)] == [("done", 2), ("awaiting review", 0)]
    assert provider.n_requests == 12 + 2 + 12
