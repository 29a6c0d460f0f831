"""The report's page in a real browser, opened from disk as its reader does."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, expect

from tests.support.browser import find_unsupported, needs_browser
from tests.support.page_reader import page_text
from tests.support.report_rows import make_facts, make_run, paint_files

pytestmark = needs_browser

DESKTOP, PHONE, PAPER = (1440, 900), (390, 844), (688, 1000)  # the last is A4 within its margins
SCHEMES = ("light", "dark")


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write the page of a whole run."""
    folder = tmp_path_factory.mktemp("run")
    rows = make_run()
    paint_files(rows, folder)
    (folder / "report.html").write_text(page_text(rows, make_facts(), folder), encoding="utf-8")
    return folder / "report.html"


@pytest.fixture
def page(browser: Browser, report: Path) -> Iterator[Page]:
    """Open it on a desktop."""
    opened = open_page(browser, report)
    yield opened
    opened.context.close()


def open_page(browser: Browser, path: Path, size: tuple[int, int] = DESKTOP, scheme: str = "light") -> Page:
    """Open a page from disk in a context of its own."""
    dark = scheme == "dark"
    context = browser.new_context(
        viewport={"width": size[0], "height": size[1]}, color_scheme="dark" if dark else "light"
    )
    opened = context.new_page()
    opened.goto(path.as_uri())
    return opened


def listen(page: Page) -> list[str]:
    """Collect what the page complains of; its own policy forbids the network aloud."""
    lines: list[str] = []

    def note(message: ConsoleMessage) -> None:
        lines.append(message.text)

    page.on("console", note)
    page.on("pageerror", lambda error: lines.append(str(error)))
    return lines


def count_unloaded(page: Page) -> int:
    """Count the pictures that did not come."""
    return int(page.evaluate("[...document.images].filter((image) => !image.naturalWidth).length"))


def test_page_opens_from_disk_without_network_or_complaint(page: Page) -> None:
    """All pictures are there, and nothing is asked elsewhere."""
    complaints = listen(page)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.reload()
    assert count_unloaded(page) == 0
    assert complaints == []
    assert asked == [page.url]


def test_page_that_asks_the_network_is_noticed(browser: Browser, report: Path) -> None:
    """The test above would see a picture from elsewhere: the page's own policy forbids it aloud."""
    asking = report.with_name("asking.html")
    text = report.read_text(encoding="utf-8")
    asking.write_text(
        text.replace("</body>", '<img src="https://example.org/x.png"></body>'), encoding="utf-8"
    )
    page = open_page(browser, report)
    complaints = listen(page)
    page.goto(asking.as_uri())
    assert count_unloaded(page) == 1
    assert any("example.org" in line for line in complaints)
    page.context.close()


def test_pictures_open_and_the_filter_filters(page: Page) -> None:
    """A picture opens with its facts, all duplicates are shown, and only the finalists stay."""
    tile = page.locator(".look").first
    assert not tile.locator(".details").is_visible()
    tile.locator("summary").click()
    assert tile.locator(".details").is_visible()
    page.get_by_role("button", name="Show duplicates").click()
    assert page.locator(".duplicates[open]").count() == page.locator(".duplicates").count() > 0
    page.get_by_role("button", name="Finalists").click()
    expect(page.locator(".tile:visible")).to_have_count(4)


def test_page_is_used_by_keyboard_alone(page: Page) -> None:
    """The first Tab skips to the pictures; Enter opens one, Escape closes it and keeps one's place."""
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "gallery"
    for _ in range(30):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.matches('.look > summary')"):
            break
    page.keyboard.press("Enter")
    assert page.locator(".look[open]").count() == 1
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    page.keyboard.press("Escape")
    assert page.locator(".look[open]").count() == 0
    assert page.evaluate("document.activeElement.matches('.look > summary')")


@pytest.mark.parametrize(("size", "scheme"), [(DESKTOP, "light"), (PHONE, "dark")])
def test_axe_finds_no_fault(browser: Browser, report: Path, size: tuple[int, int], scheme: str) -> None:
    """axe-core has nothing to say, with everything expanded."""
    page = open_page(browser, report, size, scheme)
    page.locator(".look > summary").first.click()
    page.get_by_role("button", name="Show duplicates").click()
    page.locator(".campaign-file > summary").click()
    assert find_unsupported(page) == []
    page.context.close()


def test_axe_would_find_a_fault(page: Page) -> None:
    """The test above would see a picture without words."""
    page.evaluate("document.images[0].removeAttribute('alt')")
    assert [fault for fault in find_unsupported(page, "critical") if fault.startswith("image-alt")]


def test_page_is_dark_where_the_reader_asks_for_it_and_never_on_paper(browser: Browser, report: Path) -> None:
    """The ground follows the reader's scheme; a printer always gets white."""
    ground = "getComputedStyle(document.documentElement).backgroundColor"
    light, dark = (open_page(browser, report, scheme=scheme) for scheme in SCHEMES)
    assert light.evaluate(ground) == "rgb(255, 255, 255)"
    assert max(map(int, re.findall(r"\d+", dark.evaluate(ground)))) < 40
    dark.emulate_media(media="print", color_scheme="dark")
    assert dark.evaluate(ground) == "rgb(255, 255, 255)"
    light.context.close()
    dark.context.close()


def test_page_fits_a_phone(browser: Browser, report: Path) -> None:
    """At 390 pixels nothing reaches beyond the screen, and text is large enough to read."""
    page = open_page(browser, report, PHONE)
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE[0]
    small = """[...document.querySelectorAll("p, dd, dt, li, td, th, figcaption, summary, button")]
      .filter((e) => e.checkVisibility() && parseFloat(getComputedStyle(e).fontSize) < 12)
      .map((e) => e.outerHTML)"""
    assert page.evaluate(small) == []
    page.context.close()


@pytest.mark.slow  # every day: test_page_is_dark_where_the_reader_asks_for_it_and_never_on_paper
def test_page_prints_whole(browser: Browser, report: Path) -> None:
    """On paper no table is cut, no button is left, and pictures are not torn over two pages."""
    page = open_page(browser, report, PAPER)
    page.emulate_media(media="print")
    assert page.evaluate("document.documentElement.scrollWidth") <= PAPER[0]
    cut = "all => all.filter((e) => e.scrollWidth > e.clientWidth + 1).map((e) => e.ariaLabel)"
    assert page.locator(".scroll").evaluate_all(cut) == []
    assert page.locator("button:visible").count() == 0
    torn = "all => all.filter((e) => getComputedStyle(e).breakInside !== 'avoid').length"
    assert page.locator(".tile, .finalist, .arm-card, tr").evaluate_all(torn) == 0
    pages = page.pdf(format="A4", print_background=False).count(b"/Type /Page\n")
    assert 3 <= pages <= 12
    page.context.close()


@pytest.mark.slow  # every day: test_large_run_links_its_thumbnails, of the same page as text
def test_large_run_loads_only_what_is_near(browser: Browser, tmp_path: Path) -> None:
    """A page of 1,200 linked pictures scrolled to its last prompt makes that one, not those between.

    A filter finds what is not made yet, and paper gets everything.
    """
    rows = make_run(prompts=75)
    paint_files(rows, tmp_path, px=8)
    (tmp_path / "report.html").write_text(page_text(rows, make_facts(), tmp_path), encoding="utf-8")
    page = open_page(browser, tmp_path / "report.html")
    page.locator(".band").last.evaluate("band => band.scrollIntoView({behavior: 'instant'})")
    page.locator(".band:last-of-type .tile").last.wait_for()
    asked = set(page.locator("#gallery img").evaluate_all("all => all.map((i) => i.getAttribute('src'))"))
    assert {"thumbnails/A-074-000.webp", "thumbnails/B-074-000.webp"} <= asked
    assert "thumbnails/A-040-000.webp" not in asked
    assert len(asked) < 600
    page.get_by_role("button", name="Finalists").click()
    assert page.locator(".band:visible").count() == len({row["row"] for row in rows if row["finalist"]})
    expect(page.locator(".tile:visible")).to_have_count(4)  # bands are built when the observer has seen them
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert page.locator(".tile").count() == sum(row["status"] == "survivor" for row in rows)
    page.context.close()
