"""The best combination on the review page: priced when asked for, and bought by one confirmation."""

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest
import yaml
from playwright.sync_api import Browser, expect

from flows.promotion.action import Promotion
from tests.support.browser import find_unsupported, needs_browser
from tests.support.builders import RUN_ID
from tests.support.review_browser import PHONE, watched
from tests.support.review_home import CAMPAIGN, Open, review_page
from tests.support.review_requests import ask, read, say

KEY = "0123456789abcdef"
FACTORS = {
    "prompt": "A sea otter {{ action }}, {{ style }}",
    "levels": {"style": {"A": "watercolour", "B": "studio photograph"}},
}


@pytest.fixture
def page(tmp_path: Path) -> Iterator[Open]:
    """A page with a run whose two arms are the levels of one factor."""
    with review_page(tmp_path) as opened:
        own = {key: value for key, value in CAMPAIGN.items() if key != "arms"} | {"factors": FACTORS}
        (opened.folder / "campaign.yaml").write_text(yaml.safe_dump(own))
        yield opened


def test_the_best_combination_is_priced_and_bought_once(page: Open) -> None:
    """A price that has risen is refused, looking buys nothing, and a key names one purchase."""
    best = read(page, "/best.json")["best"]
    assert (best["arm"], best["is_made"]) == ("A", True)
    assert best["headline"].startswith("Best combination: style A, predicted to score 0.")
    shown = read(page, "/best/price.json")
    assert shown["what"] == "2 arms made again (A, B), 12 requests"
    assert page.further.begun == []
    status, told = say(page, "/best", key=KEY, most_usd="0.000001")
    assert (status, page.further.begun) == (409, [])
    assert "was shown" in told["message"]
    for wrong in ({"key": "x"}, {"by": ""}, {"most_usd": "-1"}, {"n": 3}):
        assert say(page, "/best", **({"key": KEY, "most_usd": shown["most_usd"]} | wrong))[0] == 422, wrong
    assert say(page, "/best", key=KEY, most_usd=shown["most_usd"])[0] == 200
    (words,) = page.further.begun
    assert words[:3] == ["more", RUN_ID, "--best"]
    assert {f"--key={KEY}", f"--at-most={Decimal(shown['most_usd']):f}", "--by=mara"} <= set(words)
    stored = yaml.safe_load((page.folder / "campaign.yaml").read_text())
    stored["factors"]["added"] = [
        {"arms": [], "beside": ["A", "B"], "first_replicate": 3, "replicates": 3, "key": KEY}
    ]
    (page.folder / "campaign.yaml").write_text(yaml.safe_dump(stored))
    assert say(page, "/best", key=KEY, most_usd=shown["most_usd"])[0] == 200
    assert len(page.further.begun) == 1


def test_a_run_without_factors_has_no_best_combination(tmp_path: Path) -> None:
    """Its grid shows no button, and the price says why."""
    with review_page(tmp_path) as opened:
        assert read(opened, "/best.json") == {"best": None}
        assert "has no factors" in read(opened, "/best/price.json")["trouble"]
        assert b'id="best-make"' not in ask(opened, f"/runs/{RUN_ID}/grid")[1]
        assert say(opened, "/best", key=KEY, most_usd="1")[0] == 409
        assert opened.further.begun == []


@needs_browser
@pytest.mark.slow  # every day: the first test
def test_the_button_asks_with_the_price_and_follows_the_purchase(
    page: Open, browser: Browser, tmp_path: Path
) -> None:
    """On a phone: one press asks, another buys; not now buys nothing."""
    with watched(browser, tmp_path, size=PHONE) as (window, complaints):
        window.goto(f"{page.run}/grid")
        make = window.get_by_role("button", name="Make more of it")
        make.click()
        expect(window.locator("#best-confirm")).to_contain_text("At most")
        window.get_by_role("button", name="Not now").click()
        assert page.further.begun == []
        make.click()
        page.further.state = Promotion("running", "drafts 1/12")
        expect(window.locator("#best-confirm")).to_be_visible()
        window.locator("#best-yes").press("Enter")
        expect(window.locator("#best-progress")).to_contain_text("drafts 1/12")
        page.further.state = Promotion("done")
        expect(window.locator("#best-progress")).to_contain_text("It was made.")
        assert len(page.further.begun) == 1
        assert find_unsupported(window, "serious", "critical") == []
        assert window.evaluate("document.documentElement.scrollWidth") <= PHONE[0]
    assert complaints == []
