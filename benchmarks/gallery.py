"""How soon the gallery of the review page answers, with ten thousand drafts in a real browser.

All drafts are in one grid. Measured are the time until they are counted, from a letter typed into the search
to the painted answer, from an arrow key to the frame that shows it, and between the frames of scrolling a
screen at a time; and how many elements the page has before and after.

    python -m benchmarks.gallery [--drafts 10000]
"""

import argparse
import tempfile
import time
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, expect

from benchmarks.figures import write_figures
from tests.support.browser import open_browser
from tests.support.review_browser import DESKTOP
from tests.support.review_home import review_page

N_CELLS = 4
N_KEYS = 60
SEARCH = """async () => {
  const field = document.querySelector("#text"), times = [];
  for (const text of ["s", "se", "sea", "sea o", ""]) {
    const before = performance.now();
    field.value = text;
    field.dispatchEvent(new Event("input", { bubbles: true }));
    await new Promise((painted) => requestAnimationFrame(() => requestAnimationFrame(painted)));
    times.push(performance.now() - before);
  }
  return times;
}"""
KEYS = """async (count) => {
  const times = [];
  for (let number = 0; number < count; number += 1) {
    const before = performance.now();
    const key = number % 6 === 5 ? "ArrowDown" : "ArrowRight";
    const press = new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true });
    document.activeElement.dispatchEvent(press);
    await new Promise((painted) => requestAnimationFrame(painted));
    times.push(performance.now() - before);
  }
  return times;
}"""
SCROLL = """async () => {
  const times = [], frame = () => new Promise((painted) => requestAnimationFrame(painted));
  let before = await frame();
  for (let y = 0; y < document.documentElement.scrollHeight; y += innerHeight) {
    scrollTo({ top: y, behavior: "instant" });
    const now = await frame();
    times.push(now - before);
    before = now;
  }
  return times;
}"""


def measure(page: Page, address: str, n_drafts: int) -> dict[str, str]:
    """Measure an open gallery; returns what was measured and its figure."""
    begun = time.monotonic()
    page.goto(address)
    expect(page.locator("#tally")).to_have_text(f"{n_drafts:,} of {n_drafts:,} drafts", timeout=120_000)
    opened_s = time.monotonic() - begun
    page.wait_for_load_state("networkidle")
    found = {"all drafts counted, from an empty tab": f"{opened_s:.1f} s"}
    n_elements = _count(page)
    for name, script, argument in (
        ("a letter in the search", SEARCH, None),
        ("an arrow key", KEYS, N_KEYS),
        ("a screen scrolled", SCROLL, None),
    ):
        page.locator(".tile .look").first.focus()
        found[name] = _spread(page.evaluate(script, argument))
    found["elements of the page, before and after scrolling"] = f"{n_elements:,} and {_count(page):,}"
    return found


def _count(page: Page) -> int:
    return int(page.evaluate("document.querySelectorAll('*').length"))


def _spread(times: Any) -> str:  # noqa: ANN401 - numbers from the browser
    ordered = sorted(times)
    return f"{ordered[len(ordered) // 2]:.0f} ms, the slowest {ordered[-1]:.0f} ms"


def main() -> None:
    """Measure, print and write the figures."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--drafts", type=int, default=10_000, help="a multiple of 4")
    n_drafts = parser.parse_args().drafts
    with (
        tempfile.TemporaryDirectory() as name,
        review_page(Path(name), per_cell=n_drafts // N_CELLS) as review,
        open_browser() as browser,
    ):
        page = browser.new_page(viewport={"width": DESKTOP[0], "height": DESKTOP[1]})
        found = measure(page, review.run + "?view=all&status=", n_drafts)
    lines = [f"| {n_drafts:,} drafts in one grid | median |", "|---|---|"]
    lines += [f"| {what} | {figure} |" for what, figure in found.items()]
    print("\n".join(lines))
    write_figures("benchmarks.gallery", "\n".join(lines))


if __name__ == "__main__":
    main()
