"""The architecture page speaks of the tree as it is: every place that it names exists."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
PLACES = sorted(set(re.findall(r"`((?:flows|tasks|benchmarks)/[\w/]+\.py)(?::(\w+))?`", PAGE)))
PACKAGES = sorted(
    file.parent.relative_to(ROOT).as_posix()
    for top in ("flows", "tasks")
    for file in (ROOT / top).glob("*/__init__.py")
)


@pytest.mark.parametrize(("file", "name"), PLACES, ids=[":".join(filter(None, place)) for place in PLACES])
def test_every_place_that_the_page_names_exists(file: str, name: str) -> None:
    """A file, and where a name follows the colon, a function or class at its top."""
    assert (ROOT / file).is_file()
    tree = ast.parse((ROOT / file).read_text(encoding="utf-8"))
    names = {getattr(node, "name", None) for node in tree.body}
    assert not name or name in names


@pytest.mark.parametrize("package", PACKAGES)
def test_the_page_has_every_package(package: str) -> None:
    """One row each; its text is the package's own first line."""
    top, name = package.split("/")
    assert re.search(rf"^\| `{top}/` .*(?:\n\|.*)*\n\| `{name}/` \|", PAGE, re.MULTILINE)


def test_the_way_of_a_candidate_is_ten_places_or_a_few_more() -> None:
    """From the campaign file to the report, each with its function."""
    way = PAGE.split("## The way of a candidate")[1].split("##")[0]
    assert 10 <= len(re.findall(r"\| `\w+/[\w/]+\.py:\w+` \|", way)) <= 12
