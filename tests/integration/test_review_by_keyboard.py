"""The gallery by keyboard alone, from the first moment: move, enlarge, choose, come back."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.support.browser import find_unsupported, needs_browser
from tests.support.review_browser import DESKTOP, PHONE, watched
from tests.support.review_home import Open, review_page

pytestmark = needs_browser
NARROWER = (1280, 800)
MANY_PER_CELL = 2500
SOON_MS = 1500  # a busy machine; 70 to 100 where it is quiet


@pytest.fixture
def review(tmp_path: Path) -> Iterator[Open]:
    """A page with a run of two arms and two rows."""
    with review_page(tmp_path) as opened:
        yield opened


def focused(page: Page) -> str | None:
    """Name the picture in focus."""
    found: str | None = page.evaluate("document.activeElement.closest('.tile')?.dataset.id ?? null")
    return found


def test_a_fresh_gallery_obeys_the_keyboard(browser: Browser, review: Open, tmp_path: Path) -> None:
    """No Tab is needed; Escape and Back return to the picture seen last."""
    shown = [one.candidate_id for one in review.drafts if one.status != "duplicate"]
    with watched(browser, tmp_path) as (page, complaints):
        page.goto(review.run)
        expect(page.locator(".tile .look").first).to_be_focused()
        assert (
            page.locator('.tile [tabindex="0"]').evaluate_all(
                "all => new Set(all.map(one => one.closest('.tile').dataset.id)).size"
            )
            == 1
        ), "the pictures take one place in the tab order"
        page.keyboard.press("ArrowRight")
        assert focused(page) == shown[1]
        page.keyboard.press("ArrowDown")
        assert focused(page) == shown[5]
        page.keyboard.press("Space")
        expect(page.locator("#shelf-summary")).to_have_text(re.compile("3 finalists · "))
        page.keyboard.press("Enter")
        expect(page).to_have_url(f"{review.run}#{shown[5]}")
        page.keyboard.press("ArrowRight")
        expect(page.locator("#zoom-facts h2")).to_contain_text(review_name(review, shown[6]))
        expect(page).to_have_url(f"{review.run}#{shown[6]}")
        page.keyboard.press("Space")
        expect(page.locator("#shelf-summary")).to_have_text(re.compile("4 finalists · "))
        page.keyboard.press("Escape")
        expect(page.locator("#zoom")).to_be_hidden()
        expect(page).to_have_url(review.run)
        assert focused(page) == shown[6]
        page.keyboard.press("End")
        assert focused(page) == shown[-1]
        page.keyboard.press("Enter")
        expect(page.locator("#zoom")).to_be_visible()
        page.go_back()
        expect(page.locator("#zoom")).to_be_hidden()
        page.keyboard.press("ArrowUp")
        last = focused(page)
        page.goto(review.run + "/finalists")
        page.go_back()
        expect(page.locator(f'[data-id="{last}"] .look')).to_be_focused()
        page.keyboard.press("?")
        expect(page.locator("#help")).to_contain_text("enlarge the picture")
        page.keyboard.press("Escape")
        page.keyboard.press("/")
        page.keyboard.type(review_name(review, shown[3]))
        expect(page.locator(".tile")).to_have_count(1)
        page.keyboard.press("Enter")
        assert focused(page) == shown[3]
        assert complaints == []


def review_name(review: Open, candidate_id: str) -> str:
    """Name a picture as the page does."""
    return next(one.name for one in review.drafts if one.candidate_id == candidate_id)


@pytest.mark.slow  # every day: the keyboard opens and closes it
def test_an_address_opens_the_enlarged_picture(browser: Browser, review: Open, tmp_path: Path) -> None:
    """It can be sent to somebody else; a duplicate that the gallery hides is shown too."""
    hidden = review.drafts[2]
    with watched(browser, tmp_path, size=PHONE) as (page, complaints):
        page.goto(f"{review.run}?view=all#{hidden.candidate_id}")
        expect(page.locator("#zoom-facts h2")).to_contain_text(hidden.name)
        page.locator("#zoom-close").tap()
        expect(page).to_have_url(f"{review.run}?view=all")
        page.goto(f"{review.run}#no-such-picture")
        expect(page.locator("#zoom")).to_be_hidden()
        assert complaints == []


@pytest.mark.slow  # every day: the keyboard works on the same page
@pytest.mark.parametrize("size", [DESKTOP, NARROWER, PHONE], ids=["1440", "1280", "390"])
def test_the_filters_take_one_line_above_the_first_picture(
    browser: Browser, review: Open, tmp_path: Path, size: tuple[int, int]
) -> None:
    """Nothing reaches beyond the screen, and axe-core finds no serious fault."""
    with watched(browser, tmp_path, size=size) as (page, _):
        page.goto(review.run)
        expect(page.locator(".tile .look").first).to_be_focused()
        tools = page.locator(".tools").bounding_box()
        picture = page.locator(".tile img").first.bounding_box()
        assert tools is not None
        assert picture is not None
        assert tools["height"] < 64
        assert picture["y"] + picture["height"] < size[1]
        assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
        assert find_unsupported(page, "serious", "critical") == []


@pytest.mark.long
def test_ten_thousand_pictures_answer_soon(browser: Browser, tmp_path: Path) -> None:
    """What is typed into the search shows soon, an arrow key moves at once, and only what is near is made."""
    with review_page(tmp_path, per_cell=MANY_PER_CELL) as review, watched(browser, tmp_path) as (page, _):
        page.goto(review.run + "?view=all&status=")
        expect(page.locator("#tally")).to_have_text("10,000 of 10,000 drafts")
        assert page.locator(".tile").count() < 500
        typed_ms = page.evaluate(
            """async () => {
              const field = document.querySelector("#text"), times = [];
              for (const text of ["s", "se", "sea", ""]) {
                const before = performance.now();
                field.value = text;
                field.dispatchEvent(new Event("input", { bubbles: true }));
                await new Promise((painted) => requestAnimationFrame(() => requestAnimationFrame(painted)));
                times.push(performance.now() - before);
              }
              return Math.max(...times);
            }"""
        )
        page.keyboard.press("End")
        assert focused(page) is not None
        print(f"search: {typed_ms:.0f} ms")  # noqa: T201
        assert typed_ms < SOON_MS
