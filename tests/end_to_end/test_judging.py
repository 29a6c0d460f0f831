"""Runs whose pictures a model judges: what they cost, what is kept, and what happens when it is down."""

from decimal import Decimal
from typing import Any

import pandas as pd
import pytest

from tests.support.provider import OpenProvider, Provider
from tests.support.shell import Shell

RUBRIC = ["The picture is sharp", "The light is good"]
JUDGED: dict[str, Any] = {
    "score": {"weights": {"technical": 1, "judge": 3}, "judge": {"rubric": RUBRIC}},
    "finalists": {"count": 2, "approval": "review"},
}
OF_EACH_ROW: dict[str, Any] = {
    "score": {
        "weights": {"technical": 1, "judge": 3},
        "judge": {
            "rubric": [{"statement": "The otter is {{ action }} in good light", "must": True}, *RUBRIC]
        },
    },
    "finalists": {"per_row": 1, "approval": "review"},
}
DUELLED: dict[str, Any] = {
    "score": {"weights": {"technical": 0, "duel": 1}, "duel": {"per_row": 9}},
    "finalists": {"count": 0},
}


def chats(provider: Provider) -> list[dict[str, Any]]:
    """List the questions that the provider received."""
    return [entry for entry in provider.bill()["entries"] if "chat" in entry["path"]]


def table(shell: Shell, outcome: dict[str, Any], stage: str) -> pd.DataFrame:
    """Read the rows of one stage from a run's report."""
    frame = pd.read_parquet(shell.folder(outcome["run_id"]) / "report.parquet")
    return frame[frame["stage"] == stage]


def summary_warnings(shell: Shell, outcome: dict[str, Any]) -> str:
    """Read what the report warns of."""
    return (shell.folder(outcome["run_id"]) / "summary.json").read_text()


@pytest.mark.slow
def test_each_survivor_is_judged_once_and_no_copy_is_paid_for(
    shell: Shell, open_provider: OpenProvider
) -> None:
    """Money, ledger, report and bill agree; resuming and rescoring ask nothing.

    Each row has its own statements, and at most one finalist, which meets the condition.
    """
    provider = open_provider(near_copy_rate=0.4, exact_copy_rate=0.3, paint="plain")
    plan = shell.json("plan", shell.campaign(OF_EACH_ROW))
    outcome = shell.json("run", shell.campaign(OF_EACH_ROW))
    drafts, asked = table(shell, outcome, "draft"), table(shell, outcome, "judge")
    survivors = drafts[drafts["status"] == "survivor"]
    assert 0 < len(survivors) < len(drafts) == 12
    assert set(asked["draft_id"]) == set(survivors["candidate_id"])
    assert len(asked) == len(survivors) == len(chats(provider))
    assert survivors["score_judge"].notna().all()
    assert drafts[drafts["status"] == "duplicate"]["score_judge"].isna().all()
    charged = Decimal(provider.charged_nanousd) / 10**9
    assert Decimal(outcome["spent_usd"]) == charged
    assert round(float(charged), 9) == pytest.approx(drafts["cost_usd"].sum() + asked["cost_usd"].sum())
    assert 0 < asked["cost_usd"].sum() <= float(plan["judging"]["high_usd"])
    assert (asked["cost_usd"] <= asked["estimate_usd"]).all()
    check_statements_and_finalists(shell, outcome, survivors)
    before = provider.bill()["total"]["charged_nanousd"]
    assert shell.json("run", "--resume", "latest")["exit_code"] == 0
    rules = shell.campaign(OF_EACH_ROW | {"finalists": {"count": 3, "approval": "review"}}, "rules.yaml")
    decided = shell.json("rescore", "latest", rules)
    assert len(decided["finalists"]) == min(3, int(survivors["meets_conditions"].sum()))
    assert provider.bill()["total"]["charged_nanousd"] == before
    spent = {row["name"]: row for row in shell.json("ledger", "spend", "--by", "model")["groups"]}
    assert Decimal(spent["gpt-6-luna"]["spent_usd"]) > 0
    assert shell.runoff("ledger", "verify").returncode == 0


def check_statements_and_finalists(shell: Shell, outcome: dict[str, Any], survivors: pd.DataFrame) -> None:
    """Every picture answered its row's three statements; a row has one finalist, or is named."""
    answers = pd.read_parquet(shell.folder(outcome["run_id"]) / "statements.parquet")
    assert len(answers) == 3 * len(survivors)
    conditions = answers[answers["must"]].set_index("candidate_id")
    assert set(conditions["statement"]) == {
        f"The otter is {action} in good light" for action in ("swimming on its back", "asleep in kelp")
    }
    met = survivors.set_index("candidate_id")["meets_conditions"]
    assert met.to_dict() == conditions["is_true"].to_dict()
    finalists = pd.DataFrame(outcome["finalists"])
    assert finalists["candidate_id"].map(met).all()
    rows = {row + 1 for row in finalists["row"]}
    assert len(rows) == len(finalists)
    named = {int(name.split()[1]) for name in outcome["without_finalist"]}
    assert named == {1, 2} - rows


@pytest.mark.slow  # every day: integration/test_judging.py
def test_a_judge_that_is_down_costs_the_run_nothing_but_its_opinion(
    shell: Shell, open_provider: OpenProvider
) -> None:
    """Nulls, a warning and exit 4; finalists are chosen by what answered. Resumed, it asks and is whole."""
    provider = open_provider({"kind": "unverified", "path": "chat"})
    outcome = shell.json("run", shell.campaign(JUDGED))
    drafts = table(shell, outcome, "draft")
    assert (outcome["exit_code"], outcome["state"], len(outcome["finalists"])) == (4, "awaiting review", 2)
    assert drafts["score_judge"].isna().all()
    survivors = drafts[drafts["status"] == "survivor"]
    assert (survivors["score"] == survivors["score_technical"]).all()
    assert f"judge: {len(survivors)} of {len(survivors)} unique images without its score" in summary_warnings(
        shell, outcome
    )
    assert "Compared without judge" in summary_warnings(shell, outcome)
    assert len(chats(provider)) < 12
    open_provider()
    resumed = shell.json("run", "--resume", "latest")
    assert (resumed["exit_code"], resumed["state"]) == (0, "awaiting review")
    drafts = table(shell, resumed, "draft")
    assert drafts[drafts["status"] == "survivor"]["score_judge"].notna().all()
    assert "without a score of it" not in summary_warnings(shell, resumed)


@pytest.mark.slow
def test_some_refusals_and_broken_answers_are_null_and_kept_out_of_the_test(
    shell: Shell, open_provider: OpenProvider
) -> None:
    """They are billed, never 0, said, and their pictures are not compared with judged ones."""
    provider = open_provider(
        {"kind": "judge_refusal", "nth": [1, 4]}, {"kind": "judge_broken", "nth": [2, 3]}, near_copy_rate=0.0,
        exact_copy_rate=0.0,
    )  # fmt: skip
    outcome = shell.json("run", shell.campaign(JUDGED))
    drafts = table(shell, outcome, "draft")
    survivors = drafts[drafts["status"] == "survivor"]
    mute = survivors[survivors["score_judge"].isna()]
    assert (len(mute), len(survivors)) == (4, 12)
    assert (mute["score"] == mute["score_technical"]).all()
    assert outcome["exit_code"] == 4
    assert f"gave them no score: {len(mute)} picture" in summary_warnings(shell, outcome)
    assert Decimal(outcome["spent_usd"]) == Decimal(provider.charged_nanousd) / 10**9
    again = shell.json("run", "--resume", "latest")
    assert len(chats(provider)) == len(survivors)
    assert again["exit_code"] == 4


@pytest.mark.slow
def test_a_budget_that_ends_among_the_questions_ends_the_run(
    shell: Shell, open_provider: OpenProvider
) -> None:
    """Exit 3, what was judged stays, and no total holds an invented opinion."""
    provider = open_provider(near_copy_rate=0.0, exact_copy_rate=0.0)
    plan = shell.json("plan", shell.campaign())
    drafts_usd = Decimal(plan["drafts_low_usd"])
    budget = {"budget": {"per_run_usd": str(drafts_usd * Decimal("1.03"))}}
    outcome = shell.json("run", shell.campaign(JUDGED | budget))
    drafts = table(shell, outcome, "draft")
    assert (outcome["exit_code"], len(drafts)) == (3, 12)
    assert len(chats(provider)) < 12
    assert Decimal(outcome["spent_usd"]) <= Decimal(budget["budget"]["per_run_usd"])
    assert drafts["score_judge"].isna().sum() >= 12 - len(chats(provider))


@pytest.mark.slow
def test_a_judge_that_always_names_the_first_picture_moves_no_score(
    shell: Shell, open_provider: OpenProvider
) -> None:
    """Each pair is asked in both orders: the planted bias gives every picture the same strength."""
    provider = open_provider(judge_first_bias=1.0, near_copy_rate=0.0, exact_copy_rate=0.0)
    outcome = shell.json("run", shell.campaign(DUELLED))
    drafts, asked = table(shell, outcome, "draft"), table(shell, outcome, "judge")
    assert outcome["exit_code"] == 0
    assert drafts["score_duel"].tolist() == pytest.approx([0.5] * 12)
    assert len(asked) == len(chats(provider)) == 2 * 2 * 9
    assert asked.groupby("draft_id").size().tolist() == [2] * 18


@pytest.mark.slow
def test_duels_rank_pictures_as_the_judge_sees_them_and_are_not_held_twice(
    shell: Shell, open_provider: OpenProvider
) -> None:
    """An unbiased judge that measures is followed; a resumed run holds no further duel."""
    provider = open_provider(judge_noise=0.0, near_copy_rate=0.0, exact_copy_rate=0.0, paint="scene")
    outcome = shell.json("run", shell.campaign(DUELLED))
    drafts = table(shell, outcome, "draft")
    assert drafts["score_duel"].between(0, 1).all()
    for _, row in drafts.groupby("row"):
        assert row["score_duel"].max() - row["score_duel"].min() > 0.2
    n_chats = len(chats(provider))
    assert shell.json("run", "--resume", "latest")["exit_code"] == 0
    shell.json("rescore")
    assert len(chats(provider)) == n_chats
