"""Templates of pages are compiled once, and what was compiled is never served for another source."""

import sys
from collections.abc import Callable
from importlib.util import cache_from_source
from pathlib import Path

import pytest
from jinja2 import Environment, UndefinedError

from tasks.page_templates import open_templates


@pytest.fixture(autouse=True)
def _bytecode_is_written(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    monkeypatch.setattr(sys, "pycache_prefix", None)


def render(folder: Path, **values: object) -> str:
    """Render the page as a new process does."""
    return open_templates(folder, {"loud": str.upper}).get_template("parts/page.html").render(values)


def write(folder: Path, source: str) -> Path:
    """Write the page's template."""
    file = folder / "parts/page.html"
    file.parent.mkdir(exist_ok=True)
    file.write_text(source)
    return file


def kept_in(folder: Path) -> list[Path]:
    """List the compiled templates."""
    return [file for file in folder.rglob("*") if file.is_file() and file.suffix != ".html"]


@pytest.fixture
def compiled(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Name the templates that are compiled, not read."""
    names: list[str] = []
    compile_as_ever: Callable[..., object] = Environment.compile

    def note(self: Environment, source: str, name: str, *args: object, **kwargs: object) -> object:
        names.append(name)
        return compile_as_ever(self, source, name, *args, **kwargs)

    monkeypatch.setattr(Environment, "compile", note)
    return names


def test_text_is_escaped_and_a_missing_value_is_an_error(tmp_path: Path) -> None:
    """No text of a run becomes a part of the page, and no page has a hole."""
    write(tmp_path, "<p>{{ said }}</p>")
    assert render(tmp_path, said="a < b") == "<p>a &lt; b</p>"
    with pytest.raises(UndefinedError):
        render(tmp_path)


def test_a_template_is_compiled_once_and_kept_where_python_keeps_modules(
    tmp_path: Path, compiled: list[str]
) -> None:
    """The second process reads what the first one compiled."""
    write(tmp_path, "{{ said | loud }}")
    assert [render(tmp_path, said="once") for _ in range(2)] == ["ONCE", "ONCE"]
    assert compiled == ["parts/page.html"]
    [file] = kept_in(tmp_path)
    assert file.parent == Path(cache_from_source(str(tmp_path / "module.py"))).parent


def test_a_changed_template_is_compiled_again(tmp_path: Path) -> None:
    """What was compiled of a template counts for that text alone."""
    file = write(tmp_path, "one")
    assert render(tmp_path) == "one"
    file.write_text("two")
    assert render(tmp_path) == "two"


def test_what_another_version_of_jinja_compiled_is_not_used(
    tmp_path: Path, compiled: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each version of Jinja compiles for itself."""
    write(tmp_path, "one")
    render(tmp_path)
    monkeypatch.setattr("tasks.page_templates.version", lambda _: "99.9")
    render(tmp_path)
    assert compiled == ["parts/page.html"] * 2


def test_a_damaged_file_is_compiled_again(tmp_path: Path) -> None:
    """A disk that lost what was written costs a quarter of a second."""
    write(tmp_path, "one")
    render(tmp_path)
    for file in kept_in(tmp_path):
        file.write_bytes(b"")
    assert render(tmp_path) == "one"


def test_nothing_is_kept_where_python_is_to_write_no_bytecode(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As ``PYTHONDONTWRITEBYTECODE`` says."""
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    write(tmp_path, "one")
    assert render(tmp_path) == "one"
    assert not kept_in(tmp_path)


def test_where_nothing_can_be_kept_each_process_compiles(tmp_path: Path) -> None:
    """A package that others installed is as good, only slower."""
    write(tmp_path, "one")
    (tmp_path / "__pycache__").write_text("no folder")
    assert render(tmp_path) == "one"
