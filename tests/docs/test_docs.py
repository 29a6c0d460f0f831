"""What people read holds: pages are current, links lead somewhere, commands exist, files are short."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
import yaml
from click.testing import CliRunner

from flows.command_line import runoff

ROOT = Path(__file__).parents[2]
CAMPAIGNS = sorted((ROOT / "configs" / "campaigns").glob("*.yaml"))
PAGES = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").glob("*.md"))]
SOURCES = sorted(file for room in ("runoff", "flows", "tasks") for file in (ROOT / room).rglob("*.py"))
MOST_FILE_LINES = 400
MOST_FUNCTION_LINES = 60

TEXTS = {".py", ".md", ".yaml", ".yml", ".toml", ".json", ".html", ".css", ".js", ".txt", ".mako", ".ini"}
ROOMS = ("runoff", "flows", "tasks", "tests", "docs", "configs", "benchmarks", ".ci")
FORBIDDEN = {
    "a folder of one machine": r"(?<![\w.:/<>{}*~$-])/(?:work|root|home/\w+|tmp/\w+)\b",
    "a registry's host": r"pypi\.(?:org|io)|pythonhosted|artifactory|index-url|registry\.npmjs",
    "who wrote it": r"\b(?:co-authored-by|claude code|anthropic|copilot|ai-generated|coding agent)\b",
}


def relative(file: Path) -> str:
    """Name a file as it stands in the repository."""
    return file.relative_to(ROOT).as_posix()


def texts() -> Iterator[Path]:
    """Walk every text that belongs to the project, this file aside: it holds the words it looks for."""
    for room in ROOMS:
        for file in (ROOT / room).rglob("*"):
            is_text = file.is_file() and (file.suffix in TEXTS or room == ".ci")
            if is_text and "__pycache__" not in file.parts and file != Path(__file__):
                yield file
    yield from (file for file in ROOT.iterdir() if file.is_file() and file.suffix in TEXTS)
    yield ROOT / "Makefile"


def leaves(command: click.Command, path: str) -> Iterator[tuple[str, click.Command]]:
    """Walk the commands, groups included."""
    yield path, command
    if isinstance(command, click.Group):
        for name, one in command.commands.items():
            yield from leaves(one, f"{path} {name}")


COMMANDS = dict(leaves(runoff, "runoff"))


def code_blocks(page: Path) -> list[list[str]]:
    """List the fenced blocks of a page, each as its lines without blank ones."""
    found = re.findall(r"^```\w*\n(.*?)^```", page.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    return [[line for line in block.splitlines() if line.strip()] for block in found]


@pytest.mark.slow
def test_written_pages_are_current() -> None:
    """Write them again with: make docs."""
    done = subprocess.run(
        [sys.executable, "-m", "docs.generate", "--check"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("path", COMMANDS)
def test_every_command_and_option_has_help(path: str) -> None:
    """A sentence each, with a full stop: the terminal and the reference show it."""
    command = COMMANDS[path]
    assert re.search(r"[.:]$", (command.help or "").strip()), path
    for parameter in command.params:
        if isinstance(parameter, click.Option):
            assert (parameter.help or "").rstrip("]").endswith(".") or "[default" in (parameter.help or ""), (
                parameter.name
            )


def test_every_variable_that_the_code_reads_is_explained() -> None:
    """Each RUNOFF_ variable, and each that a provider names, stands in the reference."""
    page = (ROOT / "docs" / "commands.md").read_text(encoding="utf-8")
    named = set(re.findall(r"\bRUNOFF_[A-Z_]+\b", "".join(file.read_text("utf-8") for file in SOURCES)))
    providers = yaml.safe_load((ROOT / "configs" / "providers.yaml").read_text("utf-8"))["providers"]
    for provider in providers.values():
        named |= {provider["key_variable"], provider["base_url_variable"]} - {None}
        named |= set(re.findall(r"\$\{(\w+)", str(provider.get("headers"))))
    assert named
    assert {name for name in named if f"| `{name}` |" not in page} == set()


@pytest.mark.parametrize("page", PAGES, ids=relative)
def test_links_and_pictures_lead_somewhere(page: Path) -> None:
    """Every relative link and picture of a page is there."""
    text = re.sub(r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    targets = re.findall(r"\]\(([^)\s]+)\)|<img[^>]+src=\"([^\"]+)\"", text)
    paths = [one or other for one, other in targets]
    relative_ones = [path.partition("#")[0] for path in paths if "://" not in path and path[0] != "#"]
    assert [path for path in relative_ones if not (page.parent / path).exists()] == []


@pytest.mark.parametrize("page", sorted((ROOT / "docs").glob("*.md")), ids=relative)
def test_every_page_is_reached_from_another_one(page: Path) -> None:
    """A page that nothing links to is not read."""
    others = [other.read_text(encoding="utf-8") for other in PAGES if other != page]
    assert any(f"]({page.name})" in text or f"](docs/{page.name})" in text for text in others)


@pytest.mark.parametrize("file", CAMPAIGNS, ids=relative)
@pytest.mark.parametrize("day", ["2026-11-22", "2027-01-15"])
def test_every_campaign_file_plans(file: Path, day: str, tmp_path: Path) -> None:
    """Each loads and plans without a key, before and after the announced shutdowns of models."""
    done = CliRunner().invoke(
        runoff, ["plan", str(file), "--home", str(tmp_path), "--json"], env={"RUNOFF_TODAY": day}
    )
    assert done.exit_code == 0, done.output


def test_the_readme_shows_a_campaign_that_plans(tmp_path: Path) -> None:
    """What a reader copies first works."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    shown = re.search(r"^```yaml\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    assert shown is not None
    file = tmp_path / "campaign.yaml"
    file.write_text(shown[1])
    done = CliRunner().invoke(runoff, ["plan", str(file), "--home", str(tmp_path), "--json"])
    assert done.exit_code == 0, done.output


def test_the_readme_begins_with_its_two_commands() -> None:
    """Line 1 sets up and runs the demo, line 2 sets up and runs the tests; CI takes line 2 from here."""
    first, second = code_blocks(ROOT / "README.md")[0]
    assert first.endswith("&& .venv/bin/runoff demo")
    assert second.endswith("&& .venv/bin/pytest")
    for line in (first, second):
        assert line.startswith("python3 -m venv .venv && .venv/bin/pip install ")
        assert "-c constraints.txt" in line
    assert "readme_command 2" in (ROOT / ".ci" / "run").read_text(encoding="utf-8")


def test_changelog_tells_what_is_unreleased() -> None:
    """The first section is what comes next, and says something."""
    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    sections = re.split(r"^## ", text, flags=re.MULTILINE)
    assert sections[1].startswith("[Unreleased]")
    assert re.search(r"^- \w", sections[1], re.MULTILINE)


def glossary_words() -> list[str]:
    """List the words that the glossary explains."""
    page = (ROOT / "docs" / "glossary.md").read_text(encoding="utf-8")
    return [word for word in re.findall(r"^\| ([^|]+?) \|", page, re.MULTILINE) if word != "word"]


def test_every_word_of_the_glossary_is_used() -> None:
    """Each occurs in code or on another page, as words or as a name such as `rate_limiter`."""
    pages = [page for page in PAGES if page.name != "glossary.md"]
    text = "\n".join(file.read_text(encoding="utf-8") for file in (*pages, *SOURCES))
    words = glossary_words()
    assert len(words) == len(set(words))
    unused = [
        word
        for word in words
        if not re.search(r"[\s_-]?".join(map(re.escape, re.split(r"[ -]", word))), text, re.IGNORECASE)
    ]
    assert unused == []


@pytest.mark.parametrize("what", FORBIDDEN)
def test_no_text_names(what: str) -> None:
    """The project names no machine's folders, no registry, and nobody who wrote it."""
    pattern = re.compile(FORBIDDEN[what], re.IGNORECASE)
    found = [
        f"{relative(file)}: {match[0]}"
        for file in texts()
        if (match := pattern.search(file.read_text(encoding="utf-8")))
    ]
    assert found == []


def test_files_fit_their_idea() -> None:
    """No file of the product is longer than 400 lines."""
    lengths = {relative(file): len(file.read_text(encoding="utf-8").splitlines()) for file in SOURCES}
    assert {name: length for name, length in lengths.items() if length > MOST_FILE_LINES} == {}


def body_lines(text: str, function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Count what a function does: no signature, no docstring, none of the formatter's lone brackets."""
    says_what = ast.get_docstring(function) is not None and len(function.body) > 1
    first = function.body[1 if says_what else 0]
    lines = text.splitlines()[first.lineno - 1 : function.end_lineno]
    return sum(bool(line.strip(" ()[]{},:")) for line in lines)


def test_functions_fit_a_screen() -> None:
    """No function of the product does more than 60 lines; migrations are history and stay as they were."""
    lengths = {
        f"{relative(file)}:{node.name}": body_lines(text, node)
        for file in SOURCES
        if "migrations" not in file.parts
        for text in [file.read_text(encoding="utf-8")]
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }
    assert {name: length for name, length in lengths.items() if length > MOST_FUNCTION_LINES} == {}
