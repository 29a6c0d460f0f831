"""The time to write a report of 1,000 and of 10,000 rows, and to open and scroll its page in a browser.

The workbook, which is only written on request, is timed too. Writes its tables into ``benchmarks/README.md``.

    python -m benchmarks.report_speed [ROWS ...]
"""

import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Any

from playwright.sync_api import Browser, Page

from benchmarks.figures import write_figures
from tasks.report import load_libraries, write_formats, write_report
from tests.support.browser import CHROMIUM, open_browser
from tests.support.report_rows import make_facts, make_run, paint_files

OPENED_S, WRITTEN_S, ROWS_OF_TARGET, FEW_WRITTEN_S = 1.0, 10.0, 10_000, 1.5
OPENINGS, SCROLLS_PX, LATE_MS = 5, 100, 50.0

PAINTED = "() => performance.getEntriesByName('first-contentful-paint').length > 0"

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


def main(row_counts: list[int]) -> None:
    """Write reports of so many rows, open and scroll the page of each, and write what took how long."""
    sizes = ", ".join(f"{count:,}" for count in row_counts)
    lines = [f"`python -m benchmarks.report_speed`, once: {sizes} rows, thumbnails of 64 px.", "",
             "| rows | what | time | target |", "|---|---|---|---|"]  # fmt: skip
    for row_count in row_counts:
        lines += [f"| {row_count:,} | {line}" for line in measure(row_count)]
    print("\n".join(lines))
    write_figures("benchmarks.report_speed", "\n".join(lines))


def measure(row_count: int) -> list[str]:
    """Write one report and look at its page; returns the lines of the table."""
    rows = make_run(prompts=-(-row_count // 16), replicates=8)[:row_count]
    load_libraries(2, needs_tests=False)  # a run does that while it waits for pictures
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        paint_files(rows, folder, px=64)
        start = time.perf_counter()
        files = write_report(rows, make_facts(), folder)
        written_s = time.perf_counter() - start
        target_s = WRITTEN_S * row_count / ROWS_OF_TARGET if row_count >= ROWS_OF_TARGET else FEW_WRITTEN_S
        lines = [f"all five files | {written_s:.2f} s | {target_s:g} s |"]
        start = time.perf_counter()
        write_formats(rows, make_facts(), folder, ["xlsx"])
        lines.append(f"`report.xlsx`, only on request | {time.perf_counter() - start:.2f} s | |")
        if CHROMIUM is not None:
            with open_browser() as browser:
                lines += look(browser, files.html)
    return lines


def look(browser: Browser, page: Path) -> list[str]:
    """Open the page some times in contexts of their own, and scroll through it once."""
    opened = [time_opening(browser, page) for _ in range(OPENINGS)]
    seen, loaded = (median(moments) for moments in zip(*opened, strict=True))
    tab = visit(browser, page)
    gaps = sorted(tab.evaluate(SCROLL, [SCROLLS_PX, 300]))
    late = sum(gap > LATE_MS for gap in gaps)
    return [
        f"page seen, and loaded, median of {OPENINGS} | {seen:.2f} s, {loaded:.2f} s | {OPENED_S:g} s |",
        f"a frame while scrolling, {len(gaps)} of them | median {median(gaps):.0f} ms, 95 % below"
        f" {gaps[int(len(gaps) * 0.95)]:.0f} ms, {late} later than {LATE_MS:g} ms | |",
    ]


def visit(browser: Browser, page: Path) -> Page:
    """Open a page in a context of its own, so that nothing is remembered."""
    tab = browser.new_context(viewport={"width": 1440, "height": 900}).new_page()
    tab.goto(page.as_uri())
    return tab


def time_opening(browser: Browser, page: Path) -> tuple[float, float]:
    """Tell when the first words were seen and when all was loaded, seconds after the page was asked for."""
    tab = visit(browser, page)
    tab.wait_for_function(PAINTED)
    moments: dict[str, Any] = tab.evaluate("""() => ({
      seen: performance.getEntriesByName("first-contentful-paint")[0].startTime,
      loaded: performance.getEntriesByType("navigation")[0].loadEventEnd,
    })""")
    tab.context.close()
    return moments["seen"] / 1000, moments["loaded"] / 1000


if __name__ == "__main__":
    main([int(word) for word in sys.argv[1:]] or [1_000, 10_000])
