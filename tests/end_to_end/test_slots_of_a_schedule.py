"""A schedule by a fast clock: slots, skips, pauses, and runs that are taken up again."""

import json
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.end_to_end.conftest import Provider, Shell

TURNS = """
import asyncio, json, sys
from datetime import datetime, timedelta
from unittest.mock import patch
from flows import prototype as module
from flows.schedule.slots import Starter

async def turns():
    for turn in json.loads(sys.argv[2]):
        starter = Starter("otters", datetime.fromisoformat(turn["due_at"]), turn["by"])
        with patch.object(module, "current_starter", lambda **_: starter):
            state = await module.prototype(sys.argv[1], is_scheduled=True, return_state=True)
        answer = await state.result(raise_on_failure=False)
        yield {"name": state.name, "message": state.message, "answer": answer}

async def main():
    print(json.dumps([turn async for turn in turns()], default=str))

asyncio.run(main())
"""
SIX = datetime.now(UTC).replace(hour=6, minute=0, second=0, microsecond=0) + timedelta(days=1)
"""The first turn lies ahead of the runs, which begin when the test does: so skipped turns come after them."""


def day(number: int, by: str = "") -> dict[str, str]:
    """A turn: six o'clock of a day, started by somebody."""
    due_at = SIX + timedelta(days=number)
    return {"due_at": due_at.isoformat(), "by": by or f"flow-run-{number}"}


def turns(shell: Shell, campaign: Path, *wanted: dict[str, str]) -> list[dict[str, Any]]:
    """Let turns come one after another, in one process with a clock of their own."""
    words = [sys.executable, "-c", TURNS, str(campaign), json.dumps(wanted)]
    done = subprocess.run(words, env=shell.environ, capture_output=True, text=True, timeout=200, check=False)
    assert done.returncode == 0, done.stderr
    answers: list[dict[str, Any]] = json.loads(done.stdout.splitlines()[-1])
    return answers


def test_each_slot_has_one_run_and_skips_are_told(
    shell: Shell, open_provider: Callable[..., Provider]
) -> None:
    """Two days bought, one of them started twice; then the month's money is short and people are told."""
    provider = open_provider()
    daily = {"schedule": {"cron": "0 6 * * *"}}
    campaign = shell.campaign(daily)
    first, again, second = turns(shell, campaign, day(0), day(0, by="another worker"), day(1))
    assert first["answer"]["state"] == second["answer"]["state"] == "done"
    assert again["name"] == "Skipped"
    assert f"This slot has had its run: {first['answer']['run_id']}, done." in again["message"]
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


@pytest.mark.slow
def test_a_wrong_file_fails_its_turn_only_and_a_right_one_makes_it_up(
    shell: Shell, open_provider: Callable[..., Provider]
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


def test_a_run_left_by_a_killed_process_is_taken_up_by_the_next_turn(
    shell: Shell, open_provider: Callable[..., Provider]
) -> None:
    """The first turn's process is killed; the second goes on with its run and buys nothing twice."""
    hang = {"kind": "bill_then_hang", "nth": [3], "path": "generations", "duration_s": 100}
    provider = open_provider(hang)
    campaign = shell.campaign({"schedule": {"cron": "0 6 * * *"}})
    words = [sys.executable, "-c", TURNS, str(campaign), json.dumps([day(0)])]
    with subprocess.Popen(words, env=shell.environ, stdout=subprocess.DEVNULL) as process:
        deadline = time.monotonic() + 90
        while provider.n_requests < 12:
            assert process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.1)
        time.sleep(0.5)  # what was answered is kept by now
        process.kill()
    (left,) = shell.json("runs")
    assert left["state"] == "running"
    next_day, day_after = turns(shell, campaign, day(1), day(2))
    assert next_day["answer"]["run_id"] == left["run_id"]
    assert next_day["answer"]["state"] == "done"
    assert next_day["answer"]["orders"] == {"received": 13, "unknown": 1}
    assert day_after["answer"]["run_id"] != left["run_id"]
    assert provider.n_requests == 2 * (12 + 2)
    assert shell.runoff("ledger", "verify").returncode == 0


RETRIED = """
import asyncio, json, sys
from datetime import datetime
from unittest.mock import patch
from flows import prototype as module
from flows.prefect_ui import flow_states
from flows.schedule.slots import Starter

real, n_calls = module.select_task, 0

async def fails_twice(run, **rules):
    global n_calls
    n_calls += 1
    if n_calls <= int(sys.argv[3]):
        raise OSError("the network share is away")
    return await real(run, **rules)

starter = Starter("otters", datetime.fromisoformat("2026-11-23T06:00:00+00:00"), "flow-run")
with (
    patch.object(flow_states, "RETRY_AFTER_S", 0.0),
    patch.object(module, "current_starter", lambda **_: starter),
    patch.object(module, "select_task", fails_twice),
):
    state = asyncio.run(module.prototype(sys.argv[1], is_scheduled=True, return_state=True))
print(json.dumps({"state": state.name, "message": state.message, "n_calls": n_calls}))
"""


@pytest.mark.parametrize(
    ("n_failures", "state", "in_ledger"), [(2, "Completed", "done"), (9, "Failed", "stopped")]
)
def test_a_retried_flow_run_goes_on_with_its_run(
    shell: Shell, open_provider: Callable[..., Provider], n_failures: int, state: str, in_ledger: str
) -> None:
    """What nobody foresaw is tried again twice; each try goes on with the same run, buying nothing again."""
    provider = open_provider()
    campaign = shell.campaign({"schedule": {"cron": "0 6 * * *"}})
    words = [sys.executable, "-c", RETRIED, str(campaign), "", str(n_failures)]
    done = subprocess.run(words, env=shell.environ, capture_output=True, text=True, timeout=200, check=False)
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout.splitlines()[-1])
    assert (answer["state"], answer["n_calls"]) == (state, 3), answer
    (run,) = shell.json("runs")
    assert run["state"] == in_ledger
    assert provider.n_requests == (14 if in_ledger == "done" else 12)
