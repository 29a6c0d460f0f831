"""The whole way with a real browser, a real run and a real promotion: look, vote, choose, buy, compare."""

import io
import json
import re
import signal
import subprocess
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.support.browser import needs_browser, open_browser
from tests.support.child_process import TextProcess, end_by, read_line, started
from tests.support.provider import OpenProvider
from tests.support.review_browser import watched
from tests.support.shell import COMMAND, Shell

pytestmark = needs_browser
START_LIMIT_S = 60


@dataclass
class Served:
    """A review page that the command serves."""

    address: str
    log: Path
    process: TextProcess


@pytest.fixture
def served(shell: Shell, open_provider: OpenProvider, tmp_path: Path) -> Iterator[Served]:
    """Make a run that awaits review, and serve the page with the installed command."""
    open_provider(near_copy_rate=0.0, exact_copy_rate=0.0)
    review = {"deduplicate": {"radius_bits": 0}, "finalists": {"count": 2, "approval": "review"}}
    done = shell.runoff("run", shell.campaign(review), "--yes")
    assert done.returncode == 0, done.stderr
    log = tmp_path / "review.log"
    with log.open("w") as said, started(
        [COMMAND, "review", "latest", "--port", "0", "--no-browser"],
        env=shell.environ | {"PYTHONUNBUFFERED": "1"}, cwd=tmp_path,
        stdout=subprocess.PIPE, stderr=said,
    ) as process:  # fmt: skip
        first = read_line(process)
        assert first.startswith("Review: http://127.0.0.1:"), log.read_text()
        yield Served(first.split()[1], log, process)
        end_by(process, signal.SIGINT, START_LIMIT_S)


@pytest.fixture
def browser(served: Served) -> Iterator[Browser]:  # noqa: ARG001
    """Open a browser once the run is made: while its loop runs, no other can run in this process."""
    with open_browser() as opened:
        yield opened


def judge(page: Page, key: str, done: int) -> None:
    """Press a key and wait until so many duels are judged and the next pair is there."""
    page.keyboard.press(key)
    expect(page.locator("#progress-text")).to_have_text(re.compile(rf"^{done} "))
    expect(page.locator("#sides")).not_to_have_class(re.compile("is-out"))


@pytest.mark.slow  # every day: each step of it, in integration/test_review_in_browser.py
def test_the_whole_way_from_a_run_to_its_finals(
    shell: Shell, served: Served, browser: Browser, tmp_path: Path
) -> None:
    """Ten duels by keyboard with an undo, three ticked, bought once with a second tab told, and compared."""
    with watched(browser, tmp_path, log=served.log) as (page, complaints):
        page.goto(served.address)
        expect(page.locator(".tile").first).to_be_visible()
        _judge_ten_and_undo(page, shell)
        _tick_three(page, served)
        other = page.context.new_page()
        other.goto(served.address + "/finalists")
        expect(other.locator(".chosen-one")).to_have_count(3)
        _confirm(page)
        _second_tab_buys_nothing(other, shell)
        _compare_and_accept(page, shell)
        assert [line for line in complaints if "409" not in line] == []
    assert served.process.poll() is None


def _judge_ten_and_undo(page: Page, shell: Shell) -> None:
    page.get_by_role("link", name="Duels").click()
    expect(page.locator("#left-image")).to_have_attribute("src", re.compile("^/duels/[0-9a-f]{24}/left$"))
    for number, key in enumerate(["ArrowLeft", "ArrowRight", "ArrowDown", "ArrowLeft", "ArrowRight"] * 2):
        judge(page, key, number + 1)
    shown = page.locator("#left-image").get_attribute("src")
    judge(page, "z", 9)
    assert page.locator("#left-image").get_attribute("src") != shown
    judge(page, "ArrowDown", 10)
    with shell.ledger() as ledger:
        run_id = ledger.runs.find("latest").run_id
        outcomes = [vote.outcome for vote in ledger.votes.of_run(run_id)]
    assert outcomes == ["left", "right", "tie", "left", "right", "left", "right", "tie", "left", "tie"]
    page.get_by_role("link", name="Ranking by votes").click()
    expect(page.get_by_text("10 votes by")).to_be_visible()


def _tick_three(page: Page, served: Served) -> None:
    page.goto(served.address)
    expect(page.locator(".tick[aria-pressed=true]")).to_have_count(2)
    for _ in range(2):
        page.locator(".tick[aria-pressed=true]").first.click()
    expect(page.locator("#shelf")).to_be_hidden()
    page.locator(".tile .look").first.focus()
    for _ in range(3):
        page.keyboard.press("x")
        page.keyboard.press("ArrowRight")
    expect(page.locator("#shelf-summary")).to_have_text(re.compile(r"3 finalists · \$0\.\d+ to \$0\.\d+"))
    page.get_by_role("link", name="Order and buy").click()
    expect(page.locator(".chosen-one")).to_have_count(3)
    last = page.locator(".chosen-one").nth(2)
    name = last.get_attribute("data-id")
    last.focus()
    page.keyboard.press("Alt+ArrowUp")
    page.keyboard.press("Alt+ArrowUp")
    expect(page.locator(".chosen-one").first).to_have_attribute("data-id", str(name))
    expect(page.locator("#buy")).to_be_enabled()


def _confirm(page: Page) -> None:
    expect(page.locator("#buy")).to_have_text(re.compile(r"Buy 3 finals for at most \$0\.\d+"))
    page.locator("#buy").click()
    page.locator("#confirm-yes").dblclick()
    page.wait_for_url("**/finals")
    expect(page.locator("#purchase")).to_be_visible()
    expect(page.locator(".compare input")).to_have_count(3, timeout=START_LIMIT_S * 1000)
    expect(page.locator("#purchase")).to_be_hidden(timeout=START_LIMIT_S * 1000)


def _second_tab_buys_nothing(other: Page, shell: Shell) -> None:
    """Its list was confirmed by the first one: it says so, and no order more is sent."""
    with shell.ledger() as ledger:
        run_id = ledger.runs.find("latest").run_id
        bought = len(ledger.orders.of_run(run_id))
    other.locator("#buy").click()
    other.locator("#confirm-yes").click()
    expect(other.locator("#say")).to_contain_text("already confirmed")
    expect(other.locator("#say")).to_contain_text("Nothing more was bought")
    other.close()
    with shell.ledger() as ledger:
        assert len(ledger.orders.of_run(run_id)) == bought
        assert ledger.verify(shell.home) == []


def _compare_and_accept(page: Page, shell: Shell) -> None:
    line = page.locator(".compare input").first
    line.focus()
    for _ in range(5):
        page.keyboard.press("ArrowLeft")
    assert (
        page.locator(".compare").first.evaluate("box => getComputedStyle(box).getPropertyValue('--at')")
        == "45%"
    )
    page.keyboard.press("r")
    expect(page.locator(".final .chip").first).to_have_text(re.compile("^Rejected by"))
    expect(page.locator("#zip")).to_have_text("Download 2 accepted finals (zip)")
    with page.expect_download() as download:
        page.locator("#zip").click()
    with zipfile.ZipFile(io.BytesIO(download.value.path().read_bytes())) as archive:
        assert archive.testzip() is None
        assert len(json.loads(archive.read("manifest.json"))["pictures"]) == 2
    with shell.ledger() as ledger:
        run = ledger.runs.find("latest")
        drafts = [
            d for d in ledger.candidates.of_run(run.run_id, "draft") if d.choice and d.choice.is_finalist
        ]
    assert (run.state, len(drafts)) == ("done", 3)
