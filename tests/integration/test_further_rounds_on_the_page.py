"""More of a picture on the review page: priced as one looks, bought once, by one confirmation."""

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from playwright.sync_api import Browser, expect

from flows.promotion.action import Promotion
from tasks.ledger.further_rounds import FurtherRound
from tests.support.browser import find_unsupported, needs_browser
from tests.support.builders import NOON, RUN_ID
from tests.support.review_browser import DESKTOP, PHONE, watched
from tests.support.review_home import Open, review_page
from tests.support.review_requests import ask, read, say

KEY = "0123456789abcdef"


@pytest.fixture
def page(tmp_path: Path) -> Iterator[Open]:
    """A page with a run that awaits review."""
    with review_page(tmp_path) as opened:
        yield opened


def asked(**changes: Any) -> dict[str, Any]:
    """Return what the page sends for two drafts in other words."""
    return {"base": "row", "n": 2, "prompt": "{{ prompt }}, warmer", "model": None} | changes


def price(page: Open, **changes: Any) -> dict[str, str]:
    """Ask for a price."""
    query = urlencode({k: v for k, v in asked(**changes).items() if v is not None})
    found: dict[str, str] = read(page, f"/more/{page.drafts[0].candidate_id}/price.json?{query}")
    return found


def test_a_price_is_shown_and_one_confirmation_buys_once(page: Open) -> None:
    """A second click buys nothing more; a price that has risen is refused; looking never buys."""
    draft = page.drafts[0]
    shown = price(page)
    assert shown["prompt"] == f"{draft.prompt}, warmer"
    assert price(page, n=4)["most_usd"] == f"{2 * Decimal(shown['most_usd']):f}"
    assert "there is no model" in price(page, model="gpt-image-9")["trouble"]
    assert page.further.begun == []

    where = f"/more/{draft.candidate_id}"
    status, told = say(page, where, **asked(), key=KEY, most_usd="0.000001")
    assert (status, page.further.begun) == (409, [])
    assert "was shown" in told["message"]
    status, told = say(page, where, **asked(), key=KEY, most_usd=shown["most_usd"])
    assert (status, told["family"]["id"]) == (200, draft.candidate_id)
    (words,) = page.further.begun
    assert words[:3] == ["more", RUN_ID, draft.candidate_id]
    assert {f"--key={KEY}", f"--at-most={shown['most_usd']}", "--prompt={{ prompt }}, warmer"} <= set(words)
    round_ = FurtherRound(RUN_ID, 0, draft.candidate_id, {}, KEY, Decimal(0), "mara", NOON)
    page.ledger.further_rounds.begin(round_, draft.arm, draft.row, lambda _: [])
    assert say(page, where, **asked(), key=KEY, most_usd=shown["most_usd"])[0] == 200
    assert len(page.further.begun) == 1


def test_what_is_not_asked_for_as_the_page_does_is_refused(page: Open) -> None:
    """Another run's picture, no name, no key, a number out of bounds."""
    where = f"/more/{page.drafts[0].candidate_id}"
    sound = asked() | {"key": KEY, "most_usd": "1"}
    for wrong in ({"by": ""}, {"key": "x"}, {"n": 0}, {"n": 101}, {"base": "all"}, {"most_usd": "-1"}):
        assert say(page, where, **(sound | wrong))[0] == 422, wrong
    assert say(page, "/more/c-nobody", **sound)[0] == 404
    assert ask(page, f"/runs/{RUN_ID}/more/c-nobody")[0].status == 404
    assert page.further.begun == []


@needs_browser
@pytest.mark.parametrize(
    "size", [pytest.param(DESKTOP, marks=pytest.mark.slow), pytest.param(PHONE, marks=pytest.mark.long)]
)
def test_more_of_a_picture_by_keyboard_and_touch(
    page: Open, browser: Browser, tmp_path: Path, size: tuple[int, int]
) -> None:
    """From the enlarged picture to the confirmation, with the price before it; then what has come."""
    draft = page.drafts[0]
    with watched(browser, tmp_path, size=size) as (window, complaints):
        window.goto(f"{page.run}#{draft.candidate_id}")
        window.get_by_role("link", name="More like this").click()
        buy = window.locator("#buy")
        expect(buy).to_contain_text("Buy 4 drafts for at most $")
        window.get_by_label("In other words").check()
        window.get_by_role("textbox", name="Prompt").fill("{{ prompt }}, at night")
        window.get_by_label("How many").fill("2")
        expect(buy).to_contain_text("Buy 2 drafts")
        assert page.further.begun == []
        buy.press("Enter")
        expect(window.locator("#confirm-prompt")).to_have_text(f"{draft.prompt}, at night")
        page.further.state = Promotion("running", "drafts 1/2")
        window.locator("#confirm-yes").press("Enter")
        expect(window.locator("#progress")).to_contain_text("drafts 1/2")
        page.further.state = Promotion("done")
        expect(window.locator("#progress")).to_contain_text("They have come.")
        assert len(page.further.begun) == 1
        assert find_unsupported(window, "serious", "critical") == []
        width = window.evaluate("document.documentElement.scrollWidth")
        assert width <= size[0]
    assert complaints == []
