"""People answer the judge's statements: blind, kept by person, compared when done, and exported."""

import csv
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import yaml
from click.testing import CliRunner
from playwright.sync_api import expect

from flows.command_line import runoff
from flows.run_report import write_run_report
from tasks.errors import LedgerError
from tasks.judging.people_answers import PersonAnswer
from tests.support.browser import find_unsupported, needs_browser, open_browser
from tests.support.builders import NOON, RUN_ID
from tests.support.judged_page import OTTER, WET, judge_run, judged_page, stored_run
from tests.support.review_browser import PHONE, watched
from tests.support.review_home import CAMPAIGN, Open
from tests.support.review_requests import ask, read, say


@pytest.fixture
def page(tmp_path: Path) -> Iterator[Open]:
    """A page on a run that was judged."""
    with judged_page(tmp_path) as opened:
        yield opened


def facts(page: Open, person: str = "mara") -> Any:
    """Read what a person is asked."""
    return read(page, f"/statements.json?person={person}")


def answer_all(page: Open, said: str = "yes", person: str = "mara") -> None:
    """Answer every statement about every picture in the same way."""
    for picture in facts(page, person)["pictures"]:
        for one in picture["statements"]:
            told = {"candidate_id": picture["id"], "statement": one["text"], "answer": said}
            assert say(page, "/statements", by=person, **told)[0] == 200


def test_an_answer_comes_back_from_either_database(home: Path) -> None:
    """All are kept, oldest first; one about no picture is refused."""
    with judged_page(home) as opened:
        name = opened.drafts[0].candidate_id
        given = [
            PersonAnswer(RUN_ID, name, "It is wet", "no", "mara", NOON),
            PersonAnswer(RUN_ID, name, "It is wet", "cannot_tell", "jo", NOON),
        ]
        for one in given:
            opened.ledger.people_answers.add(one)
        assert opened.ledger.people_answers.of_run(RUN_ID) == given
        with pytest.raises(LedgerError):
            opened.ledger.people_answers.add(PersonAnswer(RUN_ID, "c-none", "It", "no", "jo", NOON))


def test_people_are_asked_what_the_judge_was_asked_and_do_not_see_what_it_said(page: Open) -> None:
    """No arm, no score, no answer of the judge; the result comes when the last answer is given."""
    asked = facts(page)
    assert len(asked["pictures"]) == 8
    assert set(asked) == {"pictures", "n_judged", "result"}
    for picture in asked["pictures"]:
        assert set(picture) == {"id", "n_beside", "statements"}
        assert [set(one) for one in picture["statements"]] == [{"text", "parent", "said"}] * 3
        assert [one["parent"] for one in picture["statements"]] == [None, 0, None]
    assert asked["result"] is None
    answer_all(page, "no")
    result = facts(page)["result"]
    assert {one["template"] for one in result["statements"]} == {OTTER, WET, "<b>There</b> is no text"}
    (otter,) = [one for one in result["statements"] if one["template"] == OTTER]
    assert (otter["pictures"], otter["only_judge"], otter["finding"]) == (8, 5, "cannot see it")
    assert facts(page, "jo")["result"] is None, "jo has answered nothing"


def test_a_statement_that_depends_on_one_that_is_not_true_needs_no_answer(page: Open) -> None:
    """Who says that there is no otter is not asked whether it is wet."""
    for picture in facts(page)["pictures"]:
        for place in (0, 2):
            told = {"candidate_id": picture["id"], "statement": picture["statements"][place]["text"]}
            say(page, "/statements", answer="no", **told)
    assert facts(page)["result"] is not None


def test_what_is_not_asked_is_not_kept(page: Open) -> None:
    """Another statement, another picture, a word that is none: refused in words, and nothing is stored."""
    first = facts(page)["pictures"][0]
    told = {"candidate_id": first["id"], "statement": first["statements"][0]["text"], "answer": "yes"}
    for change, status in (
        ({"statement": "It is blue"}, 409),
        ({"candidate_id": "c-none"}, 409),
        ({"answer": "maybe"}, 422),
        ({"statement": ""}, 422),
    ):
        assert say(page, "/statements", **(told | change))[0] == status
    judge_run(page, ["Something else"])
    assert say(page, "/statements", **told)[0] == 409, "the campaign asks otherwise by now"
    assert page.ledger.people_answers.of_run(RUN_ID) == []
    assert ask(page, f"/runs/{RUN_ID}/beside/{first['id']}/0")[0].status == 404


def test_a_run_without_a_judge_has_no_such_page_to_offer(tmp_path: Path) -> None:
    """The tab is missing, and the address says that there is nothing."""
    with judged_page(tmp_path) as page:
        assert b"/statements" in ask(page, f"/runs/{RUN_ID}")[1]
        (page.folder / "campaign.yaml").write_text(yaml.safe_dump(CAMPAIGN))
        assert b"/statements" not in ask(page, f"/runs/{RUN_ID}")[1]
        assert facts(page) == {"pictures": [], "n_judged": 0, "result": None}


def test_the_command_and_the_report_say_what_was_found_and_hand_the_answers_on(
    page: Open, tmp_path: Path
) -> None:
    """By statement, with a proposal; every person's answer beside the judge's."""
    before = CliRunner().invoke(runoff, ["judge", "--home", str(page.home)])
    assert "Nobody has answered yet" in before.output
    answer_all(page, "no")
    answer_all(page, "cannot_tell", "jo")
    file = tmp_path / "answers.csv"
    run = CliRunner().invoke(runoff, ["judge", "--home", str(page.home), "--export", str(file)])
    assert run.exit_code == 0, run.output
    assert "48 answers by 2 people" in run.output
    assert "Reword it." in run.output, "jo could not tell anywhere"
    with file.open(encoding="utf-8-sig") as table:
        rows = list(csv.DictReader(table))
    assert {(row["answered_by"], row["answer"]) for row in rows} == {("mara", "no"), ("jo", "cannot_tell")}
    write_run_report(stored_run(page.home, page.ledger))
    kept = pd.read_parquet(page.folder / "people_answers.parquet")
    assert len(kept) == len(rows) == 48
    assert kept["judge_is_true"].notna().all()
    assert set(kept["row"]) == {1, 2}
    summary = json.loads((page.folder / "summary.json").read_text())
    assert summary["judge_check"]["people"] == 2
    report = (page.folder / "report.html").read_text()
    assert "Is the judge right?" in report
    assert "&lt;b&gt;There&lt;/b&gt;" in report


@needs_browser
def test_one_key_answers_and_the_page_tells_how_the_judge_compares(page: Open, tmp_path: Path) -> None:
    """By keyboard, one back, and on to the result; usable by everybody, on a phone too."""
    with open_browser() as browser, watched(browser, tmp_path, size=PHONE) as (shown, complaints):
        shown.goto(f"{page.run}/statements")
        expect(shown.locator("#progress-text")).to_contain_text("0 of 24")
        assert find_unsupported(shown, "serious", "critical") == []
        assert shown.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
        shown.keyboard.press("n")
        expect(shown.locator("#progress-text")).to_contain_text("1 of 23")
        shown.keyboard.press("ArrowLeft")
        shown.keyboard.press("y")
        expect(shown.locator("#progress-text")).to_contain_text("1 of 24")
        for done in range(2, 25):
            shown.keyboard.press("y")
            if done < 24:
                expect(shown.locator("#progress-text")).to_contain_text(f"{done} of 24")
        expect(shown.locator("#result")).to_be_visible()
        expect(shown.locator("#checked")).to_contain_text("cannot see it")
        expect(shown.locator("#more")).to_be_hidden()
        assert find_unsupported(shown, "serious", "critical") == []
        assert shown.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
        assert complaints == []
    assert len(page.ledger.people_answers.of_run(RUN_ID)) == 25
