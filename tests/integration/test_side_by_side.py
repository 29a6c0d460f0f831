"""Looking: pictures side by side, the pictures most like one, and what a picture was made from."""

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from flows.run_report import write_run_report
from flows.runs.run import StoredRun
from tasks.attachments.references import read_reference
from tasks.candidate import Choice
from tasks.settings import Settings
from tests.support.browser import find_unsupported, needs_browser
from tests.support.builders import RUN_ID, an_order
from tests.support.review_browser import DESKTOP, PHONE, watched
from tests.support.review_home import Open, receive, review_page
from tests.support.review_requests import ask, buy_tries, read


@pytest.fixture
def page(tmp_path: Path) -> Iterator[Open]:
    """A page with a run of two arms and two rows."""
    with review_page(tmp_path) as opened:
        yield opened


def made_from_reference(page: Open) -> str:
    """Add a draft that was made from a reference; returns its id."""
    file = page.home / "mug.png"
    file.write_bytes((page.folder / "drafts/p03.png").read_bytes())
    order = replace(an_order(replicate=70), references=(read_reference(str(file)),))
    return receive(page.ledger, [order])[0]


def test_what_a_picture_was_made_from_is_shown_as_it_was_sent(page: Open) -> None:
    """Its reference is sent; once its file has other bytes it is not. Words alone have none."""
    made = made_from_reference(page)
    (shown,) = read(page, f"/candidates/{made}.json")["made_from"]
    assert (shown["label"], shown["is_mask"]) == ("Reference", False)
    at = f"/runs/{RUN_ID}/candidates/{made}/made-from"
    answer, content = ask(page, f"{at}/0")
    assert (answer.status, content) == (200, (page.home / "mug.png").read_bytes())
    assert ask(page, f"{at}/1")[0].status == 404
    (page.home / "mug.png").write_bytes((page.folder / "drafts/p04.png").read_bytes())
    assert ask(page, f"{at}/0")[0].status == 404
    assert read(page, f"/candidates/{page.drafts[0].candidate_id}.json")["made_from"] == []


def test_the_report_shows_what_finalists_were_made_from(page: Open) -> None:
    """Embedded and small, so that it opens where the reference is not; a missing one is named."""
    made = made_from_reference(page)
    page.ledger.candidates.record_choices({made: Choice(1, True, "rank 1", "rule")})
    run = StoredRun.find(Settings(page.home, {}), page.ledger, RUN_ID)
    write_run_report(run)
    assert '<figure class="made-from"><img src="data:image/webp;base64,' in report_of(page)
    (page.home / "mug.png").unlink()
    write_run_report(run)
    assert "Not on this machine" in report_of(page)


def report_of(page: Open) -> str:
    """Read the report."""
    return (page.folder / "report.html").read_text()


def test_the_pictures_most_like_one_come_nearest_first(page: Open) -> None:
    """By both hashes of structure, itself first; an unknown picture is refused in words."""
    first = page.drafts[0].candidate_id
    found = read(page, f"/like/{first}.json")["like"]
    assert found[0] == [first, 0]
    assert len(found) == 12
    assert [bits for _, bits in found] == sorted(bits for _, bits in found)
    assert ask(page, f"/runs/{RUN_ID}/like/c-nobody.json")[0].status == 404


def test_drafts_and_finals_are_compared_and_strangers_left_out(page: Open) -> None:
    """At most four, each once, in the order asked for, with their own words marked."""
    one, other = page.drafts[0], page.drafts[3]
    (final,) = buy_tries(page, one.candidate_id, (0.9,))
    ids = ",".join([one.candidate_id, one.candidate_id, "c-nobody", other.candidate_id])
    shown = read(page, f"/side-by-side.json?ids={ids}")["pictures"]
    assert [picture["id"] for picture in shown] == [one.candidate_id, other.candidate_id]
    assert [[text for text, is_own in picture["prompt"] if is_own] for picture in shown] == [["A"], ["B"]]
    (picture,) = read(page, f"/side-by-side.json?ids={final}")["pictures"]
    assert (picture["stage"], picture["arm"]) == ("final", "A")


@needs_browser
@pytest.mark.parametrize("size", [pytest.param(DESKTOP, marks=pytest.mark.slow), PHONE], ids=["1440", "390"])
def test_pictures_are_seen_side_by_side_by_keyboard(
    browser: Browser, page: Open, tmp_path: Path, size: tuple[int, int]
) -> None:
    """Chosen in the gallery; zoomed and moved together; flicker while a key is held; and what differs."""
    made = made_from_reference(page)
    with watched(browser, tmp_path, size=size) as (tab, complaints):
        tab.goto(page.run)
        expect(tab.locator(".tile .look").first).to_be_focused()
        tab.keyboard.press("l")
        expect(tab.locator("#like")).to_contain_text("The pictures most like")
        expect(tab.locator(".tile").first.locator(".caption")).to_contain_text("0 bits")
        tab.keyboard.press("Escape")
        expect(tab.locator("#like")).to_be_hidden()
        tab.keyboard.press("s")
        tab.keyboard.press("ArrowRight")
        tab.keyboard.press("s")
        assert find_unsupported(tab, "serious", "critical") == []
        tab.keyboard.press("v")
        tab.wait_for_url("**/side-by-side?ids=*")
        expect(tab.locator(".stage").first).to_be_focused()
        _look(tab)
        assert find_unsupported(tab, "serious", "critical") == []
        assert tab.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
        tab.goto(f"{page.run}#{made}")
        tab.reload()
        picture = tab.locator("#zoom-facts .made-from img")
        expect(picture).to_be_visible()
        assert picture.evaluate("image => image.decode().then(() => image.naturalWidth)") == 64
        tab.go_back()
        tab.go_back()
        expect(tab.locator("#tray-link")).to_have_text("See 2 side by side")
        assert complaints == []


def _look(tab: Page) -> None:
    tab.keyboard.press("+")
    tab.keyboard.press("+")
    tab.keyboard.press("ArrowRight")
    expect(tab.locator("#scale")).to_have_text("196 %")
    moved = tab.locator(".stage .own").evaluate_all("all => all.map(one => getComputedStyle(one).transform)")
    assert len(moved) == 2
    assert moved[0] == moved[1]
    assert re.match(r"matrix\(1\.96", moved[0])
    tab.keyboard.down("f")
    expect(tab.locator(".stage .next").first).to_have_css("visibility", "visible")
    expect(tab.locator(".stage .own").first).to_have_css("visibility", "hidden")
    tab.keyboard.up("f")
    expect(tab.locator(".stage .own").first).to_have_css("visibility", "visible")
    tab.keyboard.press("d")
    expect(tab.locator(".stage .first")).to_have_css("mix-blend-mode", "difference")
    expect(tab.locator("#difference")).to_have_attribute("aria-pressed", "true")
    tab.keyboard.press("0")
    expect(tab.locator("#scale")).to_have_text("100 %")


@needs_browser
@pytest.mark.slow  # every day: the requests behind it, in test_people_on_the_page.py
def test_two_people_say_what_they_think_at_once(browser: Browser, page: Open, tmp_path: Path) -> None:
    """One by keyboard on a desktop, one by touch on a phone: what each says is kept, and seen by both."""
    with (
        watched(browser, tmp_path) as (mara, complaints),
        watched(browser, tmp_path, size=PHONE) as (jo, others),
    ):
        jo.add_init_script("localStorage.setItem('runoff-name', 'jo')")
        mara.goto(page.run + "/duels")
        jo.goto(page.run + "/duels")
        expect(mara.locator("#sides")).to_be_visible()
        expect(jo.locator("#sides")).to_be_visible()
        mara.keyboard.press("b")
        jo.locator("#skip").tap()
        expect(mara.locator("#progress-text")).to_have_text(re.compile("^1 of"))
        expect(jo.locator("#progress-text")).to_have_text(re.compile("1 skipped$"))
        assert find_unsupported(jo, "serious", "critical") == []
        mara.goto(page.run)
        jo.goto(f"{page.run}#{page.drafts[0].candidate_id}")
        expect(mara.locator(".tile .look").first).to_be_focused()
        mara.keyboard.press("4")
        expect(mara.locator(".stars")).to_have_text("★ 4.0")
        jo.get_by_role("button", name="2 stars").tap()
        expect(jo.locator(".star-row")).to_contain_text("mara 4")
        jo.locator(".comment-form textarea").fill("Three ears")
        jo.get_by_role("button", name="Comment").tap()
        expect(jo.locator(".comments")).to_contain_text("Three ears")
        assert find_unsupported(jo, "serious", "critical") == []
        mara.keyboard.press("Enter")
        expect(mara.locator(".comments")).to_contain_text("jo,")
        assert mara.locator(".comments button").count() == 0
        assert complaints + others == []
    said = {(one.voter, one.outcome) for one in page.ledger.votes.of_run(RUN_ID)}
    assert said == {("mara", "both bad"), ("jo", "skip")}
