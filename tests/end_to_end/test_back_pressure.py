"""A schedule waits for people: no new run while too many await review."""

import json
import subprocess
import sys
from collections.abc import Callable
from typing import Any

from tests.end_to_end.conftest import Provider, Shell

SCHEDULED = """
import asyncio, json, sys
from flows.prototype import prototype
print(json.dumps(asyncio.run(prototype(sys.argv[1], is_scheduled=True)), default=str))
"""


def test_a_schedule_skips_while_runs_await_review(
    shell: Shell, open_provider: Callable[..., Provider]
) -> None:
    """The second turn is skipped, says why and buys nothing; by hand a run is still made."""
    provider = open_provider()
    schedule = {"cron": "0 6 * * *", "pause_when_unreviewed": 1}
    campaign = shell.campaign({"schedule": schedule, "finalists": {"count": 1, "approval": "review"}})
    assert by_schedule(shell, str(campaign))["state"] == "awaiting review"
    assert provider.n_requests == 12
    skipped = by_schedule(shell, str(campaign))
    assert skipped["state"] == "skipped"
    assert "Awaiting review at otters: 1 run." in skipped["message"]
    assert provider.n_requests == 12
    assert shell.json("run", campaign)["state"] == "awaiting review"


def by_schedule(shell: Shell, campaign: str) -> dict[str, Any]:
    """Run the flow as a schedule does; its answer is the last line."""
    words = [sys.executable, "-c", SCHEDULED, campaign]
    done = subprocess.run(words, env=shell.environ, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    answer: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return answer
