"""``verdict: {retire_when: beaten}``: an arm that lost over all nights is not bought any more."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner

from flows.command_line import runoff
from flows.run_report import write_run_report
from flows.runs.run import StoredRun
from flows.schedule.take_slot import reason_to_skip
from flows.session.prepare import Prepared, prepare
from tasks.campaign_file.overrides import Overrides
from tasks.ledger import Ledger
from tasks.settings import Settings
from tests.support.builders import NOON
from tests.support.ledgers import open_ledger
from tests.support.nights import STOPPING, add_night

ARMS = STOPPING["arms"] | {"C": {"prompt": "A sea otter {{ action }}, in pencil"}}
RACE = STOPPING | {"arms": ARMS, "verdict": {"retire_when": "beaten"}}
LIFTS = {"A": 0.0, "B": 0.2, "C": 0.21}
A_OUT = "beaten by B over 4 nights"


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    """A new ledger."""
    opened = open_ledger(tmp_path)
    yield opened
    opened.close()


def prepared(home: Path, campaign: dict[str, Any], run_id: str = "plan", **options: Any) -> Prepared:
    """Prepare a run of a campaign's file."""
    file = home / "otters.yaml"
    file.write_text(yaml.safe_dump(dict(campaign)))
    return prepare(file, Settings(home, {}), run_id, **options)


def with_verdict(**changes: Any) -> dict[str, Any]:
    """Return the campaign with another ``verdict``."""
    return RACE | {"verdict": {"retire_when": "beaten"} | changes}


def race(home: Path, ledger: Ledger, n_nights: int) -> None:
    """Write nights in which A loses, and B and C are alike."""
    for night in range(n_nights):
        add_night(home, ledger, night, LIFTS, campaign=RACE)


def add_later_night(home: Path, ledger: Ledger, number: int, planned: Prepared) -> str:
    """Write a night of the arms that were prepared."""
    as_run = yaml.safe_load(planned.campaign.as_yaml())
    lifts = {arm: LIFTS[arm] for arm in planned.campaign.arms}
    return add_night(home, ledger, number, lifts, campaign=as_run)


def test_a_beaten_arm_is_no_longer_ordered_and_the_plan_says_why(tmp_path: Path, ledger: Ledger) -> None:
    """Not before the nights say so, and not without the rule: what is not planned is never reserved."""
    race(tmp_path, ledger, 2)
    assert set(prepared(tmp_path, RACE).campaign.arms) == {"A", "B", "C"}
    for night in (2, 3):
        add_night(tmp_path, ledger, night, LIFTS, campaign=RACE)
    planned = prepared(tmp_path, RACE)
    assert {order.arm for order in planned.plan.orders} == {"B", "C"}
    assert planned.plan.warnings[0].startswith(f"Arm A is retired and not bought: {A_OUT}. To buy it again:")
    words = ["plan", str(tmp_path / "otters.yaml"), "--home", str(tmp_path)]
    told = CliRunner().invoke(runoff, words, catch_exceptions=False).stdout
    assert "Arm A is retired and not bought" in " ".join(told.split())
    unruled = {key: value for key, value in RACE.items() if key != "verdict"}
    assert set(prepared(tmp_path, unruled).campaign.arms) == {"A", "B", "C"}


@pytest.mark.slow
def test_it_stays_out_and_the_reports_go_on_showing_the_race(tmp_path: Path, ledger: Ledger) -> None:
    """Though its evidence is old by then; also for a run whose file has one arm left."""
    race(tmp_path, ledger, 4)
    last = StoredRun.find(Settings(tmp_path, {}), ledger, "latest")
    leaving = write_run_report(last).facts.ab_test
    assert leaving is not None
    assert leaving["nights"]["retiring"] == {"A": A_OUT}
    assert leaving["nights"]["headline"].endswith(f"Arm A is not bought any more from now on, {A_OUT}.")
    for night in (4, 5):
        run_id = add_later_night(tmp_path, ledger, night, prepared(tmp_path, RACE, f"run-{night}"))
    again = prepared(tmp_path, RACE)
    assert set(again.campaign.arms) == {"B", "C"}
    assert again.campaign.verdict.retired["A"].since == "run-4"
    run = StoredRun.find(Settings(tmp_path, {}), ledger, run_id)
    told = write_run_report(run).facts.ab_test
    assert told is not None
    assert told["nights"]["retired"] == {"A": A_OUT}
    assert (told["nights"]["nights"], told["nights"]["left_out"]) == (6, 0)
    by_arms = {tuple(pair["arms"]): pair["nights"] for pair in told["nights"]["pairs"]}
    assert by_arms == {("A", "B"): 4, ("A", "C"): 4, ("B", "C"): 6}
    page = (run.folder / "report.html").read_text()
    assert "The race, over 6 nights" in page
    assert f"Arm A is out of the race and not bought any more: {A_OUT}." in page


def test_the_last_arm_in_the_race_has_won(tmp_path: Path, ledger: Ledger) -> None:
    """Of two arms one retires; the report of a run of one arm still says who won, and a schedule may stop."""
    two = RACE | {"arms": STOPPING["arms"], "verdict": {"retire_when": "beaten", "stop_when": "decided"}}
    for night in range(4):
        add_night(tmp_path, ledger, night, {"A": 0.0, "B": 0.2}, campaign=two)
    planned = prepared(tmp_path, two)
    assert set(planned.campaign.arms) == {"B"}
    assert reason_to_skip(planned, NOON).startswith("Decided: Over 4 nights and 6 rows, arm B beats arm A")
    run_id = add_later_night(tmp_path, ledger, 4, planned)
    run = StoredRun.find(Settings(tmp_path, {}), ledger, run_id)
    told = write_run_report(run).facts.ab_test
    assert told is not None
    assert told["nights"]["winner"] == "B"
    plain = CliRunner().invoke(runoff, ["verdict", run_id, "--home", str(tmp_path)], catch_exceptions=False)
    assert "Arm A is retired, beaten by B over 4 nights." in plain.stdout


def test_a_run_that_has_begun_keeps_its_arms(tmp_path: Path, ledger: Ledger) -> None:
    """Resumed after the arm was beaten, it still buys what it planned."""
    race(tmp_path, ledger, 4)
    begun = StoredRun.find(Settings(tmp_path, {}), ledger, "latest")
    resumed = prepare(begun.campaign_file(), Settings(tmp_path, {}), begun.run_id)
    assert set(resumed.campaign.arms) == {"A", "B", "C"}


def test_an_arm_comes_back_by_editing_the_campaign(tmp_path: Path, ledger: Ledger) -> None:
    """By ``keep``, by another order under its name, or by its name for one run."""
    race(tmp_path, ledger, 4)
    add_later_night(tmp_path, ledger, 4, prepared(tmp_path, RACE, "run-4"))
    kept = prepared(tmp_path, with_verdict(keep=["A"]))
    assert set(kept.campaign.arms) == {"A", "B", "C"}
    renewed = ARMS | {"A": {"prompt": "A sea otter {{ action }}, in oil"}}
    assert set(prepared(tmp_path, RACE | {"arms": renewed}).campaign.arms) == {"A", "B", "C"}
    alone = prepared(tmp_path, RACE, overrides=Overrides(only_arms=["A", "B"]))
    assert set(alone.campaign.arms) == {"A", "B"}
    add_night(tmp_path, ledger, 5, {"A": 0.0, "B": 0.2}, campaign=yaml.safe_load(alone.campaign.as_yaml()))
    assert set(prepared(tmp_path, RACE).campaign.arms) == {"B", "C"}


def test_halving_goes_on_with_the_arms_that_are_left(tmp_path: Path, ledger: Ledger) -> None:
    """Three arms halve; the run of two that follows can be resumed, and buys no more than it would."""
    halving = RACE | {"drafts": RACE["drafts"] | {"allocation": "halving"}}
    for night in range(4):
        add_night(tmp_path, ledger, night, LIFTS, campaign=halving)
    planned = prepared(tmp_path, halving, "run-4")
    run_id = add_later_night(tmp_path, ledger, 4, planned)
    begun = StoredRun.find(Settings(tmp_path, {}), ledger, run_id)
    assert set(begun.campaign.arms) == {"B", "C"}
    assert len(begun.campaign.rounds) == 1
