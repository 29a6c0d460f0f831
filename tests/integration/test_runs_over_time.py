"""Runs over time: laid beside one another, with what changed in the campaign, and a campaign's time line."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from playwright.sync_api import Browser, expect

from flows.evaluation.compared_runs import THERE, Change, compare_runs, find_changes
from flows.runs.run import StoredRun
from tasks.ab_test.intervals import mean_interval
from tasks.settings import Settings
from tests.support.browser import find_unsupported, needs_browser
from tests.support.builders import NOON, RUN_ID
from tests.support.review_browser import DESKTOP, PHONE, watched
from tests.support.review_home import CAMPAIGN, Open, review_page
from tests.support.review_requests import ask

LATER = "20261123-120000-test"


@pytest.fixture
def page(tmp_path: Path) -> Iterator[Open]:
    """A page with a run, and a later one of the changed campaign that has no picture yet."""
    with review_page(tmp_path) as opened:
        later = opened.folder.with_name(LATER)
        later.mkdir()
        arms = {**CAMPAIGN["arms"], "B": {"prompt": "A sea otter {{ action }}, oil painting"}}
        changed = CAMPAIGN | {"arms": arms, "variables": {"action": ["asleep in kelp", "diving"]}}
        (later / "campaign.yaml").write_text(yaml.safe_dump(changed))
        now = NOON + timedelta(days=1)
        opened.ledger.runs.start(LATER, campaign="otters", provider="emulator", now=now)
        yield opened


def test_what_changed_is_named_key_by_key() -> None:
    """A value, a key that came or went, and rows by what they hold, wherever they stand."""
    before: dict[str, Any] = {"drafts": {"per_prompt": 3}, "rows": [{"a": 1}, {"a": 2}], "mask": "x.png"}
    after: dict[str, Any] = {"drafts": {"per_prompt": 4, "lane": "batch"}, "rows": [{"a": 2}, {"a": 3}]}
    assert list(find_changes(before, after)) == [
        Change("drafts.lane", None, "batch"),
        Change("drafts.per_prompt", "3", "4"),
        Change("mask", "x.png", None),
        Change('rows: {"a": 1}', THERE, None),
        Change('rows: {"a": 3}', None, THERE),
    ]
    assert list(find_changes(after, after)) == []


def test_an_interval_needs_two_rows() -> None:
    """Of one row nothing is known of the spread, and an interval stays within the scores."""
    assert mean_interval([0.5]) == (None, None)
    low, high = mean_interval([0.0, 0.0, 1.0])
    assert (low, high) == (0.0, 1.0)


def test_runs_are_laid_beside_one_another_row_by_row(page: Open) -> None:
    """The oldest first; a row that one run has not is empty there; a run without pictures has no score."""
    settings = Settings(page.home, {})
    runs = [StoredRun.find(settings, page.ledger, name) for name in (LATER, RUN_ID)]
    found = compare_runs(runs)
    assert [one.run_id for one in found.runs] == [RUN_ID, LATER]
    first, second = found.runs
    assert first.drafts == len(page.drafts)
    assert (second.score, second.drafts, second.verdict) == (None, 0, "")
    (changes,) = found.changes
    assert [one.key for one in changes] == [
        "arms.B.prompt", "variables.action: diving", "variables.action: swimming",
    ]  # fmt: skip
    rows = {row.name: row.pictures for row in found.rows}
    assert set(rows) == {"swimming", "asleep in kelp"}
    assert list(rows["swimming"][0]) == ["A", "B"]
    assert rows["swimming"][1] == {}
    scored = replace(first, scored_by=(("judge", "1", 1.0),))
    assert scored.scored_by != first.scored_by


def test_the_pages_answer_and_refuse(page: Open) -> None:
    """A campaign's runs, two of them compared; one run alone, an unknown one and an unknown campaign."""
    assert b"20261123-120000-test" in ask(page, "/campaigns/otters")[1]
    answer, content = ask(page, f"/compare?run={RUN_ID}&run={LATER}")
    assert answer.status == 200
    assert b"oil painting" in content
    assert ask(page, f"/compare?run={RUN_ID}&run={RUN_ID}")[0].status == 400
    assert ask(page, "/compare?run=20200101-000000-none&run=latest")[0].status == 404
    assert ask(page, "/campaigns/none")[0].status == 404
    assert json.loads(ask(page, "/compare")[1])["message"].startswith("query.run")


@needs_browser
@pytest.mark.parametrize(
    "size", [pytest.param(DESKTOP, marks=pytest.mark.slow), pytest.param(PHONE, marks=pytest.mark.long)]
)
def test_from_a_campaign_to_two_of_its_runs(
    page: Open, browser: Browser, tmp_path: Path, size: tuple[int, int]
) -> None:
    """By keyboard and touch: the time line, the comparison, and a picture of it enlarged."""
    with watched(browser, tmp_path, size=size) as (window, complaints):
        window.goto(page.address)
        window.get_by_role("link", name="All runs of otters").first.click()
        expect(window.get_by_role("heading", level=1)).to_have_text("otters")
        assert find_unsupported(window, "serious", "critical") == []
        window.locator("#compare").press("Enter")
        expect(window.get_by_role("heading", level=1)).to_have_text("2 runs beside one another")
        assert find_unsupported(window, "serious", "critical") == []
        assert window.evaluate("document.documentElement.scrollWidth") <= size[0]
        window.locator(".matched img").first.click()
        expect(window.locator("#zoom")).to_be_visible()
    assert complaints == []
