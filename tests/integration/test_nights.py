"""The nights of a campaign, read from the ledger: which runs belong together, and when a schedule stops."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner

from flows.command_line import runoff
from flows.evaluation.nights import name_rows
from flows.schedule.take_slot import reason_to_skip
from flows.session.prepare import prepare
from tasks.errors import SettingError
from tasks.ledger import Ledger
from tasks.settings import Settings
from tests.support.builders import NOON
from tests.support.ledgers import open_ledger
from tests.support.nights import STOPPING, add_night


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    """A new ledger."""
    opened = open_ledger(tmp_path)
    yield opened
    opened.close()


def ask(home: Path, run_id: str) -> dict[str, Any]:
    """Ask for the verdict over all nights."""
    words = ["verdict", run_id, "--home", str(home), "--by", "nights", "--json"]
    done = CliRunner().invoke(runoff, words, catch_exceptions=False)
    found: dict[str, Any] = json.loads(done.stdout)["verdicts"]["nights"]
    return found


def test_a_run_is_told_with_the_nights_before_it_and_never_with_later_ones(
    tmp_path: Path, ledger: Ledger
) -> None:
    """The third night's verdict is of three nights, also once there are five."""
    runs = [add_night(tmp_path, ledger, night, {"A": 0.0, "B": 0.2}) for night in range(5)]
    third, fifth = ask(tmp_path, runs[2]), ask(tmp_path, runs[4])
    assert (third["nights"], fifth["nights"], fifth["left_out"]) == (3, 5, 0)
    assert fifth["winner"] == "B"
    assert fifth["pairs"][0]["difference"] == pytest.approx(-0.2, abs=0.02)
    plain = CliRunner().invoke(runoff, ["verdict", runs[4], "--home", str(tmp_path)], catch_exceptions=False)
    assert "Over 5 nights and 6 rows, arm B beats arm A" in plain.stdout


def test_so_many_pictures_are_read_and_no_more(
    tmp_path: Path, ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The latest nights count; what is not read is not called left out."""
    for night in range(4):
        last = add_night(tmp_path, ledger, night, {"A": 0.0, "B": 0.2})
    monkeypatch.setattr("flows.evaluation.nights.MOST_PICTURES", 24)  # of one night
    found = ask(tmp_path, last)
    assert (found["nights"], found["left_out"]) == (2, 0)


def test_arms_are_the_same_by_what_is_ordered_and_not_by_their_names(tmp_path: Path, ledger: Ledger) -> None:
    """Swapped names are followed; another prompt leaves a run out, and it is said."""
    a, b = STOPPING["arms"]["A"], STOPPING["arms"]["B"]
    swapped, other = {"A": b, "B": a}, {"A": a, "B": {"prompt": "A crow {{ action }}"}}
    add_night(tmp_path, ledger, 0, {"A": 0.2, "B": 0.0}, campaign=STOPPING | {"arms": swapped})
    add_night(tmp_path, ledger, 1, {"A": 0.0, "B": -0.3}, campaign=STOPPING | {"arms": other})
    last = add_night(tmp_path, ledger, 2, {"A": 0.0, "B": 0.2})
    found = ask(tmp_path, last)
    assert (found["nights"], found["left_out"]) == (2, 1)
    assert found["pairs"][0]["difference"] == pytest.approx(-0.2, abs=0.02)
    assert found["headline"].endswith("1 earlier run is left out: other arms, or scored otherwise.")


def test_scores_of_another_version_are_not_mixed_in(tmp_path: Path, ledger: Ledger) -> None:
    """A night that an older scorer scored must not pass for a change of pictures."""
    add_night(tmp_path, ledger, 0, {"A": 0.0, "B": -0.4}, version="3")
    runs = [add_night(tmp_path, ledger, night, {"A": 0.0, "B": 0.1}) for night in (1, 2)]
    found = ask(tmp_path, runs[-1])
    assert (found["nights"], found["left_out"]) == (2, 1)


def test_a_schedule_stops_once_it_is_decided(tmp_path: Path, ledger: Ledger) -> None:
    """Not before; and a campaign that does not ask for it goes on."""
    file = tmp_path / "otters.yaml"
    file.write_text(yaml.safe_dump(STOPPING))
    prepared = prepare(file, Settings(tmp_path, {}), "plan")
    for night in range(2):
        add_night(tmp_path, ledger, night, {"A": 0.0, "B": 0.2})
    assert reason_to_skip(prepared, NOON) == ""
    for night in range(2, 6):
        add_night(tmp_path, ledger, night, {"A": 0.0, "B": 0.2})
    reason = reason_to_skip(prepared, NOON)
    assert reason.startswith("Decided: Over 6 nights and 6 rows, arm B beats arm A by 0.20 points")
    assert reason.endswith("Nothing was bought.")
    file.write_text(yaml.safe_dump({key: value for key, value in STOPPING.items() if key != "verdict"}))
    assert reason_to_skip(prepare(file, Settings(tmp_path, {}), "plan"), NOON) == ""


def test_a_plan_says_how_many_rows_find_a_difference(tmp_path: Path, ledger: Ledger) -> None:
    """By the campaign's own spread once it has a run; until then by an assumption, which is said."""
    file = tmp_path / "otters.yaml"
    file.write_text(yaml.safe_dump(STOPPING))
    words = ["plan", str(file), "--power", "0.05", "--home", str(tmp_path)]
    first = CliRunner().invoke(runoff, words, catch_exceptions=False).stdout
    assert "Rows that find a difference of 0.05 in 80% of campaigns" in first
    assert "Assumed, without an earlier run of these arms" in first
    add_night(tmp_path, ledger, 0, {"A": 0.0, "B": 0.1})
    told = json.loads(CliRunner().invoke(runoff, [*words, "--json"], catch_exceptions=False).stdout)["power"]
    assert (told["earlier_runs"], told["difference"], told["power"]) == (1, 0.05, 0.8)
    assert told["spread"]["pictures"] == pytest.approx(0.03, rel=0.5)
    by_replicates = {size["replicates"]: size["rows"] for size in told["sizes"]}
    assert set(by_replicates) == {1, 2, 3, 4, 8, 16}  # the campaign makes three
    assert by_replicates[1] < 20
    alone = {**STOPPING, "arms": {"A": STOPPING["arms"]["A"]}}
    file.write_text(yaml.safe_dump(alone))
    with pytest.raises(SettingError, match="there is one arm"):
        CliRunner().invoke(runoff, words, catch_exceptions=False)


def test_rows_are_known_by_their_variables() -> None:
    """In any order of the keys; equal rows are counted."""
    first, second = name_rows([{"a": 1, "b": 2}, {"b": 2, "a": 1}])
    assert (first[:-1], first[-1], second[-1]) == (second[:-1], "1", "2")
