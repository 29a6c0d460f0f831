"""Retention: what a campaign no longer keeps goes, and is said before; money, finals and reports stay."""

import json
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner

from flows.command_line import runoff
from flows.decline import decline
from flows.runs.lock import locked_run
from flows.runs.retention import keep_to_retention
from tasks.errors import CampaignError
from tasks.ledger import Ledger
from tasks.ledger.schema import candidates, runs
from tasks.settings import Settings
from tasks.storage.home import home_folder, run_folder
from tasks.storage.mirror import store_of
from tests.support.builders import RUN_ID
from tests.support.ledgers import open_ledger
from tests.support.review_home import fill_run

N_DRAFTS = 12


def keep(home: Path, **ages: str) -> None:
    """Say in the campaign file of the run how long files are kept."""
    file = run_folder(home, "otters", RUN_ID) / "campaign.yaml"
    file.write_text(yaml.safe_dump(yaml.safe_load(file.read_text()) | {"retention": ages}))


def end(ledger: Ledger, days: float) -> None:
    """Let the run have ended so many days ago, without another decision about it."""
    moment = datetime.now(UTC) - timedelta(days=days)
    with ledger.database.write() as connection:
        connection.execute(runs.update().values(state="done", finished_at=moment))


def like(ledger: Ledger, candidate_id: str) -> None:
    """Let somebody like a picture."""
    with ledger.database.write() as connection:
        is_liked = candidates.update().where(candidates.c.candidate_id == candidate_id)
        connection.execute(is_liked.values(is_liked=True))


def n_left(home: Path) -> int:
    """Count the drafts on the disk."""
    return len(list((run_folder(home, "otters", RUN_ID) / "drafts").iterdir()))


def said_by(settings: Settings) -> list[str]:
    """Keep to the retention, as a run does at its end; returns the lines."""
    said: list[str] = []
    keep_to_retention(settings, ["otters"], said.append)
    return said


def test_losing_drafts_go_at_the_age_that_the_campaign_says(home: Path) -> None:
    """Not a day before; chosen and liked ones stay, each row too, and the proof holds."""
    settings = Settings(home, os.environ)
    with open_ledger(home) as ledger:
        drafts = fill_run(home, ledger)
        n_files = n_left(home)
        like(ledger, drafts[-1].candidate_id)
        spent = ledger.orders.charged_usd(RUN_ID)
        end(ledger, 29.9)
        assert said_by(settings) == [], "no retention, nothing is deleted"
        keep(home, drafts="30d")
        assert said_by(settings) == []
        end(ledger, 30.1)
        (line,) = said_by(settings)
        assert "otters: retention deletes 9 drafts of 1 run (" in line
        assert n_left(home) == n_files - 9
        left = [one for one in ledger.candidates.of_run(RUN_ID, "draft") if not one.is_pruned]
        assert {one.is_finalist or one.is_liked for one in left} == {True}
        assert len(ledger.candidates.of_run(RUN_ID)) == N_DRAFTS
        assert ledger.orders.charged_usd(RUN_ID) == spent
        assert said_by(settings) == []


def test_drafts_of_a_declined_run_go_earlier_and_what_was_ticked_before_counts_for_nothing(
    home: Path,
) -> None:
    """Only what somebody liked stays."""
    settings = Settings(home, os.environ)
    with open_ledger(home) as ledger:
        drafts = fill_run(home, ledger)
        n_files = n_left(home)
        like(ledger, drafts[0].candidate_id)
        ledger.shortlists.choose(RUN_ID, [drafts[1].candidate_id], after=0, by="mara", now=datetime.now(UTC))
        decline(settings, ledger, RUN_ID, "mara")
        keep(home, drafts="90d", declined="7d")
        end(ledger, 8)
        (line,) = said_by(settings)
        assert "11 drafts of 1 run" in line
        assert n_left(home) == n_files - 11
        assert (run_folder(home, "otters", RUN_ID) / "report.html").exists()


def test_the_command_keeps_to_what_campaigns_say_and_asks(home: Path) -> None:
    """It says who keeps what; without a terminal only --yes deletes."""
    words = ["runs", "--prune", "--home", str(home)]
    with open_ledger(home) as ledger:
        fill_run(home, ledger)
        end(ledger, 40)
        n_files = n_left(home)
        said = CliRunner().invoke(runoff, words)
        assert "No campaign says how long its files are kept." in said.output
        keep(home, drafts="30d")
        said = CliRunner().invoke(runoff, words)
        assert "losing drafts after 30 days" in said.output
        assert "Nothing was deleted" in said.output
        assert n_left(home) == n_files
        told = json.loads(CliRunner().invoke(runoff, [*words, "--yes", "--json"]).stdout)
        assert (told["is_dropped"], told["runs"][0]["n_pictures"], told["mirrored"]) == (True, 10, [])
        assert n_left(home) == n_files - 10
        assert "There is nothing to delete." in CliRunner().invoke(runoff, [*words, "--yes"]).output


def test_a_plan_says_what_will_be_deleted_and_a_wrong_age_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the value, and what is accepted."""
    monkeypatch.chdir(tmp_path)
    assert CliRunner().invoke(runoff, ["init", "own"]).exit_code == 0
    file = tmp_path / "own.yaml"
    text = file.read_text()
    file.write_text(f"{text}\nretention: {{drafts: 30d, declined: 1d}}\n")
    planned = " ".join(CliRunner().invoke(runoff, ["plan", str(file)]).output.split())
    assert "losing drafts after 30 days, drafts of declined runs after 1 day." in planned
    for wrong in ("0d", "30", "a month", "-1d", "1.5d"):
        file.write_text(f"{text}\nretention: {{drafts: {wrong}}}\n")
        refused = CliRunner().invoke(runoff, ["plan", str(file)]).exception
        assert isinstance(refused, CampaignError)
        assert "retention.drafts" in str(refused)
        assert "a number of days from 1d to 9999d" in str(refused)


def test_a_mirror_is_emptied_of_what_the_store_keeps(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the store has not, or has otherwise, stays; who works on the run again fetches all of it."""
    monkeypatch.setenv("RUNOFF_HOME", address)
    home = home_folder(None, os.environ)
    settings, store = Settings(home, os.environ), store_of(home)
    assert store is not None
    folder = run_folder(home, "otters", RUN_ID)
    with open_ledger(home) as ledger:
        fill_run(home, ledger)
        keep(home, mirrors="3d")
        end(ledger, 4)
        store.push(home)
        n_stored = len(store.sizes(folder))
        only_here, cut_there = folder / "drafts/only-here.png", folder / "drafts/p00.png"
        only_here.write_bytes(b"paid")
        cut_there.write_bytes(cut_there.read_bytes() + b"more")
        (line,) = said_by(settings)
        assert "this machine's mirror of 1 run" in line
        left = {file for file in folder.rglob("*") if file.is_file()} - {folder / ".lock"}
        assert left == {only_here, cut_there}
        assert len(store.sizes(folder)) == n_stored
        only_here.unlink()
        cut_there.unlink()
        with locked_run(ledger, folder):
            assert len([file for file in folder.rglob("*") if file.is_file()]) == n_stored + 1
        with ledger.hold(RUN_ID):
            (line, *_) = said_by(settings)
        assert not list((folder / "drafts").glob("*.png"))


def test_a_run_is_deleted_whole_and_its_money_stays(home: Path) -> None:
    """It says what goes and what stays; unless it is over, nothing goes; afterwards the proof holds."""
    words = ["runs", "--delete", RUN_ID, "--home", str(home)]
    folder = run_folder(home, "otters", RUN_ID)
    with open_ledger(home) as ledger:
        fill_run(home, ledger)
        refused = CliRunner().invoke(runoff, [*words, "--yes"])
        assert "is not over (awaiting review)" in str(refused.exception)
        decline(Settings(home, os.environ), ledger, RUN_ID, "mara")
        orders = ledger.orders.of_run(RUN_ID)
        asked = CliRunner().invoke(runoff, words).output
        assert "12 drafts and 0 finals" in asked
        assert "Stays  in the ledger 12 requests, $0.00" in asked
        assert "Nothing was deleted. Delete with --yes." in asked
        assert (folder / "drafts/p00.png").exists()
        told = json.loads(CliRunner().invoke(runoff, [*words, "--yes", "--json"]).stdout)
        assert (told["is_deleted"], told["run"]["n_drafts"]) == (True, 12)
        assert [file.name for file in folder.rglob("*")] == [".lock"]
        assert ledger.orders.of_run(RUN_ID) == orders
        assert ledger.verify(home) == []
        record = ledger.runs.find(RUN_ID)
        assert "files were deleted by" in record.warnings[-1]
        listed = json.loads(CliRunner().invoke(runoff, ["runs", "--home", str(home), "--json"]).stdout)
        assert (listed[0]["run_id"], listed[0]["state"]) == (RUN_ID, "done")
        again = CliRunner().invoke(runoff, [*words, "--yes"])
        assert (again.exit_code, "0 files" in again.output) == (0, True)
        report = CliRunner().invoke(runoff, ["report", RUN_ID, "--home", str(home)])
        assert "campaign file is missing" in str(report.exception)


@pytest.mark.slow  # every day: deleted from a folder
def test_a_deleted_run_is_gone_from_the_store_too(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """There first; while another process works on it, nothing goes."""
    monkeypatch.setenv("RUNOFF_HOME", address)
    home = home_folder(None, os.environ)
    store = store_of(home)
    assert store is not None
    folder = run_folder(home, "otters", RUN_ID)
    with open_ledger(home) as ledger:
        fill_run(home, ledger)
        end(ledger, 1)
        store.push(home)
        assert len(store.sizes(folder)) > N_DRAFTS
        words = ["runs", "--delete", RUN_ID, "--yes"]
        with locked_run(ledger, folder):
            assert "another process is working on it" in str(CliRunner().invoke(runoff, words).exception)
        assert len(store.sizes(folder)) > N_DRAFTS
        assert "and this machine's mirror" in CliRunner().invoke(runoff, words).output
        assert store.sizes(folder) == {}
        assert [file.name for file in folder.rglob("*")] == [".lock"]


@pytest.mark.parametrize(
    "words",
    [("--yes",), ("--older-than", "3d"), ("--prune", "--delete", "latest"), ("--delete",)],
)
def test_options_that_say_nothing_together_are_a_usage_error(words: tuple[str, ...], home: Path) -> None:
    """And nothing is done."""
    assert CliRunner().invoke(runoff, ["runs", *words, "--home", str(home)]).exit_code == 2
