"""Runs whose judge sees what an edit was made from; a reference that is changed is asked about no more."""

import json
from decimal import Decimal
from typing import Any

import pandas as pd
import pytest
from PIL import Image

from tests.support.provider import OpenProvider, Provider
from tests.support.review_home import page_on
from tests.support.review_requests import ask
from tests.support.shell import Shell

SAME = "The picture shows the same product as in the reference"
SEEING: dict[str, Any] = {
    "variables": {"place": ["a meadow"]},
    "arms": {
        "A": {
            "prompt": "A kettle in {{ place }}",
            "references": ["kettle.png"],
            "mask": {"box": ["0", "0", "50%", "100%"]},
        },
        "B": {"prompt": "A red kettle in {{ place }}"},
    },
    "drafts": {"model": "gpt-image-2.5-flare", "quality": "low", "size": "1024x640", "per_prompt": 2},
    "score": {
        "weights": {"technical": 1, "judge": 1},
        "judge": {"rubric": [SAME, "The picture is sharp"], "sees": ["references", "mask"]},
    },
    "finalists": {"count": 4, "max_per_arm": 1, "approval": "review"},
    "finals": {
        "model": "gpt-image-2.5-sunburst",
        "quality": "low",
        "size": "1024x640",
        "method": "generate",
        "attempts": 1,
        "min_fidelity": 0,
        "keep_statements": "all",
    },
}


def questions(provider: Provider) -> list[dict[str, Any]]:
    """List the questions that the provider received."""
    return [entry for entry in provider.bill()["entries"] if "chat" in entry["path"]]


def kettle_picture(noise: int) -> Image.Image:
    """Draw the reference."""
    return Image.effect_noise((640, 400), noise).convert("RGB")


@pytest.mark.slow  # every day: integration/test_seen_beside.py
def test_a_resumed_run_asks_nothing_about_pictures_whose_reference_was_changed_meanwhile(
    shell: Shell, open_provider: OpenProvider
) -> None:
    """The judge was down; of the other arm it is asked now. The reason stands in the report."""
    exact = {"judge_noise": 0.0, "near_copy_rate": 0.0, "exact_copy_rate": 0.0}
    open_provider({"kind": "unverified", "path": "chat"}, **exact)
    campaign = shell.campaign(SEEING)
    kettle_picture(60).save(campaign.parent / "kettle.png")
    outcome = shell.json("run", campaign)
    assert outcome["exit_code"] == 4
    kettle_picture(90).save(campaign.parent / "kettle.png")
    healthy = open_provider(**exact)
    shell.runoff("run", "--resume", "latest", "--yes")
    assert 1 <= len(questions(healthy)) <= 2
    assert not any("Judge the first picture only" in entry["prompt"] for entry in questions(healthy))
    frame = pd.read_parquet(shell.folder(outcome["run_id"]) / "report.parquet")
    drafts = frame[(frame["stage"] == "draft") & (frame["arm"] == "A")]
    assert drafts["score_judge"].isna().all()
    answers = pd.read_parquet(shell.folder(outcome["run_id"]) / "statements.parquet")
    of_a = answers[answers["arm"] == "A"]
    assert of_a["is_true"].isna().all()
    end = "a reference that it was made with was changed since: kettle.png"
    assert of_a["reason"].astype(str).str.endswith(end).all()
    assert shell.runoff("ledger", "verify").returncode == 0


@pytest.mark.slow  # every day: integration/test_seen_beside.py
def test_drafts_are_judged_beside_their_references_and_finals_only_while_these_are_there(
    shell: Shell, open_provider: OpenProvider
) -> None:
    """The bill equals the ledger; after a change that arm's finals are accepted unjudged."""
    provider = open_provider(judge_noise=0.0, near_copy_rate=0.0, exact_copy_rate=0.0)
    campaign = shell.campaign(SEEING)
    kettle = campaign.parent / "kettle.png"
    kettle_picture(60).save(kettle)
    plan = shell.json("plan", campaign)
    outcome = shell.json("run", campaign)
    asked = questions(provider)
    is_beside = ["Judge the first picture only" in entry["prompt"] for entry in asked]
    assert (len(is_beside), sum(is_beside)) == (4, 2)
    assert Decimal(outcome["spent_usd"]) == Decimal(provider.charged_nanousd) / 10**9
    assert Decimal(outcome["spent_usd"]) <= Decimal(plan["high_usd"])
    answers = pd.read_parquet(shell.folder(outcome["run_id"]) / "statements.parquet")

    with shell.ledger() as ledger, page_on(shell.home, ledger, []) as page:
        run = f"/runs/{outcome['run_id']}"
        pictures = json.loads(ask(page, f"{run}/statements.json?person=mara")[1])["pictures"]
        assert sorted(one["n_beside"] for one in pictures) == [0, 0, 2, 2], "people see what the judge saw"
        beside = f"{run}/beside/{next(one['id'] for one in pictures if one['n_beside'])}"
        assert ask(page, f"{beside}/0")[1] == kettle.read_bytes()
        assert ask(page, f"{beside}/1")[0].status == 200
        kettle_picture(90).save(kettle)
        assert [ask(page, f"{beside}/{number}")[0].status for number in (0, 2, -1)] == [404, 404, 404]
    shell.json("rescore")
    again = pd.read_parquet(shell.folder(outcome["run_id"]) / "statements.parquet")
    assert again["is_true"].tolist() == answers["is_true"].tolist()
    assert shell.runoff("promote", "latest", "--yes").returncode in (0, 4)
    later = questions(provider)[len(asked) :]
    assert not any("Judge the first picture only" in entry["prompt"] for entry in later)
    frame = pd.read_parquet(shell.folder(outcome["run_id"]) / "report.parquet")
    finals = frame[frame["stage"] == "final"].set_index("arm")["selection_reason"].astype(str)
    assert "unjudged" in finals["A"]
    assert len(later) == ("unjudged" not in finals["B"])
    assert shell.runoff("ledger", "verify").returncode == 0
