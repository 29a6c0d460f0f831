"""The review page in a real browser, on a run written straight into the ledger: accessible, safe, smooth."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from playwright.sync_api import Browser, Page, expect

from flows.promotion.action import Promotion
from tasks.candidate import Candidate, Score
from tasks.errors import SettingError
from tasks.ledger.schema import candidates
from tests.support.browser import find_unsupported, needs_browser
from tests.support.builders import NOON, RUN_ID
from tests.support.review_browser import DESKTOP, PHONE, watched
from tests.support.review_home import Asked, Open, review_page

pytestmark = needs_browser
SCRIPT = "<script>alert(1)</script><img src=x onerror=alert(2)>"
PAGES = (
    "/",
    *(
        f"/runs/{RUN_ID}{tail}"
        for tail in (
            "",
            "/duels",
            "/ranking",
            "/finalists",
            "/finals",
            "/duplicates",
            "/grid",
            "/side-by-side",
        )
    ),
)
MANY_PER_CELL = 750
LONG_FRAME_MS = 250  # a busy machine without a graphics card; 17 to 50 where it is quiet


@pytest.fixture
def review(tmp_path: Path) -> Iterator[Open]:
    """A page with a run whose prompts are hostile."""
    with review_page(tmp_path, prompt=SCRIPT) as opened:
        yield opened


def open_at(page: Page, review: Open, path: str) -> None:
    """Open a page and wait until it has asked for all it needs."""
    page.goto(review.address + path)
    page.wait_for_load_state("networkidle")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("size", "scheme"),
    [pytest.param(DESKTOP, "light", id="desktop"), pytest.param(PHONE, "dark", id="phone")],
)
def test_every_page_can_be_used_by_everybody(
    browser: Browser, review: Open, tmp_path: Path, size: tuple[int, int], scheme: str
) -> None:
    """axe-core finds no serious fault, nothing reaches beyond the screen, and nothing is complained of."""
    vote(review)
    buy(review)
    with watched(browser, tmp_path, size=size, scheme=scheme) as (page, complaints):
        for path in PAGES:
            open_at(page, review, path)
            assert find_unsupported(page, "serious", "critical") == [], path
            assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0, path
        assert complaints == []


class CutOff(Asked):
    """A promotion that was killed when its last finals were in flight: nothing is bought, and it can end."""

    has_work = True
    sentence = "An earlier promotion did not end; nothing more is bought."


def test_a_promotion_that_was_cut_off_is_ended_without_a_word_of_buying(
    browser: Browser, review: Open, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The button, the dialog and what follows say that it ends; no money is spoken of."""
    monkeypatch.setattr(review.shop, "price", lambda _: CutOff([]))
    with watched(browser, tmp_path) as (page, complaints):
        open_at(page, review, PAGES[4])
        expect(page.locator("#buy")).to_have_text("End the promotion")
        page.locator("#buy").click()
        dialog = page.locator("#confirm")
        expect(dialog).to_contain_text("End the promotion?")
        expect(dialog).to_contain_text(CutOff.sentence)
        expect(dialog.get_by_text("spends money")).to_be_hidden()
        page.locator("#confirm-yes").click()
        page.wait_for_url("**/finals")
        assert complaints == []
    assert review.shop.started == [RUN_ID]


DIALOGS = (
    (PAGES[1], ".tile .look", "#zoom"), (PAGES[1], "#help-button", "#help"),
    (PAGES[1], "#name-button", "#naming"), (PAGES[4], "#buy", "#confirm"),
    (PAGES[1], "#cancel-run", "#cancel-dialog"),
)  # fmt: skip


@pytest.mark.slow  # every day: the requests behind it, in test_review_*.py
def test_a_run_is_cancelled_after_a_question(browser: Browser, review: Open, tmp_path: Path) -> None:
    """Not now leaves it; then it is given up, which the page says and shows."""
    with watched(browser, tmp_path) as (page, complaints):
        open_at(page, review, PAGES[1])
        page.click("#cancel-run")
        page.click("#cancel-no")
        assert review.ledger.runs.find(RUN_ID).state == "awaiting review"
        page.click("#cancel-run")
        page.click("#cancel-yes")
        expect(page.locator('.chip[data-state="cancelled"]')).to_be_visible()
        expect(page.locator("#cancel-run")).to_have_count(0)
        assert complaints == []
    assert review.ledger.runs.find(RUN_ID).state == "cancelled"


@pytest.mark.slow  # every day: the requests behind it, in test_review_*.py
def test_every_dialog_can_be_used_by_everybody(browser: Browser, review: Open, tmp_path: Path) -> None:
    """Open it, ask axe-core, and leave it by Escape."""
    with watched(browser, tmp_path) as (page, complaints):
        for path, button, dialog in DIALOGS:
            open_at(page, review, path)
            page.locator(button).first.click()
            expect(page.locator(dialog)).to_be_visible()
            page.wait_for_load_state("networkidle")
            assert find_unsupported(page, "serious", "critical") == [], dialog
            page.keyboard.press("Escape")
            expect(page.locator(dialog)).to_be_hidden()
            assert complaints == []


def vote(review: Open) -> None:
    """Let somebody have voted once."""
    from tasks.pairwise.votes import Vote
    from tests.support.builders import NOON

    one, other = review.drafts[0].candidate_id, review.drafts[1].candidate_id
    review.ledger.votes.add(Vote("v-1", RUN_ID, 0, one, other, "left", "mara", NOON))


def buy(review: Open) -> None:
    """Let a final have been bought."""
    from tests.support.review_requests import buy_tries

    buy_tries(review, review.drafts[0].candidate_id, (0.9, 0.8))


def test_what_a_campaign_says_does_nothing(browser: Browser, review: Open, tmp_path: Path) -> None:
    """A prompt that is a script and a file named ../../x: shown as text, not sent, nothing run."""
    (review.home / "x").write_bytes(b"secret")
    hostile = review.drafts[1].candidate_id
    with review.ledger.database.write() as connection:
        this_one = candidates.c.candidate_id == hostile
        connection.execute(candidates.update().where(this_one).values(file="../../x", thumbnail="../../x"))
    with watched(browser, tmp_path) as (page, complaints):
        open_at(page, review, PAGES[1])
        expect(page.locator(".cell-prompt [dir=auto]").first).to_contain_text(SCRIPT)
        page.locator(f'[data-id="{hostile}"] .look').click()
        expect(page.locator("#zoom-facts .prompt[dir=auto]")).to_contain_text(SCRIPT)
        expect(page.locator("#zoom-facts h2")).to_contain_text("x")
        for path in PAGES[2:]:
            open_at(page, review, path)
        assert page.locator("script:not([src])").count() == 0
        assert [line for line in complaints if "404" not in line] == []


def test_an_empty_home_says_how_to_begin(browser: Browser, tmp_path: Path) -> None:
    """Nothing to look at is a page too."""
    with review_page(tmp_path) as review:
        empty_everything(review)
        with watched(browser, tmp_path) as (page, _):
            open_at(page, review, "/")
            expect(page.locator("main")).to_contain_text("runoff demo")
            assert find_unsupported(page, "serious", "critical") == []


@pytest.mark.slow
def test_a_run_that_another_machine_makes_appears(browser: Browser, review: Open, tmp_path: Path) -> None:
    """Nobody loads the list again."""
    with watched(browser, tmp_path) as (page, complaints):
        open_at(page, review, "/")
        expect(page.locator(".run")).to_have_count(1)
        review.ledger.runs.start("20261122-130000-next", campaign="otters", provider="emulator", now=NOON)
        expect(page.locator(".run")).to_have_count(2)
        expect(page.locator(".run h2").first).to_be_visible()
        assert complaints == []


def empty_everything(review: Open) -> None:
    """Leave a ledger without a run."""
    from tasks.ledger.schema import metadata

    with review.ledger.database.write() as connection:
        for table in reversed(metadata.sorted_tables):
            if table.name != "alembic_version" and table.name != "reconciliations":
                connection.execute(table.delete())


@pytest.mark.slow
def test_duplicates_are_shown_separated_and_marked(browser: Browser, review: Open, tmp_path: Path) -> None:
    """By the buttons under a picture, and by choosing what it is a duplicate of."""
    with watched(browser, tmp_path) as (page, _):
        open_at(page, review, PAGES[1])
        first = review.drafts[0].candidate_id
        expect(page.locator(".tile")).to_have_count(8)
        page.locator(f'[data-id="{first}"] .duplicates').click()
        expect(page.locator(".tile")).to_have_count(9)
        page.get_by_role("button", name="Not a duplicate").click()
        expect(page.locator("#say")).to_have_text("No longer a duplicate.")
        # the other arm's duplicate of the same row is looked at again too, and its file is no copy
        expect(page.locator("#tally")).to_have_text("10 of 12 drafts")
        page.locator(f'[data-id="{review.drafts[2].candidate_id}"] .look').click()
        page.get_by_role("button", name="Is a duplicate of").click()
        page.locator(f'[data-id="{first}"] .look').click()
        expect(page.locator("#say")).to_have_text("Marked as a duplicate.")
    assert [fold.is_copy for fold in review.ledger.duplicate_decisions.of_run(RUN_ID)] == [False, True]


def have_judged(review: Open, failing: Candidate) -> None:
    """Ask a judge for one statement, which is true of all pictures but one."""
    file = review.folder / "campaign.yaml"
    score = {"weights": {"technical": 1, "judge": 0}, "judge": {"rubric": ["There is one otter"]}}
    file.write_text(yaml.safe_dump(yaml.safe_load(file.read_text()) | {"score": score}))
    answers = {one.candidate_id: {"judge_statement_1": float(one != failing)} for one in review.drafts}
    review.ledger.candidates.record_scores(
        {name: {"judge": Score(None, "judge: why", answer)} for name, answer in answers.items()},
        {one.candidate_id: one.score for one in review.drafts},
    )


def test_filters_show_what_was_asked_and_stay_in_the_address(
    browser: Browser, review: Open, tmp_path: Path
) -> None:
    """By a statement that fails, arm, row, status, score and words; a reload shows the same."""
    have_judged(review, failing=review.drafts[4])
    with watched(browser, tmp_path) as (page, _):
        open_at(page, review, PAGES[1])
        tally = page.locator("#tally")
        page.locator("#status").select_option(label="There is one otter")
        expect(tally).to_have_text("1 of 12 drafts")
        expect(page.locator(".tile")).to_have_attribute("data-id", review.drafts[4].candidate_id)
        page.locator("[name=arm][value=B]").uncheck()
        page.locator("#status").select_option("")
        expect(tally).to_have_text("6 of 12 drafts")
        page.locator("#row").select_option("1")
        expect(tally).to_have_text("3 of 12 drafts")
        page.locator("#low").fill("0.45")
        expect(tally).to_have_text("1 of 12 drafts")
        page.reload()
        expect(tally).to_have_text("1 of 12 drafts")
        page.locator("#text").fill("no such words")
        expect(page.locator("#gallery")).to_contain_text("No picture matches the filters.")
        page.get_by_role("button", name="Show all again").click()
        expect(tally).to_have_text("8 of 12 drafts")


@pytest.mark.slow  # every day: the requests behind it, in test_review_*.py
def test_a_second_tab_is_told_that_the_list_changed(browser: Browser, review: Open, tmp_path: Path) -> None:
    """Two tabs tick different pictures: the second is told, shows the first one's, and nothing is lost."""
    with watched(browser, tmp_path) as (page, _):
        open_at(page, review, PAGES[1])
        other = page.context.new_page()
        open_at(other, review, PAGES[1])
        page.locator(".tick").nth(4).click()
        expect(page.locator("#shelf-summary")).to_have_text(re.compile(r"3 finalists · \$"))
        other.locator(".tick").nth(5).click()
        expect(other.locator("#say")).to_contain_text("changed since")
        expect(other.locator("#shelf-summary")).to_have_text(re.compile(r"3 finalists · \$"))
    last = review.ledger.shortlists.last(RUN_ID)
    assert last is not None
    assert (last.revision, len(last.candidate_ids)) == (1, 3)


@pytest.mark.slow  # every day: the requests behind it, in test_review_*.py
def test_finalists_are_put_in_order_by_mouse(browser: Browser, review: Open, tmp_path: Path) -> None:
    """The last one dragged to the top is first, and that is written down."""
    with watched(browser, tmp_path) as (page, _):
        open_at(page, review, PAGES[4])
        lines = page.locator(".chosen-one")
        last = str(lines.nth(1).get_attribute("data-id"))
        lines.nth(1).drag_to(lines.nth(0), target_position={"x": 200, "y": 10})
        expect(lines.first).to_have_attribute("data-id", last)
        expect(page.locator("#chosen-by")).to_have_text("Chosen by mara, revision 1.")
    shortlist = review.ledger.shortlists.last(RUN_ID)
    assert shortlist is not None
    assert shortlist.candidate_ids[0] == last


@pytest.mark.slow  # every day: one that was cut off, below
def test_a_promotion_that_fails_is_told(browser: Browser, review: Open, tmp_path: Path) -> None:
    """What the child said last stands on the page."""
    review.shop.state = Promotion("failed", "The key was refused. Nothing was bought.")
    with watched(browser, tmp_path) as (page, _):
        open_at(page, review, PAGES[5])
        expect(page.locator("#purchase")).to_contain_text("The key was refused.")
        assert find_unsupported(page, "serious", "critical") == []


@pytest.mark.slow  # every day: the requests behind it, in test_review_*.py
def test_a_purchase_that_cannot_be_started_is_told(browser: Browser, review: Open, tmp_path: Path) -> None:
    """The list stays confirmed; the page says so, and how to go on, until something was bought."""
    review.shop.trouble = SettingError(where="promotion", what="could not be started: no memory")
    with watched(browser, tmp_path) as (page, _):
        open_at(page, review, PAGES[4])
        page.locator("#buy").click()
        page.locator("#confirm-yes").click()
        expect(page.locator("#say")).to_contain_text("confirmed, but they are not being bought: could not")
        expect(page.locator("#say")).to_contain_text(f"runoff promote {RUN_ID}")
        page.reload()
        told = re.compile(rf"^Confirmed by mara, .* 2 finals not bought yet: .*runoff promote {RUN_ID}$")
        expect(page.locator("#buy-note")).to_have_text(told)
        assert review.shop.started == []
        review.shop.trouble = None
        page.locator("#buy").click()
        page.locator("#confirm-yes").click()
        expect(page).to_have_url(re.compile("/finals$"))
    assert review.shop.started == [RUN_ID]
    shortlist = review.ledger.shortlists.last(RUN_ID)
    assert shortlist is not None
    assert (shortlist.revision, shortlist.confirmed_by) == (2, "mara")


@pytest.mark.slow  # every day: the requests behind it, in test_review_request_bodies.py
def test_a_duel_by_touch_and_by_a_held_key(browser: Browser, review: Open, tmp_path: Path) -> None:
    """A tap votes once; a key held down votes once."""
    with watched(browser, tmp_path, size=PHONE) as (page, _):
        open_at(page, review, PAGES[2])
        page.locator("#left").tap()
        expect(page.locator("#progress-text")).to_have_text(re.compile("^1 of"))
        expect(page.locator("#sides")).not_to_have_class(re.compile("is-out"))  # the next pair is there
        page.keyboard.down("ArrowRight")
        for _ in range(8):
            page.keyboard.down("ArrowRight")
        page.keyboard.up("ArrowRight")
        expect(page.locator("#progress-text")).to_have_text(re.compile("^2 of"))
    assert [vote.outcome for vote in review.ledger.votes.of_run(RUN_ID)] == ["left", "right"]


@pytest.mark.slow  # every day: the gallery waits for no picture, in test_review_on_a_store.py
def test_three_thousand_pictures_scroll(browser: Browser, tmp_path: Path) -> None:
    """All in one grid, from top to bottom: every frame comes soon, and only what is near is loaded."""
    with review_page(tmp_path, per_cell=MANY_PER_CELL) as review, watched(browser, tmp_path) as (page, _):
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        page.goto(review.run + "?view=all&status=")
        expect(page.locator("#tally")).to_have_text("3,000 of 3,000 drafts")
        page.wait_for_load_state("networkidle")
        n_thumbnails = sum("/thumbnails/" in url for url in asked)
        frames = page.evaluate(SCROLL)
        print(f"frames: {frames}; thumbnails asked for: {n_thumbnails}")  # noqa: T201
        assert frames["end"], "it did not reach the end"
        assert frames["median_ms"] < LONG_FRAME_MS
        assert n_thumbnails < 600


SCROLL = """async () => {
  const times = [];
  const frame = () => new Promise((resolve) => requestAnimationFrame(resolve));
  let before = await frame();
  const step = Math.max(innerHeight, 1);
  for (let y = 0; y < document.documentElement.scrollHeight; y += step) {
    scrollTo({ top: y, behavior: "instant" });
    const now = await frame();
    times.push(now - before);
    before = now;
  }
  times.sort((a, b) => a - b);
  return {
    frames: times.length, median_ms: Math.round(times[times.length >> 1]), worst_ms: Math.round(times.at(-1)),
    end: scrollY + innerHeight >= document.documentElement.scrollHeight - step,
  };
}"""
