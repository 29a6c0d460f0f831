"""The time to write a report of 10,000 rows, and to open and scroll its page in a browser.

``python -m benchmarks.report_speed [ROWS]``; the workbook, which is only written on request, is timed too.
"""

import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Any

from playwright.sync_api import Browser, Page

from tasks.report import write_formats, write_report
from tests.support.browser import CHROMIUM, open_browser
from tests.support.report_rows import make_facts, make_run, paint_files

OPENED_S, WRITTEN_S = 2.0, 10.0
OPENINGS, SCROLLS_PX, LATE_MS = 5, 100, 50.0

# Asks for one frame after another while the page moves, and notes how long each took to come.
SCROLL = """async ([step, frames]) => {
  const gaps = [];
  let last = await new Promise(requestAnimationFrame);
  for (let frame = 0; frame < frames; frame++) {
    scrollBy({top: step, behavior: "instant"});
    const now = await new Promise(requestAnimationFrame);
    gaps.push(now - last);
    last = now;
  }
  return gaps;
}"""


def main(row_count: int) -> None:
    """Write one report, open its page, and print what took how long."""
    rows = make_run(prompts=-(-row_count // 16), replicates=8)[:row_count]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        paint_files(rows, folder, px=64)
        start = time.perf_counter()
        files = write_report(rows, make_facts(), folder)
        seconds = time.perf_counter() - start
        print(
            f"{len(rows):,} rows written: {seconds:.2f} s, import of pandas included (target {WRITTEN_S:g} s)"
        )
        for path in (files.parquet, files.csv, files.html, files.contact_sheet, files.summary):
            print(f"  {path.name}: {path.stat().st_size / 1e6:.2f} MB")
        start = time.perf_counter()
        write_formats(rows, make_facts(), folder, ["xlsx"])
        print(f"report.xlsx: {time.perf_counter() - start:.1f} s")
        if CHROMIUM is not None:
            with open_browser() as browser:
                look(browser, files.html)


def look(browser: Browser, page: Path) -> None:
    """Open the page some times in contexts of their own, and scroll through it once."""
    opened = [time_opening(browser, page) for _ in range(OPENINGS)]
    seen, loaded = (median(moments) for moments in zip(*opened, strict=True))
    print(f"opened, {OPENINGS} times: seen after {seen:.2f} s, loaded {loaded:.2f} s (target {OPENED_S:g} s)")
    tab = visit(browser, page)
    gaps = sorted(tab.evaluate(SCROLL, [SCROLLS_PX, 300]))
    late = sum(gap > LATE_MS for gap in gaps)
    print(
        f"scrolled {300 * SCROLLS_PX:,} px in {len(gaps)} frames: median {median(gaps):.0f} ms, "
        f"95 % below {gaps[int(len(gaps) * 0.95)]:.0f} ms, {late} later than {LATE_MS:g} ms"
    )


def visit(browser: Browser, page: Path) -> Page:
    """Open a page in a context of its own, so that nothing is remembered."""
    tab = browser.new_context(viewport={"width": 1440, "height": 900}).new_page()
    tab.goto(page.as_uri())
    return tab


def time_opening(browser: Browser, page: Path) -> tuple[float, float]:
    """Tell when the first words were seen and when all was loaded, seconds after the page was asked for."""
    tab = visit(browser, page)
    moments: dict[str, Any] = tab.evaluate("""() => ({
      seen: performance.getEntriesByName("first-contentful-paint")[0].startTime,
      loaded: performance.getEntriesByType("navigation")[0].loadEventEnd,
    })""")
    tab.context.close()
    return moments["seen"] / 1000, moments["loaded"] / 1000


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 10_000)
