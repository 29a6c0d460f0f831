"""A report page as its readers have it: its tags, words and ids."""

from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

from tasks.report_page.facts import RunFacts
from tasks.report_page.page import write_page

VOID_TAGS = {"meta", "link", "img", "br", "line", "rect"}


class Page(HTMLParser):
    """Reads a page: its tags with attributes, its text, and whether every tag is closed in order."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.words: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note the tag."""
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID_TAGS:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        """Close the tag that was opened last."""
        if tag not in VOID_TAGS:
            assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        """Note the text."""
        self.words.append(data)

    def all(self, tag: str) -> Iterator[dict[str, str | None]]:
        """Give the attributes of every such tag."""
        return (attributes for name, attributes in self.tags if name == tag)

    @property
    def text(self) -> str:
        """All text with single spaces."""
        return " ".join(" ".join(self.words).split())


def page_text(rows: list[dict[str, Any]], facts: RunFacts, folder: Path) -> str:
    """Render a page."""
    return write_page(rows, facts, folder).decode()


def read(rows: list[dict[str, Any]], facts: RunFacts, folder: Path) -> Page:
    """Render and read a page."""
    page = Page(page_text(rows, facts, folder))
    assert not page.open
    return page
