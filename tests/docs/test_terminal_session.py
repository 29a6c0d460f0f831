"""The moving picture of a session: what its commands print stands in it, and nothing of the machine."""

import re
from pathlib import Path
from xml.etree import ElementTree

from docs.screenshots import IMAGES
from docs.terminal_session import SCREENS, Film, Screen, lines_of

MOST_BYTES = 300_000


def words_in(svg: str) -> list[str]:
    """List the texts of a picture, in their order."""
    return [one.text or "" for one in ElementTree.fromstring(svg).iter("{http://www.w3.org/2000/svg}text")]


def test_an_output_is_drawn_as_it_stands_in_the_end() -> None:
    """A rewritten line shows its last state, a colour stays, and the folder has a name of its own."""
    folder = Path("/somewhere/else/pictures")
    output = "\n\x1b[?25l⠋ drafts 1/2\r\x1b[2K  drafts 2/2\n"
    output += f"\x1b[1;32m{folder}/report.html\x1b[0m   done <now>\n\n"
    lines = lines_of(output, folder)
    assert [line.plain for line in lines] == ["  drafts 2/2", "~/pictures/report.html   done <now>"]
    film = Film()
    film.add(Screen("Look", ["runoff runs"]), [lines])
    film.add(Screen("Buy", ["runoff promote latest"]), [[]])
    svg = film.svg()
    drawn = ["drafts 2/2", "~/pictures/report.html", "done <now>"]
    assert words_in(svg) == ["$", "runoff runs", *drawn, "$", "runoff promote latest", "Look", "Buy"]
    assert re.search(r'fill="#5fd0ae" font-weight="700">~/pictures', svg)
    assert "somewhere" not in svg


def test_the_picture_in_the_docs_is_of_this_session_small_and_from_no_machine() -> None:
    """Draw it again with: python -m docs.terminal_session."""
    svg = (IMAGES / "tour.svg").read_text(encoding="utf-8")
    words = words_in(svg)
    typed = [command for screen in SCREENS for command in screen.commands]
    assert [word for word in words if word in typed] == typed
    assert words[-len(SCREENS) :] == [screen.title for screen in SCREENS]
    assert len(svg.encode()) < MOST_BYTES
    assert re.findall(r"(?<![\w.:~])/(?:tmp|home|root|work|var)\b|https?://(?!www\.w3\.org|127\.)", svg) == []
