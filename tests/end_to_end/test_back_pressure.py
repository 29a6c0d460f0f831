"""A schedule waits for people: no new run while too many await review."""

from typing import Any

import pytest

from tests.support.provider import OpenProvider
from tests.support.shell import Shell


@pytest.mark.slow
def test_a_schedule_skips_while_runs_await_review(shell: Shell, open_provider: OpenProvider) -> None:
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
    """Run the flow as a schedule does."""
    from flows.prototype import prototype

    answer: dict[str, Any] = shell.run_flow(lambda: prototype(campaign, is_scheduled=True))
    return answer
