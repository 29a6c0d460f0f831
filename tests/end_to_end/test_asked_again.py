"""A judge asked again: priced first, asked once, and all that it tells is how often it answers otherwise."""

from decimal import Decimal
from typing import Any

import pandas as pd
import pytest

from tests.support.provider import OpenProvider
from tests.support.shell import Shell

JUDGED: dict[str, Any] = {
    "score": {
        "weights": {"technical": 1, "judge": 3},
        "judge": {"rubric": ["The picture is sharp", "The light is good"]},
    },
    "finalists": {"count": 2, "approval": "review"},
}


@pytest.mark.slow  # every day: unit/tasks/judging/test_judge_check.py
def test_a_judge_is_asked_again_about_some_pictures_and_nothing_else_changes(
    shell: Shell, open_provider: OpenProvider
) -> None:
    """The run keeps its state, scores and finalists; the bill equals the ledger; noise is null before."""
    provider = open_provider(judge_noise=0.3, near_copy_rate=0.0, exact_copy_rate=0.0, paint="plain")
    outcome = shell.json("run", shell.campaign(JUDGED))
    before = shell.json("judge", "latest")
    assert [one["noise"] for one in before["statements"]] == [None, None]
    asked = shell.runoff("judge", "latest", "--ask-again", "5", "--yes")
    assert asked.returncode == 0, asked.stderr
    assert "5 questions asked again: up to $" in asked.stdout
    after = shell.json("judge", "latest")
    assert [one["asked_again"] for one in after["statements"]] == [5, 5]
    assert all(0 <= one["noise"] <= 1 for one in after["statements"])
    frame = pd.read_parquet(shell.folder(outcome["run_id"]) / "report.parquet")
    assert (frame["stage"] == "judge").sum() == 12 + 5
    (listed,) = shell.json("runs")
    assert (listed["state"], listed["finalists"]) == ("awaiting review", outcome["finalists"])
    assert Decimal(listed["spent_usd"]) == Decimal(provider.charged_nanousd) / 10**9
    assert "asked again about these pictures before" in shell.runoff("judge", "--ask-again", "5").stdout
    assert shell.json("rescore", "latest")["finalists"] == outcome["finalists"]
    assert shell.runoff("ledger", "verify").returncode == 0


@pytest.mark.slow
def test_a_run_without_a_judge_has_nothing_to_ask_again(shell: Shell, open_provider: OpenProvider) -> None:
    """It is said in words, and nothing is sent."""
    provider = open_provider(paint="plain")
    shell.json("run", shell.campaign({"finalists": {"count": 0}}))
    n_before = provider.bill()["total"]["requests"]
    refused = shell.runoff("judge", "latest", "--ask-again", "3", "--yes")
    assert refused.returncode == 1
    assert "its campaign has no judge" in refused.stderr
    assert "about none" in shell.runoff("judge", "latest").stdout
    assert provider.bill()["total"]["requests"] == n_before
