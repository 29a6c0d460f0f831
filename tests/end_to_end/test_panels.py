"""Judges at providers of their own, a panel of the best pictures, and a limit on what judging costs."""

from collections.abc import Iterator
from contextlib import ExitStack
from decimal import Decimal
from typing import Any

import pandas as pd
import pytest
import yaml

from tasks.emulator.server import emulator_server
from tasks.emulator.settings import EmulatorSettings
from tests.support.provider import Provider
from tests.support.shell import Shell

OTTER = {"statement": "The otter is {{ action }} in good light", "must": True}
JUDGE = {"provider": "second", "rubric": [OTTER, "The picture is sharp", "The light is good"]}
SCORE = {
    "weights": {"technical": 1, "judge": 3},
    "judge": JUDGE,
    "panel": {"judges": [{"model": "gpt-6-luna", "provider": "third"}, {"model": "gpt-6-luna"}], "best": 4},
}
FINALISTS = {"count": 2, "approval": "review"}


class Bench:
    """A shell whose campaign's provider paints, and two more that judge, each with a key of its own."""

    def __init__(self, shell: Shell, stack: ExitStack) -> None:
        self.shell = shell
        settings: dict[str, dict[str, Any]] = {
            name: {"api_key": f"sk-of-{name}-0123456789"} for name in ("first", "second", "third")
        }
        settings["third"]["judge_error_rate"] = 0.4
        self.providers = {
            name: Provider(stack.enter_context(emulator_server(EmulatorSettings(paint="plain", **own))))
            for name, own in settings.items()
        }
        entries = {}
        for name, one in self.providers.items():
            shell.environ[f"{name.upper()}_KEY"] = f"sk-of-{name}-0123456789"
            entries[name] = {"base_url": one.url, "key_variable": f"{name.upper()}_KEY",
                             "images_per_minute": 100_000, "concurrency": 4}  # fmt: skip
        shell.home.mkdir()
        (shell.home / "providers.yaml").write_text(yaml.safe_dump({"providers": entries}))

    def n_questions(self) -> dict[str, int]:
        """Count the questions at each provider."""
        return {
            name: sum("chat" in entry["path"] for entry in one.bill()["entries"])
            for name, one in self.providers.items()
        }

    def charged_usd(self) -> Decimal:
        """Add up what all of them charged."""
        return sum((Decimal(one.charged_nanousd) for one in self.providers.values()), Decimal(0)) / 10**9

    def run(self, **score: Any) -> dict[str, Any]:
        """Run a campaign."""
        changes = {"provider": "first", "finalists": FINALISTS, "score": SCORE | score}
        outcome: dict[str, Any] = self.shell.json("run", self.shell.campaign(changes))
        return outcome

    def drafts(self, outcome: dict[str, Any]) -> pd.DataFrame:
        """Read the unique images of a run's report."""
        frame = pd.read_parquet(self.shell.folder(outcome["run_id"]) / "report.parquet")
        return frame[(frame["stage"] == "draft") & (frame["status"] == "survivor")]


@pytest.fixture
def bench(shell: Shell) -> Iterator[Bench]:
    """Three providers and a home that knows them."""
    with ExitStack() as stack:
        yield Bench(shell, stack)


@pytest.mark.slow  # every day: unit/flows/evaluation/test_panel.py
def test_a_panel_looks_at_the_best_alone_and_chooses_finalists_but_no_arm(bench: Bench) -> None:
    """Each judge is asked where it is; the totals are as without a panel, and nothing is asked twice."""
    outcome = bench.run()
    drafts = bench.drafts(outcome)
    looked_at = drafts[drafts["panel_score"].notna()]
    n = bench.n_questions()
    assert (n["first"], n["third"]) == (len(looked_at), len(looked_at))
    assert n["second"] == len(drafts)
    assert 0 < len(looked_at) <= 4 < len(drafts)
    assert looked_at["score"].min() >= drafts[drafts["panel_score"].isna()]["score"].max() - 1e-9 or (
        not drafts["meets_conditions"].all()
    )
    weighed = (drafts["score_technical"] + 3 * drafts["score_judge"]) / 4
    assert drafts["score"].astype(float).round(9).equals(weighed.astype(float).round(9))
    assert set(drafts[drafts["finalist"]]["candidate_id"]) <= set(looked_at["candidate_id"])
    assert looked_at["panel_disagreement"].between(0, 1).all()
    assert "by a panel of 3" in " ".join(drafts[drafts["finalist"]]["selection_reason"])
    assert Decimal(outcome["spent_usd"]) == bench.charged_usd()
    before = bench.charged_usd()
    assert bench.shell.json("run", "--resume", "latest")["exit_code"] == 0
    again = bench.shell.json("rescore", "latest")
    assert [one["candidate_id"] for one in again["finalists"]] == [
        one["candidate_id"] for one in outcome["finalists"]
    ]
    name = outcome["finalists"][0]["candidate_id"]
    assert "panel" in bench.shell.runoff("explain", "latest", name).stdout
    assert bench.charged_usd() == before
    assert bench.shell.runoff("ledger", "verify").returncode == 0


@pytest.mark.slow  # every day: unit/flows/stages/test_judging_share.py
def test_judging_costs_no_more_than_its_share_of_the_drafts(bench: Bench) -> None:
    """What is left out has no score and a reason, is no fault, and is no finalist before those judged."""
    plan = bench.shell.json(
        "plan",
        bench.shell.campaign(
            {"provider": "first", "finalists": FINALISTS, "score": SCORE | {"max_share": 0.02, "panel": None}}
        ),
    )
    assert Decimal(plan["judging"]["high_usd"]) == Decimal(plan["judging"]["limit_usd"])
    assert any(warning.startswith("score.max_share") for warning in plan["warnings"])
    outcome = bench.run(max_share=0.02, panel=None)
    drafts = bench.drafts(outcome)
    frame = pd.read_parquet(bench.shell.folder(outcome["run_id"]) / "report.parquet")
    spent = frame.groupby("stage")["cost_usd"].sum()
    assert 0 < spent["judge"] <= 0.02 * spent["draft"]
    left_out = drafts[drafts["score_judge"].isna()]
    assert 0 < len(left_out) < len(drafts)
    assert left_out["score_reason"].str.contains("no more than 2% of the drafts").all()
    assert outcome["exit_code"] == 0
    assert {one["candidate_id"] for one in outcome["finalists"]} <= set(drafts["candidate_id"]) - set(
        left_out["candidate_id"]
    )
