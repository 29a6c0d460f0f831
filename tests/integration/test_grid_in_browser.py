"""The grid in a real browser: in the report from disk, and on the review page."""

from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.support.browser import find_unsupported, needs_browser
from tests.support.grid_rows import LEVELS, drafts
from tests.support.page_reader import page_text
from tests.support.report_rows import make_facts, paint_files
from tests.support.review_browser import PHONE, watched
from tests.support.review_home import review_page

pytestmark = needs_browser


def test_the_reports_grid_is_turned_coloured_and_enlarged(browser: Browser, tmp_path: Path) -> None:
    """Factors move between the edges, one row is seen alone, and what was not made is empty."""
    rows = drafts()
    paint_files(rows, tmp_path)
    file = tmp_path / "report.html"
    file.write_text(page_text(rows, make_facts(factors=LEVELS), tmp_path), encoding="utf-8")
    with watched(browser, tmp_path, size=PHONE, scheme="dark") as (page, complaints):
        page.goto(file.as_uri())
        grid = page.locator("#grid")
        expect(grid.locator("tbody td")).to_have_count(8)
        expect(grid.locator(".grid-empty")).to_have_text(["not made"])
        expect(grid.locator("tbody td b").first).to_have_text("0.40")
        grid.get_by_label("lens").select_option("side")
        grid.get_by_label("quality").select_option("only high")
        grid.get_by_label("row").select_option("only Row 2 · thing 1")
        expect(grid.locator("thead th")).to_have_text(["light: soft", "light: hard"])
        expect(grid.locator("tbody th")).to_have_text(["lens: wide", "lens: tele"])
        expect(grid.locator("td .grid-caption").first).to_have_text("0.402 pictures")
        grid.get_by_label("row").select_option("top")
        grid.get_by_label("quality").select_option("top")
        expect(grid.get_by_label("light")).to_have_value("best")
        grid.get_by_label("Colour by score").check()
        assert find_unsupported(page) == []
        assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
        grid.locator("button").first.click()
        zoom = page.locator("#grid-zoom")
        first = zoom.locator("#grid-zoom-name").inner_text()
        page.keyboard.press("ArrowRight")
        expect(zoom.locator("#grid-zoom-name")).not_to_have_text(first)
        assert zoom.locator("img").evaluate("image => image.decode().then(() => image.naturalWidth)") > 0
        page.keyboard.press("Escape")
        expect(zoom).to_be_hidden()
        assert complaints == []


@pytest.mark.slow  # every day: the report's grid
def test_the_review_pages_grid_enlarges_as_its_gallery_does(browser: Browser, tmp_path: Path) -> None:
    """Without factors its edges are arms and rows."""
    with review_page(tmp_path) as review, watched(browser, tmp_path) as (page, complaints):
        page.goto(f"{review.run}/grid")
        expect(page.locator("#grid thead th")).to_have_text(["A", "B"])
        expect(page.locator("#grid tbody th")).to_have_text(["Row 1 · swimming", "Row 2 · asleep in kelp"])
        page.locator(".grid-picture").first.click()
        expect(page.locator("#zoom-facts h3")).to_contain_text("Score")
        assert complaints == []
