"""Drafts in rounds: arms that do badly are dropped on the way, and nothing is bought twice or guessed."""

import json
from decimal import Decimal
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from tasks.candidate import Candidate, Score
from tests.support.provider import OpenProvider
from tests.support.shell import CAMPAIGN, Shell

STYLES = ("watercolour", "photograph", "ink", "mosaic")
HALVING: dict[str, Any] = {
    "arms": {
        name: {"prompt": f"An otter {{{{ action }}}}, {style}"}
        for name, style in zip("ABCD", STYLES, strict=True)
    },
    "drafts": CAMPAIGN["drafts"] | {"per_prompt": 2, "allocation": "halving"},
    "finalists": {"count": 0},
}
FIRST, ALL = 8, 16
"""Drafts of the first round, and of both: 4 arms x 2 rows x 1, then 2 arms x 2 rows x 2."""


class Taste:
    """A scorer of the user's own, who likes arm A."""

    name, version = "taste", "1"

    def score(self, candidate: Candidate, run_folder: Path) -> Score:  # noqa: ARG002
        """Score by the arm alone."""
        return Score(0.9 if candidate.arm == "A" else 0.6, candidate.arm, {}, self.version)


def summary(shell: Shell, outcome: dict[str, Any]) -> dict[str, Any]:
    """Read a run's summary."""
    found: dict[str, Any] = json.loads((shell.folder(outcome["run_id"]) / "summary.json").read_text())
    return found


@pytest.mark.slow  # every day: unit/tasks/campaign/test_rounds.py
def test_the_better_arms_get_the_pictures_of_the_others(shell: Shell, open_provider: OpenProvider) -> None:
    """The plan's drafts and dollars hold, the rounds are told, and the verdict is by later pictures only."""
    provider = open_provider(near_copy_rate=0.0)
    plan = shell.json("plan", shell.campaign(HALVING))
    outcome = shell.json("run", shell.campaign(HALVING))
    told = summary(shell, outcome)
    assert plan["pictures"] == provider.n_requests == ALL
    assert Decimal(outcome["spent_usd"]) <= Decimal(plan["drafts_high_usd"])
    first, last = told["rounds"]
    going_on = {standing["arm"] for standing in first["standings"] if standing["goes_on"]}
    means = [standing["mean_score"] for standing in first["standings"]]
    assert (len(going_on), means) == (2, sorted(means, reverse=True))
    assert {standing["arm"] for standing in last["standings"]} == going_on
    frame = pd.read_parquet(shell.folder(outcome["run_id"]) / "report.parquet")
    assert {arm: len(own) for arm, own in frame.groupby("arm")} == {
        arm: 6 if arm in going_on else 2 for arm in "ABCD"
    }
    (pair,) = told["ab_test"]["pairs"]
    fresh = frame[(frame["replicate_index"] >= 1) & frame["status"].isin(("survivor", "duplicate"))]
    counts = fresh.groupby(["arm", "row"])["cluster"].nunique().groupby("arm").sum()
    assert set(pair["arms"]) == going_on
    assert pair["pictures"] == [counts[arm] for arm in pair["arms"]]
    assert outcome["verdict"] == told["verdict"]
    assert "The other 2 arms were dropped in earlier rounds." in told["verdict"]
    page = (shell.folder(outcome["run_id"]) / "report.html").read_text()
    assert "Which arms went on" in page
    assert shell.runoff("ledger", "verify").returncode == 0


@pytest.mark.slow
def test_a_clear_leader_saves_the_rest_of_the_drafts(
    shell: Shell, open_provider: OpenProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After the first of four rounds the last one follows, of the leader and the runner-up: that is all."""
    provider = open_provider(near_copy_rate=0.0)
    taste = EntryPoint("taste", f"{__name__}:Taste", "runoff.scorers")
    monkeypatch.setattr("tasks.scorers.entry_points", lambda **_: [taste])
    clear = {
        "drafts": HALVING["drafts"] | {"per_prompt": 4},
        "score": {"weights": {"technical": 1, "taste": 3}},
    }
    plan = shell.json("plan", shell.campaign(HALVING | clear))
    outcome = shell.json("run", shell.campaign(HALVING | clear))
    told = summary(shell, outcome)
    first, last = told["rounds"]
    runner_up = first["standings"][1]["arm"]
    assert [part["pictures"] for part in plan["rounds"]] == [8, 8, 8, 8]
    assert [part["fewest_pictures"] for part in plan["rounds"]] == [8, 0, 0, 8]
    assert outcome["pictures"] == FIRST + 8
    assert Decimal(outcome["spent_usd"]) >= Decimal(plan["low_usd"])
    assert [standing["goes_on"] for standing in first["standings"]] == [True, True, False, False]
    assert first["standings"][0]["arm"] == "A"
    assert all(standing["chance"] < 0.05 for standing in first["standings"][1:])
    assert last["is_last"]
    assert {standing["arm"] for standing in last["standings"]} == {"A", runner_up}
    (pair,) = told["ab_test"]["pairs"]
    assert set(pair["arms"]) == {"A", runner_up}
    assert all(3 <= number <= 4 for number in pair["pictures"])  # of four each, less a duplicate
    shell.json("rescore", "latest", "--weight", "technical=1")
    again = shell.json("run", "--resume", "latest")
    assert (again["pictures"], provider.n_requests) == (FIRST + 8, FIRST + 8)
    assert summary(shell, again)["rounds"][0] == first


@pytest.mark.slow
def test_a_run_out_of_money_in_its_second_round_goes_on_with_the_same_arms(
    shell: Shell, open_provider: OpenProvider
) -> None:
    """The decision stands, no picture is bought twice, and each round comes out as it was planned."""
    provider = open_provider(near_copy_rate=0.0)
    plan = shell.json("plan", shell.campaign(HALVING))
    budget = {"budget": {"per_run_usd": plan["drafts_low_usd"]}}
    outcome = shell.json("run", shell.campaign(HALVING | budget))
    before = summary(shell, outcome)["rounds"]
    assert outcome["exit_code"] == 3
    assert FIRST < provider.n_requests < ALL
    as_run = shell.folder(outcome["run_id"]) / "campaign.yaml"
    as_run.write_text(as_run.read_text().replace(plan["drafts_low_usd"], "9"))
    resumed = shell.json("run", "--resume", "latest")
    assert (resumed["exit_code"], resumed["orders"]) == (0, {"received": ALL})
    assert summary(shell, resumed)["rounds"][0] == before[0]
    assert provider.n_requests == ALL


@pytest.mark.slow
def test_a_round_without_the_judges_scores_is_not_decided(shell: Shell, open_provider: OpenProvider) -> None:
    """No arm is dropped by half of what was asked for; once the judge answers, the run goes on."""
    judged = {"score": {"weights": {"technical": 1, "judge": 3}, "judge": {"rubric": ["It is sharp"]}}}
    down = open_provider({"kind": "unverified", "path": "chat"}, near_copy_rate=0.0)
    outcome = shell.json("run", shell.campaign(HALVING | judged))
    assert (outcome["exit_code"], outcome["state"], down.n_requests) == (4, "stopped", FIRST)
    assert "Round 1 could not be decided" in outcome["message"]
    up = open_provider(near_copy_rate=0.0)
    resumed = shell.json("run", "--resume", "latest")
    assert (resumed["exit_code"], resumed["pictures"], up.n_requests) == (0, ALL, ALL - FIRST)
    assert [len(each["standings"]) for each in summary(shell, resumed)["rounds"]] == [4, 2]


def test_halving_refuses_what_it_cannot_work_with(shell: Shell) -> None:
    """Two arms, one picture, batches and duels: each with the way out."""
    changes = {
        "arms": {name: HALVING["arms"][name] for name in "AB"},
        "drafts": HALVING["drafts"] | {"per_prompt": 1, "lane": "batch"},
        "score": {"weights": {"duel": 1}, "duel": {}},
    }
    done = shell.runoff("plan", shell.campaign(HALVING | {"provider": "emulator"} | changes))
    told = " ".join((done.stderr + done.stdout).split())
    assert done.returncode == 2
    assert "halving has no arm to drop: 2 arms are too few" in told
    assert "leaves no pictures for later rounds" in told
    assert "drafts.lane: interactive, or drafts.allocation: fixed" in told
    assert "duels rank the pictures of one round" in told
