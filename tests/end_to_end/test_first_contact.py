"""Somebody new: from an empty folder to pictures of their own, by what the command itself tells."""

import time
from pathlib import Path

import pandas as pd
import pytest
import yaml

from flows.run_report import report_frame
from tests.support.provider import OpenProvider
from tests.support.shell import Shell

TWO_MINUTES_S = 120


@pytest.mark.slow  # every day: a smaller one, in this process, in the test below
def test_from_an_empty_folder_to_pictures_in_two_minutes(shell: Shell) -> None:
    """Three commands, nothing edited, no key: each in a process of its own, as people start them."""
    folder, start = shell.home.parent, time.monotonic()
    assert list(folder.iterdir()) == []
    for words in (["init"], ["plan"], ["run"]):
        done = shell.runoff_process(*words)
        assert done.returncode == 0, done.stderr + done.stdout
    assert time.monotonic() - start < TWO_MINUTES_S
    assert len(drafts(shell, "portrait")) == 24
    assert "runoff review" in done.stdout or "runoff promote" in done.stdout


SMALL = ("--set", "drafts.per_prompt=1", "--set", "score.weights={technical: 1}", "--only-rows", "1")


def test_a_campaign_of_ones_own_is_made_bought_and_not_bought_again_unseen(shell: Shell) -> None:
    """The run keeps what the options changed, and the next plan tells that it was bought."""
    assert shell.runoff("init").returncode == 0
    outcome = shell.json("run", *SMALL)
    assert outcome["state"] == "awaiting review"
    assert len(drafts(shell, "portrait")) == 2
    kept = yaml.safe_load((Path(outcome["folder"]) / "campaign.yaml").read_text())
    assert (kept["drafts"]["per_prompt"], len(kept["rows"])) == (1, 1)
    assert kept["drafts"]["model"] != "cheapest"
    planned = shell.runoff("plan", *SMALL)
    assert f"ago as {outcome['run_id']}, unchanged: open it" in " ".join(planned.stdout.split())
    assert shell.json("plan", *SMALL)["bought_as"] == outcome["run_id"]
    assert shell.json("plan")["bought_as"] is None


@pytest.mark.slow  # every day: one that fails, below, and the reduced campaign is planned there too
def test_a_smoke_test_is_a_part_of_its_run(shell: Shell, open_provider: OpenProvider) -> None:
    """One picture of each arm is made and shown, then the rest; nothing is bought twice."""
    provider = open_provider()
    done = shell.runoff("run", shell.campaign(), "--smoke")
    assert done.returncode == 0, done.stderr
    assert "2 pictures of each arm's first row:" in done.stdout
    (run,) = shell.json("runs")
    names = [path.name for path in drafts(shell, "otters")]
    assert all(f"drafts/{arm}-000-000.png" in done.stdout for arm in "AB")
    assert len(names) == 12
    assert provider.n_requests == 14
    assert run["state"] == "done"
    assert (
        yaml.safe_load((shell.folder(run["run_id"]) / "campaign.yaml").read_text())["drafts"]["per_prompt"]
        == 3
    )
    assert shell.runoff("ledger", "verify").returncode == 0


def test_a_smoke_test_that_fails_buys_nothing_more(shell: Shell, open_provider: OpenProvider) -> None:
    """An arm whose picture is refused ends it, and the exit code says so."""
    provider = open_provider({"kind": "moderation", "prompt": "watercolour"})
    done = shell.runoff("run", shell.campaign(), "--smoke")
    assert done.returncode == 4, done.stdout
    assert "Not every arm has its picture, so nothing more was bought." in done.stdout
    assert provider.n_requests == 2


def test_a_run_that_is_resumed_takes_no_changes(shell: Shell) -> None:
    """It goes on as it began."""
    done = shell.runoff("run", "--resume", "latest", "--set", "drafts.per_prompt=1")
    assert (done.returncode, "goes on as it began" in done.stderr) == (2, True)


def test_what_came_in_comes_out(shell: Shell, open_provider: OpenProvider) -> None:
    """The numbers of a shop's table are in every row of the report, and name the accepted finals."""
    open_provider()
    folder = shell.home.parent
    (folder / "shop.csv").write_text("sku;action\n007;asleep in kelp\n008;swimming\n")
    changes = {
        "variables": None,
        "rows": "shop.csv",
        "drafts": {"model": "gpt-image-2.5-flare", "size": "1024x640", "per_prompt": 1},
        "finalists": {"count": 2, "max_per_arm": 1, "approval": "auto"},
        "files": "{{ sku }} {{ arm }}-{{ replicate }}",
    }
    outcome = shell.json("run", shell.campaign(changes))
    frame = pd.read_parquet(Path(outcome["folder"]) / "report.parquet")
    shop = pd.read_csv(folder / "shop.csv", sep=";", dtype=str)
    finals = frame[frame["stage"] == "final"].merge(shop, left_on="var_sku", right_on="sku")
    assert len(finals) == 2
    assert report_frame(home=shell.home)["named_file"].equals(frame["named_file"])
    assert (finals["var_action"] == finals["action"]).all()
    assert (finals["named_file"] == "accepted/" + finals["sku"] + " " + finals["arm"] + "-1.png").all()
    for one in finals.to_dict("records"):
        copy = (Path(outcome["folder"]) / one["named_file"]).read_bytes()
        assert copy == (Path(outcome["folder"]) / one["file"]).read_bytes()
    assert set(frame["row"]) == {1, 2}
    assert (frame["row_index"] == frame["row"] - 1).all()
    assert shell.runoff("ledger", "verify").returncode == 0


def drafts(shell: Shell, campaign: str) -> list[Path]:
    """List the drafts of a campaign's only run."""
    (run,) = shell.json("runs")
    return list((shell.folder(run["run_id"], campaign) / "drafts").iterdir())
