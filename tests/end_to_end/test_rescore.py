"""Deciding again: other rules, the same pictures, nothing bought."""

import json
from datetime import UTC, datetime
from itertools import combinations

import pandas as pd
import pytest
import yaml

from tasks.pairwise.votes import Vote, VoteOutcome
from tests.support.provider import OpenProvider
from tests.support.shell import CAMPAIGN, Shell

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


@pytest.mark.slow  # every day: rescoring in integration/test_pictures_are_what_was_bought.py
def test_other_rules_decide_anew_and_buy_nothing(shell: Shell, open_provider: OpenProvider) -> None:
    """More finalists and a wider radius from another file; its rules are the run's from then on."""
    provider = open_provider(near_copy_rate=1.0, exact_copy_rate=0.0, paint="scene")
    review = {"finalists": {"count": 1, "approval": "review"}, "deduplicate": {"radius_bits": 0}}
    outcome = shell.json("run", shell.campaign(review))
    before = provider.n_requests
    rules = shell.campaign(
        {"finalists": {"count": 3, "approval": "review"}, "deduplicate": {"radius_bits": 8}}, "rules.yaml"
    )
    decided = shell.json("rescore", outcome["run_id"], rules)
    assert len(decided["finalists"]) == 3 > len(outcome["finalists"])
    assert decided["duplicates"] > outcome["duplicates"]
    assert (decided["state"], provider.n_requests) == ("awaiting review", before)
    folder = shell.folder(outcome["run_id"])
    assert yaml.safe_load((folder / "campaign.yaml").read_text())["deduplicate"]["radius_bits"] == 8
    assert pd.read_parquet(folder / "report.parquet")["finalist"].sum() == 3
    assert shell.json("rescore", "latest")["finalists"] == decided["finalists"]


@pytest.mark.slow
def test_a_finished_run_decided_again_by_its_own_rules_stays_as_it_is(
    shell: Shell, open_provider: OpenProvider
) -> None:
    """The same pictures and rules give the same finalists, finals and table."""
    open_provider()
    outcome = shell.json("run", shell.campaign())
    table = (shell.folder(outcome["run_id"]) / "report.csv").read_text()
    decided = shell.json("rescore")
    assert (decided["finalists"], decided["accepted"]) == (outcome["finalists"], outcome["accepted"])
    assert (shell.folder(outcome["run_id"]) / "report.csv").read_text() == table


@pytest.mark.long  # every day: unit/tasks/pairwise/test_calibration.py
def test_the_weights_that_votes_suggest_can_be_put_in(shell: Shell, open_provider: OpenProvider) -> None:
    """Votes that side with one scorer are told in the report, and its command decides by them."""
    open_provider(paint="scene")
    weights = {"technical": 1, "palette": 1}
    score = {"weights": weights, "palette": {"colors": ["#2A6F97", "#FFFFFF"]}}
    outcome = shell.json(
        "run", shell.campaign({"score": score, "drafts": {**CAMPAIGN["drafts"], "per_prompt": 6}})
    )
    run_id = outcome["run_id"]
    with shell.ledger() as ledger:
        drafts = ledger.candidates.of_run(run_id, "draft")
        for one, other in combinations(drafts, 2):
            if one.row == other.row:
                gap = (one.scores["palette"].value or 0) - (other.scores["palette"].value or 0)
                word: VoteOutcome = "left" if gap > 0 else "right"
                names = (one.candidate_id, other.candidate_id)
                ledger.votes.add(Vote("-".join(names), run_id, one.row, *names, word, "Ada", NOON))
    told = shell.json("report", run_id)["calibration"]
    assert told["agreements"][0]["scorer"] == "palette"
    assert told["agreements"][0]["accuracy"] == 1
    suggested = told["suggested_weights"]
    assert suggested["palette"] > 0.8
    folder = shell.folder(run_id)
    assert json.loads((folder / "summary.json").read_text())["calibration"]["votes"] == told["votes"]
    words = [f"--weight {name}={weight}" for name, weight in suggested.items()]
    assert f"runoff rescore {run_id} {' '.join(words)}" in (folder / "report.html").read_text()
    words = [word.replace(" ", "=") for word in words]
    shell.json("rescore", run_id, *words, "--weight=votes=1")
    kept = yaml.safe_load((folder / "campaign.yaml").read_text())
    assert kept["score"]["weights"] == {**suggested, "votes": 1}
    table = pd.read_parquet(folder / "report.parquet")
    assert table.loc[table["stage"] == "draft", "score_votes"].notna().all()
    for wrong, expected in (
        ("beauty=1", "there is no scorer 'beauty'"),
        ("technical", "is not a weight"),
        ("technical=1e308", "from 0 to 1,000,000"),
    ):
        answer = shell.runoff("rescore", run_id, "--weight", wrong)
        assert (answer.returncode, expected in answer.stderr) == (2, True)
    assert yaml.safe_load((folder / "campaign.yaml").read_text()) == kept
    why = shell.json("explain", run_id, drafts[0].candidate_id[:12])
    assert why["candidate_id"] == drafts[0].candidate_id
    assert {score["scorer"] for score in why["scores"]} >= {"palette", "technical", "votes"}
