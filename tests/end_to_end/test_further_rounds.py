"""Further rounds: more of one picture, bought within its run, once, and no evidence about its arm."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pandas as pd
import pytest

from tests.support.prefect_server import prefect_client
from tests.support.provider import OpenProvider, Provider
from tests.support.shell import CAMPAIGN, Shell

REVIEWED: dict[str, Any] = {
    "variables": {"action": ["asleep in kelp"]},
    "drafts": {**CAMPAIGN["drafts"], "per_prompt": 2},
    "finalists": {"count": 1, "approval": "review"},
}


def _drafts(shell: Shell, run_id: str) -> pd.DataFrame:
    table = pd.read_parquet(shell.folder(run_id) / "report.parquet")
    return table[table["stage"] == "draft"]


def _is_billed_as_in_the_ledger(shell: Shell, provider: Provider, run_id: str) -> bool:
    with shell.ledger() as ledger:
        charged = ledger.orders.charged_usd(run_id)
        return not ledger.verify() and charged == Decimal(provider.charged_nanousd) / 10**9


def test_more_of_a_picture_is_bought_once_and_counts_in_no_verdict(
    shell: Shell, open_provider: OpenProvider
) -> None:
    """Like it, then that in other words; a repeated command buys nothing; a child gets a final."""
    provider = open_provider()
    run_id = shell.json("run", shell.campaign(REVIEWED))["run_id"]
    before = shell.json("verdict", run_id)["verdicts"]

    priced = shell.json("more", run_id, "A-000-000", "--n", "2", "--price")
    assert Decimal(priced["most_usd"]) > 0
    assert provider.n_requests == 4
    assert shell.json("more", run_id, "A-000-000", "--n", "2")["pictures"] == 6
    repeated = shell.runoff("more", run_id, "A-000-000", "--n", "2", "--yes")
    assert "To buy it once more, add --again." in repeated.stdout
    assert provider.n_requests == 6
    words = ("--n", "1", "--prompt", "{{ prompt }}, warmer, {{ action }}")
    child = "A-000-002-more1"
    outcome = shell.json("more", run_id, child, *words)
    assert outcome["state"] == "awaiting review"
    assert outcome["message"].startswith("Further round 2: 1 picture")

    drafts = _drafts(shell, run_id)
    further = drafts[drafts["further_round"].notna()]
    assert further["further_round"].tolist() == [1, 1, 2]
    assert further["endpoint"].tolist() == ["edits", "edits", "generations"]
    assert further["prompt"].iloc[2].endswith(", warmer, asleep in kelp")
    assert not further["finalist"].any()
    assert further["score"].notna().all()
    origin = drafts.set_index("candidate_id")["draft_id"]
    newest = further["candidate_id"].iloc[2]
    assert origin[newest] == further["candidate_id"].iloc[0]
    assert origin[origin[newest]] == drafts[drafts["file"] == "drafts/A-000-000.png"]["candidate_id"].iloc[0]
    after = shell.json("verdict", run_id)["verdicts"]
    assert after["total"]["pairs"] == before["total"]["pairs"]
    assert "Not counted: 3 drafts of further rounds." in after["total"]["headline"]

    with shell.ledger() as ledger:
        ledger.shortlists.choose(run_id, [newest], after=0, by="Ada", now=datetime.now(UTC))
    promoted = shell.json("promote", run_id)
    assert promoted["accepted"] == 1
    final = promoted["finalists"][0]["final"]
    assert "-more2-try1" in final
    lineage = pd.read_json(shell.folder(run_id) / final.replace(".png", ".json"), typ="series")
    assert [one["further_round"] for one in lineage["grown_from"]] == [1, None]
    assert "Asked for again" in (shell.folder(run_id) / "report.html").read_text()
    with prefect_client(shell.environ["PREFECT_API_URL"]) as server:
        seen = [one["name"] for one in server.post("/flow_runs/filter", json={}).json()]
    assert sum(name.endswith(f"more · {run_id}") for name in seen) == 2
    assert sum(name.endswith(f"finals · {run_id}") for name in seen) == 1
    assert _is_billed_as_in_the_ledger(shell, provider, run_id)


@pytest.mark.slow
def test_what_a_killed_process_had_agreed_to_is_bought_by_resuming_and_by_the_same_command(
    shell: Shell, open_provider: OpenProvider
) -> None:
    """The provider is away after the first draft: what is left comes later, and nothing comes twice."""
    provider = open_provider({"kind": "quota", "nth": [6, 7], "path": "images"})
    run_id = shell.json("run", shell.campaign(REVIEWED))["run_id"]
    stopped = shell.runoff("more", run_id, "B-000-000", "--n", "2", "--yes")
    assert stopped.returncode == 1, stopped.stdout
    with shell.ledger() as ledger:
        assert [one.order.further_round for one in ledger.orders.of_run(run_id, "planned")] == [1]
    done = shell.runoff("more", run_id, "B-000-000", "--n", "2", "--yes")
    assert "1 draft of it still to send. Nothing else is bought." in done.stdout
    assert done.returncode == 1
    assert shell.json("run", "--resume", run_id)["pictures"] == 6
    assert shell.json("more", run_id, "B-000-000", "--n", "2", "--again")["pictures"] == 8
    assert _is_billed_as_in_the_ledger(shell, provider, run_id)


@pytest.mark.slow
def test_further_drafts_keep_to_their_own_budget(shell: Shell, open_provider: OpenProvider) -> None:
    """Within the run's budget they have one of their own, and the arm's is not charged."""
    provider = open_provider()
    budget = {"per_run_usd": "3.00", "further_usd": "0.02"}
    run_id = shell.json("run", shell.campaign({**REVIEWED, "budget": budget}))["run_id"]
    priced = shell.json("more", run_id, "A-000-000", "--row", "--price", "--n", "1")
    assert (priced["left_usd"], priced["left_in"]) == ("0.02", "this run's budget for further drafts")
    refused = shell.runoff("more", run_id, "A-000-000", "--row", "--yes", "--n", "40")
    assert refused.returncode == 3
    assert "Nothing was bought." in refused.stderr
    assert provider.n_requests == 4


REFUSED = [
    (("A-000-009",), 1, "the run has no such picture"),
    (("A-000-000", "--prompt", "{{ nothing }}"), 2, "'nothing' is undefined"),
    (("A-000-000", "--prompt", "  "), 1, "has an empty prompt"),
    (("A-000-000", "--model", "gpt-image-9"), 2, "there is no model"),
    (("A-000-000", "--like", "--row"), 2, "exclude one another"),
    (("A-000-000", "--at-most", "0.000001"), 3, "was agreed to"),
    (("A-000-000", "--at-most", "cheap"), 2, "cheap"),
]


@pytest.mark.slow
def test_what_cannot_be_ordered_is_refused_before_anything_is_bought(
    shell: Shell, open_provider: OpenProvider
) -> None:
    """Each with what is accepted, and no traceback."""
    provider = open_provider()
    run_id = shell.json("run", shell.campaign(REVIEWED))["run_id"]
    for words, code, said in REFUSED:
        done = shell.runoff("more", run_id, *words, "--yes")
        assert (done.returncode, "Traceback" in done.stderr) == (code, False), done.stderr
        assert said in done.stderr
    assert provider.n_requests == 4
    with shell.ledger() as ledger:
        assert ledger.runs.find(run_id).state == "awaiting review"
