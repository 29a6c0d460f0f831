"""Rounds that add levels, and the best combination, to a run: priced, bought once, resumed, promoted."""

import shutil
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pandas as pd
import pytest
import yaml

from tests.support.provider import OpenProvider, Provider
from tests.support.shell import CAMPAIGN, Shell

FACTORS: dict[str, Any] = {
    "prompt": "A baby sea otter {{ action }}, {{ light }}, {{ lens }}",
    "levels": {"light": {"soft": "soft light", "hard": "hard light"}, "lens": ["wide", "tele"]},
}
DESIGNED: dict[str, Any] = {
    "arms": None,
    "factors": FACTORS,
    "drafts": {**CAMPAIGN["drafts"], "per_prompt": 1},
    "finalists": {"count": 1, "approval": "review"},
}
NEON = ("more", "latest", "--level", "light.neon=neon light")


def is_billed_as_in_the_ledger(shell: Shell, provider: Provider, run_id: str) -> bool:
    """Compare what the ledger charges with the provider's bill."""
    with shell.ledger() as ledger:
        charged = ledger.orders.charged_usd(run_id)
        return not ledger.verify() and charged == Decimal(provider.charged_nanousd) / 10**9


@pytest.mark.slow  # every day: unit/tasks/campaign/test_added_round.py, unit/flows/evaluation/test_effects.py
def test_a_level_is_added_beside_arms_of_before_and_bought_once(
    shell: Shell, open_provider: OpenProvider
) -> None:
    """Refused before money; stopped and completed under its key; then the best combination, and promotion."""
    provider = open_provider({"kind": "quota", "nth": [11, 12], "path": "images"})
    file = shell.campaign(DESIGNED)
    run_id = shell.json("run", file)["run_id"]
    assert provider.n_requests == 8
    for words, why in (
        (("light.soft=x",), "has the level light soft already"),
        (("mood.calm=calm",), "has no factor mood"),
        (("light.neon={colour: red}",), "colour"),
        (("light.neon={{ action }}",), "template"),
    ):
        refused = shell.runoff("more", run_id, "--level", *words, "--yes")
        assert refused.returncode in (1, 2), refused.stdout
        assert why in refused.stderr
    assert shell.runoff("more", run_id, "--level", "neon", "--yes").returncode == 2
    assert "already" not in shell.runoff(*NEON, "--price").stdout
    tight = shell.runoff(*NEON, "--at-most", "0.000001", "--yes")
    assert tight.returncode == 3
    assert provider.n_requests == 8

    stopped = shell.runoff(*NEON, "--key", "neon", "--yes")
    assert stopped.returncode == 1, stopped.stdout
    stored = yaml.safe_load((shell.folder(run_id) / "campaign.yaml").read_text())
    (added,) = stored["factors"]["added"]
    assert (added["arms"], added["beside"]) == (["wide_neon", "tele_neon"], ["wide_hard", "tele_hard"])
    assert "--resume" in shell.runoff(*NEON, "--yes").stderr  # another purchase waits for this one
    shell.json(*NEON, "--key", "neon", "--yes")
    table = pd.read_parquet(shell.folder(run_id) / "report.parquet")
    drafts = table[table["stage"] == "draft"]
    assert len(drafts) == 16
    assert drafts[drafts["arm"].str.endswith("neon")]["replicate"].tolist() == [
        2,
        2,
        2,
        2,
    ]  # people count from 1
    assert "already" in shell.runoff(*NEON, "--yes").stderr

    effects = shell.json("verdict", run_id)["verdicts"]["effects"]["measures"]["dollars"]["effects"]
    assert ["neon"] in [one["levels"] for one in effects]
    priced = shell.json("more", run_id, "--best", "--n", "2", "--price")
    n_before = provider.n_requests
    outcome = shell.json("more", run_id, "--best", "--n", "2", "--yes")
    assert outcome["state"] == "awaiting review"
    assert provider.n_requests == n_before + priced["requests"]
    shell.json("promote", run_id)
    assert is_billed_as_in_the_ledger(shell, provider, run_id)
    check_rounds_are_apart(shell, run_id)


def check_rounds_are_apart(shell: Shell, run_id: str) -> None:
    """See that an arm's figures are of its own round, and that those of added rounds stand beside them."""
    later = "20271201-120000-test"
    with shell.ledger() as ledger:
        ledger.runs.start(later, campaign="otters", provider="openai", now=datetime.now(UTC))
    shutil.copytree(shell.folder(run_id), shell.folder(later))
    figures = shell.json("compare", run_id, later)["runs"][0]
    table = pd.read_parquet(shell.folder(run_id) / "report.parquet")
    n_drafts = sum(table["stage"] == "draft")
    assert (figures["drafts"], figures["added_drafts"]) == (8, n_drafts - 8)
    assert set(figures["by_arm"]) == {"wide_soft", "wide_hard", "tele_soft", "tele_hard"}
    neon, _best = figures["added_rounds"]
    assert set(neon) == {"wide_hard", "tele_hard", "wide_neon", "tele_neon"}
    assert neon["wide_hard"] != figures["by_arm"]["wide_hard"]
    said = " ".join(shell.runoff("compare", run_id, later).stdout.split())
    assert "added round 1, wide_neon" in said
