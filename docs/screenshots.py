"""Draws the pictures in docs/images: real runs with the emulator, seen in a real browser.

``python -m docs.screenshots`` makes a run that awaits review and the demo, votes, and photographs the report
and every page of ``runoff review`` at the size of a desktop and of a phone. It takes some minutes, needs
Chromium and spends nothing. The form in Prefect's pages is drawn by ``python -m docs.prefect_form``.
"""

import io
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pandas as pd
import yaml
from PIL import Image
from playwright.sync_api import Browser, Page, expect

from tests.support.browser import open_browser
from tests.support.child_process import end_by, read_line, started
from tests.support.review_browser import DESKTOP, PHONE

IMAGES = Path(__file__).parent / "images"
COMMAND = str(Path(sys.executable).parent / "runoff")
TODAY = "2026-12-02"
"""The day of the runs: after the shutdown of a model, so that the pictures stay true."""
WHO = "mara"
GAP_PX, EDGE = 36, (200, 204, 210)
WIDTH_PX = 1200
REPORT_PX, MARGIN_PX, MOST_PX = 1040, 40, 1300
N_DUELS = 29
MOST_STATEMENTS = 200
NEXT_OR_DONE = """before => document.getElementById("asking").hidden
  || document.getElementById("progress-text").textContent !== before"""
SETTLE_MS = 150
"""Pictures fade in; a key that comes sooner is not heeded."""
KEYS = ("ArrowLeft", "ArrowRight", "ArrowRight", "ArrowLeft", "ArrowDown")
CAMPAIGN = {
    "name": "sea-otter",
    "provider": "emulator",
    "budget": {"per_run_usd": 3.0},
    "variables": {"scene": ["a baby sea otter asleep in kelp", "a lighthouse at dusk", "a sailing boat"]},
    "arms": {
        "A": {"prompt": "{{ scene }}, watercolour"},
        "B": {"prompt": "{{ scene }}, studio photograph"},
    },
    "drafts": {"model": "gpt-image-2.5-flare", "quality": "low", "size": "1024x1024", "per_prompt": 8},
    "finalists": {"count": 3, "max_per_prompt": 1, "approval": "review"},
    "finals": {"model": "gpt-image-2.6-sunburst", "quality": "high", "size": "1024x1024"},
    "review": {"labels": ["anatomy", "light", "off-brand"]},
}


def runoff(folder: Path, *words: str | Path) -> str:
    """Give the command in a folder of its own; returns its output."""
    environ = os.environ | {"RUNOFF_HOME": str(folder / "runs"), "RUNOFF_TODAY": TODAY}
    done = subprocess.run(
        [COMMAND, *map(str, words)], cwd=folder, env=environ, check=True, stdout=subprocess.PIPE, text=True
    )
    return done.stdout


@contextmanager
def review(folder: Path) -> Iterator[str]:
    """Serve the review page of a folder's runs; gives its address."""
    environ = os.environ | {"RUNOFF_HOME": str(folder / "runs"), "PYTHONUNBUFFERED": "1"}
    words = [COMMAND, "review", "--port", "0", "--no-browser"]
    with started(words, cwd=folder, env=environ, stdout=subprocess.PIPE) as process:
        address = read_line(process).split()[1]
        yield "/".join(address.split("/")[:3])
        end_by(process, signal.SIGINT)


@contextmanager
def window(browser: Browser, size: tuple[int, int]) -> Iterator[Page]:
    """Open a window of somebody who gave a name."""
    context = browser.new_context(
        viewport={"width": size[0], "height": size[1]}, color_scheme="light", has_touch=size == PHONE
    )
    context.add_init_script(f"localStorage.setItem('runoff-name', {json.dumps(WHO)})")
    yield context.new_page()
    context.close()


def narrowed(picture: Image.Image) -> Image.Image:
    """Scale a picture to the width of a page of documentation."""
    size = (WIDTH_PX, picture.height * WIDTH_PX // picture.width)
    return picture.resize(size, Image.Resampling.LANCZOS)


def save(picture: Image.Image, name: str) -> None:
    """Write a picture in 128 colours: a third of the size, and the eye sees no difference at this scale."""
    small = picture.convert("RGB").quantize(128, dither=Image.Dither.FLOYDSTEINBERG)
    small.save(IMAGES / f"{name}.png", optimize=True)


def shot(page: Page) -> Image.Image:
    """Photograph what a window shows, once its pictures have come."""
    page.wait_for_load_state("networkidle")
    page.wait_for_function("[...document.images].every(one => one.complete || one.loading === 'lazy')")
    return Image.open(io.BytesIO(page.screenshot())).convert("RGB")


def framed(picture: Image.Image) -> Image.Image:
    """Draw a hairline around a picture."""
    whole = Image.new("RGB", (picture.width + 2, picture.height + 2), EDGE)
    whole.paste(picture, (1, 1))
    return whole


def save_pair(desktop: Image.Image, phone: Image.Image, name: str) -> None:
    """Put a desktop and a phone side by side."""
    one, other = framed(desktop), framed(phone)
    whole = Image.new("RGB", (one.width + GAP_PX + other.width, max(one.height, other.height)), "white")
    whole.paste(one, (0, 0))
    whole.paste(other, (one.width + GAP_PX, 0))
    save(narrowed(whole), name)


def zoom_in(page: Page) -> None:
    """Enlarge the first picture, and label and comment on it once."""
    page.locator(".tile img").first.click()
    expect(page.locator(".comment-form")).to_be_visible()
    if page.locator(".comments li").count():
        return
    page.keyboard.press("2")
    expect(page.locator(".said [aria-pressed=true]")).to_have_count(1)
    page.locator(".comment-form textarea").fill("Right mood, but too dark to print.")
    page.get_by_role("button", name="Comment").click()
    expect(page.locator(".comments li")).to_have_count(1)
    expect(page.locator("#say")).to_be_hidden()


def look_side_by_side(page: Page) -> None:
    """See the first three pictures of an arm side by side, larger, and what differs."""
    expect(page.locator(".tile .look").first).to_be_focused()
    for _ in range(3):
        page.keyboard.press("s")
        page.keyboard.press("ArrowRight")
    page.keyboard.press("v")
    expect(page.locator(".stage").first).to_be_focused()
    page.wait_for_load_state("networkidle")
    page.keyboard.press("+")
    page.keyboard.press("d")


def vote(page: Page) -> None:
    """Judge pairs by keyboard; what is liked does not matter here."""
    for number in range(N_DUELS):
        expect(page.locator("#progress-text")).to_have_text(re.compile(rf"^{number} "))
        expect(page.locator("#sides")).to_be_visible()
        expect(page.locator("#sides")).not_to_have_class(re.compile("is-out"))
        page.wait_for_load_state("networkidle")
        page.wait_for_timeout(SETTLE_MS)
        page.keyboard.press(KEYS[number % len(KEYS)])
    expect(page.locator("#progress-text")).to_have_text(re.compile(rf"^{N_DUELS} "))


def photograph_review(browser: Browser, address: str, waiting: str, bought: str) -> None:
    """Photograph every page: those of the run that awaits review, and the finals of the other one."""
    run = f"{address}/runs/{waiting}"
    pages = {
        "review-runs": address,
        "review-gallery": run,
        "review-zoom": run,
        "review-side-by-side": run,
        "review-duels": f"{run}/duels",
        "review-ranking": f"{run}/ranking",
        "review-finalists": f"{run}/finalists",
        "review-finals": f"{address}/runs/{bought}/finals",
    }
    with window(browser, DESKTOP) as desktop, window(browser, PHONE) as phone:
        desktop.goto(pages["review-duels"])
        vote(desktop)
        for name, url in pages.items():
            shots = []
            for page in (desktop, phone):
                page.goto(url)
                if name == "review-zoom":
                    zoom_in(page)
                if name == "review-side-by-side":
                    look_side_by_side(page)
                shots.append(shot(page))
            save_pair(shots[0], shots[1], name)
        photograph_more(desktop, phone, run)
        compared = f"{address}/compare?run={bought}&run={waiting}"
        photograph_over_time(desktop, phone, compared)


def photograph_over_time(desktop: Page, phone: Page, compared: str) -> None:
    """Photograph runs beside one another, and on a phone the time line of a campaign."""
    desktop.goto(compared)
    first = desktop.locator("main a[href^='/campaigns/']").first.get_attribute("href")
    phone.goto("/".join(compared.split("/")[:3]) + str(first))
    save_pair(shot(desktop), shot(phone), "review-over-time")


def photograph_more(desktop: Page, phone: Page, run: str) -> None:
    """Photograph what can be asked for from the first picture, with its price; nothing is bought."""
    shots = []
    for page in (desktop, phone):
        page.goto(run)
        zoom_in(page)
        page.get_by_role("link", name="More like this").click()
        page.get_by_label("In other words").check()
        page.get_by_role("textbox", name="Prompt").fill("{{ prompt }}, in warm evening light")
        expect(page.locator("#buy")).to_contain_text("for at most")
        page.locator("#more-form" if page is phone else "h1").scroll_into_view_if_needed()
        shots.append(shot(page))
    save_pair(shots[0], shots[1], "review-more")


def answer_statements(page: Page, judged: Mapping[tuple[str, str], bool]) -> None:
    """Answer by keyboard as the judge did; otherwise about the light, which it measures as no person does."""
    for number in range(MOST_STATEMENTS):
        page.wait_for_load_state("networkidle")
        if page.locator("#result").is_visible():
            return
        statement = page.locator("#statement").inner_text()
        is_true = judged[page.locator("#looked-at").get_attribute("data-id") or "", statement]
        said = number % 3 > 0 if "light" in statement else is_true
        before = page.locator("#progress-text").inner_text()
        page.keyboard.press("y" if said else "n")
        page.wait_for_function(NEXT_OR_DONE, arg=before)


def photograph_statements(browser: Browser, address: str, folder: Path) -> None:
    """Photograph a statement that is asked on a desktop, and the result on a phone."""
    answers = pd.read_parquet(folder / "statements.parquet")
    pairs = zip(answers["candidate_id"], answers["statement"], strict=True)
    judged = dict(zip(pairs, answers["is_true"], strict=True))
    with window(browser, DESKTOP) as desktop, window(browser, PHONE) as phone:
        desktop.goto(f"{address}/runs/{folder.name}/statements")
        expect(desktop.locator("#asking")).to_be_visible()
        asked = shot(desktop)
        answer_statements(desktop, judged)
        phone.goto(f"{address}/runs/{folder.name}/statements")
        expect(phone.locator("#result")).to_be_visible()
        save_pair(asked, shot(phone), "review-statements")


def photograph_shares(browser: Browser, folder: Path) -> None:
    """Photograph what is true of the pictures of each arm, as the report has it."""
    with window(browser, (REPORT_PX, REPORT_PX)) as page:
        page.goto((folder / "report.html").as_uri())
        section = page.locator("main > section", has=page.locator("#statements"))
        section.scroll_into_view_if_needed()
        save(Image.open(io.BytesIO(section.screenshot())).convert("RGB"), "report-statements")


def photograph_report(browser: Browser, folder: Path) -> None:
    """Photograph a report down to its arms, and its first finalist; copy its contact sheet."""
    with window(browser, (REPORT_PX, REPORT_PX)) as page:
        page.goto((folder / "report.html").as_uri())
        arms, finalists = (
            page.locator("main > section", has=page.get_by_role("heading", name=name))
            for name in ("The arms, side by side", "The finalists")
        )
        boxes = [one.bounding_box() for one in (arms, finalists, finalists.locator(".finalist").nth(1))]
        (_, arms_end), (top, _), (second, _) = (
            (int(box["y"]), int(box["y"] + box["height"])) for box in boxes if box
        )
        page.set_viewport_size({"width": REPORT_PX, "height": second})
        whole = shot(page)
        save(whole.crop((0, 0, REPORT_PX, arms_end + MARGIN_PX)), "report")
        whole.crop((0, top - MARGIN_PX, REPORT_PX, second)).save(IMAGES / "finalists.jpg", quality=88)
    sheet = Image.open(folder / "contact_sheet.png")
    save(
        sheet.resize((WIDTH_PX, sheet.height * WIDTH_PX // sheet.width), Image.Resampling.LANCZOS),
        "contact_sheet",
    )


def photograph_factors(browser: Browser, folder: Path) -> None:
    """Photograph the grid of a campaign with factors, coloured by score, and its effects."""
    with window(browser, (REPORT_PX, REPORT_PX)) as page:
        page.goto((folder / "report.html").as_uri())
        page.get_by_label("Colour by score").check()
        for name, heading in (("grid", "Grid"), ("effects", "What matters")):
            section = page.locator(
                "main > section", has=page.get_by_role("heading", name=heading, exact=True)
            )
            box = section.bounding_box()
            assert box is not None
            page.set_viewport_size({"width": REPORT_PX, "height": int(box["height"]) + 2 * MARGIN_PX})
            section.scroll_into_view_if_needed()
            picture = Image.open(io.BytesIO(section.screenshot())).convert("RGB")
            save(picture.crop((0, 0, picture.width, min(picture.height, MOST_PX))), name)


def main() -> None:
    """Make the runs, and photograph them."""
    campaigns = Path(__file__).parents[1] / "configs/campaigns"
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        file = folder / "sea-otter.yaml"
        file.write_text(yaml.safe_dump(CAMPAIGN))
        waiting = json.loads(runoff(folder, "run", file, "--yes", "--json"))["run_id"]
        names = ("demo", "lighting", "product-shots")
        files = (campaigns / f"{name}.yaml" for name in names)
        bought, designed, judged = (
            json.loads(runoff(folder, "run", one, "--yes", "--json"))["run_id"] for one in files
        )
        with open_browser() as browser:
            photograph_report(browser, folder / "runs/demo" / bought)
            photograph_factors(browser, folder / "runs/lighting" / designed)
            photograph_shares(browser, folder / "runs/product-shots" / judged)
            with review(folder) as address:
                photograph_review(browser, address, waiting, bought)
                photograph_statements(browser, address, folder / "runs/product-shots" / judged)


if __name__ == "__main__":
    main()
