"""Runs whose statements a model writes: once, before anything else, and the same every night."""

from decimal import Decimal
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import yaml

from tests.support.crash_trials import Crash, Trials, temporary_trials
from tests.support.crash_ways import WAYS
from tests.support.provider import OpenProvider, Provider
from tests.support.shell import Shell

FROM_BRIEF: dict[str, Any] = {
    "score": {"weights": {"judge": 1}, "judge": {"questions": "from_brief"}},
    "finalists": {"count": 0},
}


def chats(provider: Provider) -> list[str]:
    """List the questions that the provider received."""
    return [entry["prompt"] for entry in provider.bill()["entries"] if "chat" in entry["path"]]


def briefs(provider: Provider) -> list[str]:
    """List the briefs that it was asked about."""
    return [text.rpartition("Brief: ")[2] for text in chats(provider) if "Brief: " in text]


@pytest.mark.slow  # every day: test_the_command_shows_prices_and_writes
def test_statements_are_bought_once_edited_by_people_and_asked_every_night(
    shell: Shell, open_provider: OpenProvider
) -> None:
    """Bill and ledger agree; what somebody edits is asked the next night, and nothing is written again."""
    provider = open_provider(near_copy_rate=0.0, exact_copy_rate=0.0)
    campaign = Path(shell.campaign(FROM_BRIEF))
    first = shell.json("run", campaign)
    assert first["exit_code"] == 0
    assert sorted(briefs(provider)) == [
        "A baby sea otter asleep in kelp",
        "A baby sea otter swimming on its back",
    ]
    assert Decimal(first["spent_usd"]) == Decimal(provider.charged_nanousd) / 10**9
    answers = pd.read_parquet(shell.folder(first["run_id"]) / "statements.parquet")
    assert answers.groupby("candidate_id").size().min() >= 3
    assert answers["is_true"].notna().all()
    file = campaign.parent / "questions.yaml"
    edited = file.read_text().replace("There is no text in the picture", "There is no text at all in it")
    file.write_text(edited)
    second = shell.json("run", campaign, "--again")
    assert second["exit_code"] == 0
    assert len(briefs(provider)) == 2
    answers = pd.read_parquet(shell.folder(second["run_id"]) / "statements.parquet")
    assert "There is no text at all in it" in set(answers["statement"])
    assert file.read_text() == edited
    assert shell.runoff("ledger", "verify").returncode == 0


@pytest.mark.slow
def test_a_judge_that_is_down_leaves_the_statements_to_the_resumed_run(
    shell: Shell, open_provider: OpenProvider
) -> None:
    """Pictures are made and not judged; resumed, the statements are written and all is judged."""
    open_provider({"kind": "unverified", "path": "chat"})
    first = shell.json("run", shell.campaign(FROM_BRIEF))
    assert first["exit_code"] == 4
    assert "no statements for 2 briefs" in (shell.folder(first["run_id"]) / "summary.json").read_text()
    open_provider()
    resumed = shell.json("run", "--resume", "latest")
    assert resumed["exit_code"] == 0
    drafts = pd.read_parquet(shell.folder(first["run_id"]) / "report.parquet")
    drafts = drafts[drafts["status"] == "survivor"]
    assert drafts["score_judge"].notna().all()


def test_the_command_shows_prices_and_writes(shell: Shell, open_provider: OpenProvider) -> None:
    """It spends only when told to; then a plan has nothing left to write."""
    provider = open_provider()
    campaign = shell.campaign(FROM_BRIEF)
    shown = shell.json("questions", campaign)
    assert (shown["missing"], chats(provider)) == (2, [])
    assert 0 < Decimal(shown["low_usd"]) < Decimal(shown["high_usd"]) < Decimal("0.01")
    written = shell.json("questions", campaign, "--write")
    assert written["missing"] == 0
    assert len(yaml.safe_load((Path(campaign).parent / "questions.yaml").read_text())) == 2
    assert all(len(entry["statements"]) >= 3 for entry in written["briefs"])
    assert shell.json("questions", campaign, "--write")["missing"] == 0
    assert len(chats(provider)) == 2
    assert shell.json("plan", campaign)["judging"]["briefs"] == 0
    refused = shell.runoff("questions", shell.campaign({}, "other.yaml"))
    assert refused.returncode != 0
    assert "from_brief" in refused.stderr


@pytest.mark.long  # some points of this way: test_crash_points.py
def test_twelve_rows_killed_in_each_stage_pay_for_nothing_twice(prefect_server: str) -> None:
    """While statements are written, drafts made, judged, finals bought and the report written."""
    way = WAYS["statements from briefs"]
    with temporary_trials(prefect_server) as trials:
        wrong = [text for at in _points(trials) for text in trials.play(way, Crash((at, 3), "kill"))]
    assert wrong == []


def _points(trials: Trials) -> list[int]:
    """Choose a point in each stage."""
    names = trials.points(WAYS["statements from briefs"])
    wanted = ("answers/", "campaign.yaml", "questions.yaml", "drafts/", "finals/", "report.csv")
    found = [
        next((number for number, name in enumerate(names, 1) if part in name and number > 3), 0)
        for part in wanted
    ]
    assert all(found), dict(zip(wanted, found, strict=True))
    middle = len(names) * 2 // 3  # among the judge's answers
    return [*found, middle]
