"""Deciding again: other rules, the same pictures, nothing bought."""

from collections.abc import Callable

import pandas as pd
import yaml

from tests.end_to_end.conftest import Provider, Shell


def test_other_rules_decide_anew_and_buy_nothing(
    shell: Shell, open_provider: Callable[..., Provider]
) -> None:
    """More finalists and a wider radius from another file; its rules are the run's from then on."""
    provider = open_provider(near_copy_rate=0.5, paint="scene")
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


def test_a_finished_run_decided_again_by_its_own_rules_stays_as_it_is(
    shell: Shell, open_provider: Callable[..., Provider]
) -> None:
    """The same pictures and rules give the same finalists, finals and table."""
    open_provider()
    outcome = shell.json("run", shell.campaign())
    table = (shell.folder(outcome["run_id"]) / "report.csv").read_text()
    decided = shell.json("rescore")
    assert (decided["finalists"], decided["accepted"]) == (outcome["finalists"], outcome["accepted"])
    assert (shell.folder(outcome["run_id"]) / "report.csv").read_text() == table
