"""Finals that lose what the judge said of their drafts: refused, tried again, and never asked about twice."""

from decimal import Decimal
from typing import Any

import pandas as pd
import pytest

from tests.support.provider import OpenProvider, Provider
from tests.support.shell import Shell

STATEMENT = "The light is bright"
FINALS = {"model": "gpt-image-2.5-sunburst", "quality": "low", "size": "1024x640", "method": "generate"}
POSTER_AND_INK: dict[str, Any] = {
    "variables": {"place": ["a meadow"]},
    "arms": {"A": {"prompt": "A red house in {{ place }} at noon, flat poster"}},
    "drafts": {"model": "gpt-image-2.5-flare", "quality": "low", "size": "1024x640", "per_prompt": 1},
    "score": {
        "weights": {"technical": 1, "judge": 0},
        "judge": {"rubric": [{"statement": STATEMENT, "must": True}, "The picture is sharp"]},
    },
    "finalists": {"count": 1, "approval": "auto"},
    "finals": [
        {**FINALS, "name": "poster", "attempts": 2, "min_fidelity": 0, "keep_statements": "must"},
        {
            **FINALS,
            "name": "ink",
            "prompt": "A red house in {{ place }}, ink drawing",
            "attempts": 2,
            "min_fidelity": 0,
            "keep_statements": "must",
        },
    ],
}
N_DRAFTS = 1


def report(shell: Shell, outcome: dict[str, Any], stage: str) -> pd.DataFrame:
    """Read the rows of one stage from a run's report."""
    frame = pd.read_parquet(shell.folder(outcome["run_id"]) / "report.parquet")
    return frame[frame["stage"] == stage]


def questions(provider: Provider) -> list[dict[str, Any]]:
    """List the questions that the provider received."""
    return [entry for entry in provider.bill()["entries"] if "chat" in entry["path"]]


def open_steady(open_provider: OpenProvider, *faults: dict[str, Any], seed: int = 1) -> Provider:
    """Open a provider whose judge measures without noise, and who copies nothing."""
    exact = {"judge_noise": 0.0, "near_copy_rate": 0.0, "exact_copy_rate": 0.0}
    return open_provider(*faults, paint="scene", seed=seed, **exact)


@pytest.mark.slow  # every day: integration/test_kept_by_finals.py
def test_a_final_that_lost_a_statement_is_refused_tried_again_and_judged_once(
    shell: Shell, open_provider: OpenProvider
) -> None:
    """The poster keeps it. The ink drawing, darker, is bought twice, and refused with the statement."""
    provider = open_steady(open_provider)
    plan = shell.json("plan", shell.campaign(POSTER_AND_INK))
    outcome = shell.json("run", shell.campaign(POSTER_AND_INK))
    finals, asked = report(shell, outcome, "final"), report(shell, outcome, "judge")

    by_edition = dict(list(finals.groupby("edition")))
    assert by_edition["poster"]["accepted"].tolist() == [True]
    assert by_edition["ink"]["accepted"].tolist() == [False] * 2
    assert by_edition["poster"]["meets_conditions"].tolist() == [True]
    assert by_edition["ink"]["meets_conditions"].tolist() == [False] * 2
    assert (
        by_edition["ink"]["selection_reason"]
        .str.contains(
            f"not as its draft: “{STATEMENT}” is true of the draft and not of the final", regex=False
        )
        .all()
    )
    assert len(asked) == len(questions(provider)) == N_DRAFTS + len(finals)
    assert set(asked["draft_id"]) >= set(finals["candidate_id"])

    assert [edition["questions"] for edition in plan["finals"]["editions"]] == [2, 2]
    assert Decimal(outcome["spent_usd"]) == Decimal(provider.charged_nanousd) / 10**9
    assert Decimal(outcome["spent_usd"]) <= Decimal(plan["high_usd"])

    charged = provider.charged_nanousd
    assert shell.json("run", "--resume", "latest")["exit_code"] == 0
    shell.json("rescore")
    assert provider.charged_nanousd == charged
    assert report(shell, outcome, "final")["accepted"].tolist() == finals["accepted"].tolist()
    assert shell.runoff("ledger", "verify").returncode == 0


@pytest.mark.slow  # every day: integration/test_kept_by_finals.py
def test_a_final_whose_judgement_is_lost_is_accepted_and_reported_as_unjudged(
    shell: Shell, open_provider: OpenProvider
) -> None:
    """The question may have been billed: it is charged, and not asked again."""
    ink = POSTER_AND_INK | {"finals": POSTER_AND_INK["finals"][1]}
    provider = open_steady(open_provider, {"kind": "bill_then_drop", "path": "chat", "nth": [2]})
    outcome = shell.json("run", shell.campaign(ink))
    finals, asked = report(shell, outcome, "final"), report(shell, outcome, "judge")

    assert outcome["exit_code"] == 4
    assert finals["accepted"].tolist() == [True]
    assert finals["meets_conditions"].isna().all()
    assert finals["selection_reason"].str.contains(f"unjudged: not known whether “{STATEMENT}”").all()
    assert asked["state"].value_counts().to_dict() == {"received": N_DRAFTS, "unknown": 1}
    assert "accepted unjudged" in (shell.folder(outcome["run_id"]) / "summary.json").read_text()
    assert outcome["unjudged"] == outcome["accepted"] > 0
    assert Decimal(outcome["spent_usd"]) >= Decimal(provider.charged_nanousd) / 10**9

    n_asked = len(questions(provider))
    shell.json("run", "--resume", "latest")
    assert len(questions(provider)) == n_asked
    assert report(shell, outcome, "final")["accepted"].tolist() == [True]


@pytest.mark.slow
def test_a_resumed_run_asks_what_a_judge_that_was_down_left_open(
    shell: Shell, open_provider: OpenProvider
) -> None:
    """Until then the final is accepted unjudged; then it is refused, and the next attempt bought."""
    ink = POSTER_AND_INK | {"finals": POSTER_AND_INK["finals"][1]}
    open_steady(open_provider, {"kind": "unverified", "path": "chat", "nth": [2]})
    outcome = shell.json("run", shell.campaign(ink))
    (accepted,) = report(shell, outcome, "final")["selection_reason"]
    assert "unjudged" in accepted

    healthy = open_steady(open_provider, seed=2)  # with the same one the next try is the same picture
    resumed = shell.json("run", "--resume", "latest")
    finals = report(shell, resumed, "final")
    assert finals["accepted"].tolist() == [False, False]
    assert finals["selection_reason"].str.startswith("not as its draft").all()
    assert (len(questions(healthy)), healthy.n_requests) == (2, 1)
    assert shell.runoff("ledger", "verify").returncode == 0
