"""The report's page in a real browser, opened from disk as its reader does."""

import html
import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tasks.report_page.page import render_page
from tests.report_rows import make_facts, make_run, paint_files

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine to open the page with")

PROBE = """
<script>
addEventListener("load", () => {
  const look = document.querySelector(".look"), copies = document.querySelector(".copies");
  const before = look.offsetHeight, told = look.querySelector(".told");
  const isHidden = !told.checkVisibility();
  look.querySelector("summary").click();
  const after = look.offsetHeight, isShown = told.checkVisibility();
  document.querySelector("[data-unfold]").click();
  document.querySelector("[data-show=finalists]").click();
  const tiles = [...document.querySelectorAll(".tile")].filter((tile) => tile.offsetParent).length;
  look.dispatchEvent(new KeyboardEvent("keydown", {key: "Escape", bubbles: true}));
  document.body.dataset.probe = JSON.stringify({
    grew: after - before, isHidden, isShown, tiles, copiesOpen: copies.open, closedByEscape: !look.open,
    unloaded: [...document.images].filter((image) => !image.naturalWidth).length,
    wider: document.documentElement.scrollWidth - innerWidth,
  });
});
</script>
"""

NARROW = """<!doctype html><title>narrow</title>
<iframe width="390" height="844" srcdoc="{page}"></iframe>
<script>
addEventListener("load", () => {{
  document.body.dataset.probe = document.querySelector("iframe").contentDocument.body.dataset.probe;
}});
</script>"""


def open_page(page: Path, *options: str) -> tuple[str, str]:
    """Open a page without any network; give its final DOM and the console's lines.

    Whatever the page asks of the network is forbidden by its own policy, which complains on the console.
    """
    done = subprocess.run(
        [
            str(CHROMIUM), "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--dump-dom",
            "--disable-background-networking", "--disable-component-update", "--disable-sync",
            "--enable-logging=stderr", "--window-size=1440,900", "--host-resolver-rules=MAP * ~NOTFOUND",
            f"--user-data-dir={page.parent / 'profile'}", *options, page.as_uri(),
        ],
        capture_output=True, text=True, timeout=90, check=True,
    )  # fmt: skip
    return done.stdout, "\n".join(line for line in done.stderr.splitlines() if ":CONSOLE" in line)


def look_at(page: Path) -> tuple[dict[str, Any], str]:
    """Open a page; give what its probe saw, and the console's lines."""
    dom, console = open_page(page)
    found = re.search(r'data-probe="([^"]*)"', dom)
    assert found, console
    return json.loads(html.unescape(found.group(1))), console


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write a page with a probe in it."""
    folder = tmp_path_factory.mktemp("run")
    rows = make_run()
    paint_files(rows, folder)
    text = render_page(rows, make_facts(), folder).replace("</body>", PROBE + "</body>")
    (folder / "report.html").write_text(text, encoding="utf-8")
    return folder / "report.html"


def test_page_opens_from_disk_without_network_or_complaint(page: Path) -> None:
    """All pictures load, pictures and copies unfold, the filter filters, and nothing is asked elsewhere."""
    seen, console = look_at(page)
    assert seen["grew"] > 50
    assert seen == seen | {
        "isHidden": True, "isShown": True, "copiesOpen": True, "closedByEscape": True, "tiles": 4,
        "unloaded": 0,
    }  # fmt: skip
    assert console == ""


def test_page_that_asks_the_network_is_noticed(page: Path) -> None:
    """The test above would see a picture from elsewhere: the page's own policy forbids it aloud."""
    asking = page.with_name("asking.html")
    text = page.read_text(encoding="utf-8")
    asking.write_text(
        text.replace("</body>", '<img src="https://example.org/x.png"></body>'), encoding="utf-8"
    )
    seen, console = look_at(asking)
    assert seen["unloaded"] == 1
    assert "example.org" in console


def test_large_run_loads_only_what_is_near(tmp_path: Path) -> None:
    """A page of 1,200 linked pictures scrolled to its last prompt loads that one, not the first."""
    rows = make_run(prompts=75)
    paint_files(rows, tmp_path, px=8)
    scroll = """<script>addEventListener("load", () => {
      document.querySelector(".band:last-of-type").scrollIntoView({behavior: "instant"});
    });</script></body>"""
    page = tmp_path / "report.html"
    page.write_text(render_page(rows, make_facts(), tmp_path).replace("</body>", scroll), encoding="utf-8")
    # A screenshot makes the browser draw, and only then does it look for what is near.
    shot = f"--screenshot={tmp_path / 'frame.png'}"
    dom, _ = open_page(page, shot, "--virtual-time-budget=20000")
    sources = re.findall(r'<img src="([^"]*)" data-later="([^"]*)"', dom)
    loaded = [later for source, later in sources if source == later]
    assert len(sources) == sum(1 for row in rows if row["stage"] == "draft" and row["candidate_id"])
    assert {"thumbnails/A-074-000.webp", "thumbnails/B-074-000.webp"} <= set(loaded)
    assert "thumbnails/A-000-000.webp" not in loaded
    assert len(loaded) < 600


def test_page_fits_a_phone(page: Path) -> None:
    """At 390 pixels nothing reaches beyond the screen."""
    narrow = page.with_name("narrow.html")
    narrow.write_text(NARROW.format(page=html.escape(page.read_text(encoding="utf-8"))), encoding="utf-8")
    seen, _ = look_at(narrow)
    assert seen["wider"] <= 0
