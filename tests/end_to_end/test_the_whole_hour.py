"""An hour of two people as they would spend it: drafts, votes, more of one picture, finals, handing on."""

import json
import re
import signal
import subprocess
import zipfile
from collections import Counter
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.support.browser import needs_browser, open_browser
from tests.support.child_process import end_by, read_line, started
from tests.support.provider import OpenProvider, Provider
from tests.support.review_browser import DESKTOP, PHONE, watched
from tests.support.shell import CAMPAIGN, COMMAND, Shell

pytestmark = needs_browser
LIMIT_S = 60
HOUR: dict[str, Any] = {
    "variables": {
        "action": ["swimming on its back", "asleep in kelp", "eating a clam", "diving", "on a rock"],
    },
    "drafts": {**CAMPAIGN["drafts"], "per_prompt": 6},
    "finalists": {"count": 2, "approval": "review"},
    "budget": {"per_run_usd": "5.00", "further_usd": "0.50"},
}
VOTES = {
    "Ada": ("ArrowLeft", "b", "s", "ArrowRight", "b"),
    "Ben": ("ArrowRight", "s", "ArrowDown", "b", "ArrowLeft"),
}


@pytest.mark.long  # every day: its steps, in test_further_rounds and integration/test_sharing
def test_an_hour_from_sixty_drafts_to_what_is_handed_on(
    shell: Shell, open_provider: OpenProvider, tmp_path: Path
) -> None:
    """Nothing is bought twice, every final says what it grew from, and the zip opens without a network."""
    provider = open_provider(paint="scene")
    made = shell.json("run", shell.campaign(HOUR))
    run_id, log = made["run_id"], tmp_path / "review.log"
    assert made["pictures"] == 60
    with (
        log.open("w") as said,
        started(
            [COMMAND, "review", "latest", "--port", "0", "--no-browser"],
            env=shell.environ | {"PYTHONUNBUFFERED": "1"}, cwd=tmp_path,
            stdout=subprocess.PIPE, stderr=said,
        ) as process,
    ):  # fmt: skip
        address = read_line(process).split()[1]
        with open_browser() as browser:
            for name, size in (("Ada", DESKTOP), ("Ben", PHONE)):
                _vote(browser, tmp_path, address, name, size)
            origin = _best(shell, run_id)
            with watched(browser, tmp_path, log=log) as (page, complaints):
                page.add_init_script("localStorage.setItem('runoff-name', 'Ada')")
                child = _vary(page, shell, address, run_id, origin)
                grandchild = _vary_by_command(shell, run_id, child)
                _choose_and_buy(page, address, [grandchild, origin])
                assert [line for line in complaints if "409" not in line] == []
        end_by(process, signal.SIGINT, LIMIT_S)
    _is_bought_once(shell, provider, run_id)
    _says_what_it_grew_from(shell, run_id, [grandchild, child, origin])
    shell.json("share", run_id, "--to", tmp_path / "hour.zip")
    _opens_elsewhere(shell, tmp_path, run_id)


def _vote(browser: Browser, folder: Path, address: str, name: str, size: tuple[int, int]) -> None:
    with watched(browser, folder, size=size) as (page, complaints):
        page.add_init_script(f"localStorage.setItem('runoff-name', '{name}')")
        page.goto(f"{address}/duels")
        for key in VOTES[name]:
            expect(page.locator("#sides")).to_be_visible()
            expect(page.locator("#sides")).not_to_have_class(re.compile("is-out"))
            before = page.locator("#left-image").get_attribute("src")
            page.keyboard.press(key)
            expect(page.locator("#left-image")).not_to_have_attribute("src", str(before))
        assert complaints == []


def _best(shell: Shell, run_id: str) -> str:
    with shell.ledger() as ledger:
        drafts = ledger.candidates.of_run(run_id, "draft")
        outcomes = Counter(vote.outcome for vote in ledger.votes.of_run(run_id))
    assert outcomes["both bad"] == 3
    assert outcomes["skip"] == 2
    return min((one for one in drafts if one.rank), key=lambda one: one.rank or 0).candidate_id


def _newest(shell: Shell, run_id: str, further_round: int) -> str:
    with shell.ledger() as ledger:
        drafts = ledger.candidates.of_run(run_id, "draft")
    own = [one for one in drafts if one.further_round == further_round and one.is_survivor]
    return max(own, key=lambda one: one.score or 0).candidate_id


def _vary(page: Page, shell: Shell, address: str, run_id: str, origin: str) -> str:
    """Ask for two in other words on the page; nothing is bought before the confirmation."""
    page.goto(f"{address}#{origin}")
    page.get_by_role("link", name="More like this").click()
    page.get_by_label("In other words").check()
    page.get_by_role("textbox", name="Prompt").fill("{{ prompt }}, at night under the moon")
    page.get_by_label("How many").fill("2")
    expect(page.locator("#buy")).to_contain_text("Buy 2 drafts")
    page.locator("#buy").click()
    page.locator("#confirm-yes").click()
    expect(page.locator("#progress-title")).to_have_text("They have come.", timeout=LIMIT_S * 1000)
    expect(page.locator("#family figure")).to_have_count(3)
    return _newest(shell, run_id, 1)


def _vary_by_command(shell: Shell, run_id: str, child: str) -> str:
    """Once more, of what came; the same command again buys nothing."""
    words = ("more", run_id, child, "--n", "2", "--prompt", "{{ prompt }}, in a warm lantern light")
    done = shell.runoff_process(*words, "--yes", "--json")  # in this process the browser's loop runs
    assert json.loads(done.stdout)["pictures"] == 64, done.stderr
    assert "To buy it once more" in shell.runoff_process(*words, "--yes").stdout
    return _newest(shell, run_id, 2)


def _choose_and_buy(page: Page, address: str, wanted: list[str]) -> None:
    page.goto(f"{address}/finalists")
    expect(page.locator(".chosen-one")).to_have_count(2)
    for _ in range(2):
        page.locator(".chosen-one").first.get_by_role("button", name=re.compile("^Remove")).click()
    expect(page.locator(".chosen-one")).to_have_count(0)
    for number, name in enumerate(wanted, 1):
        page.locator(f'#pool [data-id="{name}"] .tick').click()
        expect(page.locator(".chosen-one")).to_have_count(number)
    expect(page.locator("#buy")).to_contain_text("Buy 2 finals")
    page.locator("#buy").click()
    page.locator("#confirm-yes").click()
    page.wait_for_url("**/finals")
    expect(page.locator("#zip")).to_be_visible(timeout=LIMIT_S * 1000)
    expect(page.locator("#purchase")).to_be_hidden(timeout=LIMIT_S * 1000)


def _is_bought_once(shell: Shell, provider: Provider, run_id: str) -> None:
    """The provider's bill is the ledger's, request by request: 60 drafts, 4 further ones, 2 finals."""
    with shell.ledger() as ledger:
        records = ledger.orders.of_run(run_id)
        charged = ledger.orders.charged_usd(run_id)
        faults = ledger.verify(shell.home)
    assert Counter((one.order.stage, one.state) for one in records) == {
        ("draft", "received"): 64, ("final", "received"): 2,
    }  # fmt: skip
    assert provider.n_requests == 66
    assert charged == Decimal(provider.charged_nanousd) / 10**9
    assert faults == []


def _says_what_it_grew_from(shell: Shell, run_id: str, line: list[str]) -> None:
    folder = shell.folder(run_id)
    files = [json.loads(file.read_text()) for file in sorted((folder / "finals").glob("*.json"))]
    of_child = next(one for one in files if one["draft"]["candidate_id"] == line[0])
    assert [one["candidate_id"] for one in of_child["grown_from"]] == line[1:]
    summary = json.loads((folder / "summary.json").read_text())
    assert [one["number"] for one in summary["further_rounds"]] == [1, 2]
    assert summary["arms"]["A"]["pictures"] + summary["arms"]["B"]["pictures"] == 60
    assert "Not counted: 4 drafts of further rounds." in summary["ab_test"]["scores_headline"]


def _opens_elsewhere(shell: Shell, folder: Path, run_id: str) -> None:
    """From another folder, the home gone and every network cut: all pictures, and finals as bought."""
    bought = {file.name: file.read_bytes() for file in (shell.folder(run_id) / "finals").glob("*.png")}
    shell.home.rename(folder / "gone")
    with zipfile.ZipFile(folder / "hour.zip") as archive:
        archive.extractall(folder / "elsewhere")
    (page_file,) = (folder / "elsewhere").glob("*/report.html")
    there = {file.name: file.read_bytes() for file in (page_file.parent / "finals").glob("*.png")}
    assert there == bought
    with open_browser() as browser, watched(browser, folder) as (page, complaints):
        page.goto(page_file.as_uri())
        expect(page.get_by_role("heading", name="Asked for again")).to_be_visible()
        widths = page.locator("img").evaluate_all("all => all.map(one => one.naturalWidth)")
        assert widths
        assert all(widths)
        assert complaints == []
