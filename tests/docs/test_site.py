"""The documentation holds together as a site and as plain files: pages are found, links lead somewhere."""

import re
from pathlib import Path

import pytest

from docs.build_site import EXAMPLES, ROOT, lay_out, load_settings, nav_pages

NAVIGATION = list(nav_pages())
FENCED = re.compile(r"^ *```.*?^ *```", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\(([^)\s]+)\)|<img[^>]+src=\"([^\"]+)\"")


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Lay out the site's pages."""
    folder = tmp_path_factory.mktemp("site") / "pages"
    lay_out(folder)
    return folder


def prose(page: Path) -> str:
    """Read a page without its fenced blocks."""
    return FENCED.sub("", page.read_text(encoding="utf-8"))


def anchors(page: Path) -> set[str]:
    """List the anchors of a page's headings that a code host and the site name alike."""
    headings = re.findall(r"^#+ +(.+?) *$", prose(page), re.MULTILINE)
    words = [re.sub(r"[^\w\s-]", "", heading).strip().lower() for heading in headings]
    on_a_host = {heading.replace(" ", "-") for heading in words}
    return on_a_host & {re.sub(r"[-\s]+", "-", heading) for heading in words}


def test_every_page_is_in_the_navigation_once() -> None:
    """Those in docs, those at the root, and the benchmarks."""
    written = [file for place in ("", "docs", "benchmarks") for file in (ROOT / place).glob("*.md")]
    expected = {file.relative_to(ROOT).as_posix() for file in written} | {EXAMPLES}
    assert sorted(NAVIGATION) == sorted(expected)


@pytest.mark.parametrize("name", NAVIGATION)
def test_every_link_of_the_site_leads_to_a_page_and_a_heading(pages: Path, name: str) -> None:
    """As the pages lie there: relative links, their anchors, and pictures."""
    links = [one or other for one, other in LINK.findall(prose(pages / name))]
    wrong = []
    for link in [link for link in links if "://" not in link]:
        path, _, anchor = link.partition("#")
        target = (pages / name).parent / path if path else pages / name
        if not target.is_file() or (anchor and anchor not in anchors(target)):
            wrong.append(link)
    assert wrong == []


def test_the_site_asks_no_other_machine_for_anything(pages: Path) -> None:
    """Fonts are the reader's own, and what lets search run from disk lies beside the pages."""
    settings = load_settings()
    assert settings["theme"]["font"] is False
    extras = [*settings["extra_css"], *settings["extra"]["polyfills"]]
    assert [name for name in extras if not (pages / name).is_file()] == []
    assert any("iframe-worker" in name for name in extras)
