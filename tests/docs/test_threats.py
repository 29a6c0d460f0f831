"""The page of threats names real tests: a defence without its test is a promise that nobody keeps."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "threats.md").read_text(encoding="utf-8")
NAMED = re.findall(r"`([\w/]+\.py)::(test_\w+)`", PAGE)
ROWS = [line for line in PAGE.splitlines() if line.startswith("| ") and not line.endswith("| tests |")]


@pytest.mark.parametrize(("file", "name"), NAMED, ids=[name for _, name in NAMED])
def test_every_named_test_exists(file: str, name: str) -> None:
    """In that file, as a function that pytest collects."""
    tree = ast.parse((ROOT / "tests" / file).read_text(encoding="utf-8"))
    functions = {node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}
    assert name in functions


def test_every_threat_names_a_test() -> None:
    """No row is without one."""
    assert ROWS
    assert [row for row in ROWS if "::test_" not in row] == []


def test_every_named_test_is_written_so_that_it_is_found() -> None:
    """A name in another form would not be looked for."""
    assert len(NAMED) == PAGE.count("::test_")


def test_security_says_how_to_report_and_what_is_supported() -> None:
    """And leads to the page."""
    text = (ROOT / "SECURITY.md").read_text(encoding="utf-8")
    assert "## Report a vulnerability" in text
    assert "## Supported versions" in text
    assert "](docs/threats.md)" in text
