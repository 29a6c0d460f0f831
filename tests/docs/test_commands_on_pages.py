"""What a page tells the reader to type works: lines are parsed, and what is quick and buys nothing runs."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import click
import pytest
import yaml
from click.testing import CliRunner, Result

from docs.terminal_session import SCREENS
from flows.command_line import runoff
from flows.deployments import read_scheduled

ROOT = Path(__file__).parents[2]
CAMPAIGNS = ROOT / "configs" / "campaigns"
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md"), *(ROOT / "benchmarks").glob("*.md")])
READERS_OWN = {
    "campaign.yaml": "",
    "products.csv": "sku,product\nA-1,a green bottle\nA-2,a red bottle\n",
    "prompts.txt": "a lighthouse at dusk\na small boat at dawn\n",
    "promptfooconfig.yaml": "prompts: ['{{ scene }}, watercolour']\n"
    "providers: ['openai:image:gpt-image-2.5-flare']\n"
    "tests: [{vars: {scene: a lighthouse}}]\n",
}  # fmt: skip
"""Files of the reader's own that pages name, and what stands in them here."""
COMMAND = re.compile(r"(?:^|&& |compose run --rm worker |\$\()(?:\w+=\S+ )*(?:\S*/)?runoff ([^&|>)]+)")
QUICK = ("init", "plan", "schema", "completion", "models", "serve", "deploy")


class Block(NamedTuple):
    """A fenced block of lines to type."""

    page: str
    number: int
    lines: tuple[str, ...]


def blocks() -> Iterator[Block]:
    """Walk the blocks of all pages that are typed in a shell."""
    for page in PAGES:
        found = re.findall(
            r"^ *```(bash|console)\n(.*?)^ *```", page.read_text("utf-8"), re.MULTILINE | re.DOTALL
        )
        for number, (kind, text) in enumerate(found, 1):
            lines = [line.strip() for line in text.splitlines()]
            typed = [line.removeprefix("$ ") for line in lines if kind == "bash" or line.startswith("$ ")]
            yield Block(page.relative_to(ROOT).as_posix(), number, tuple(filter(None, typed)))


BLOCKS = list(blocks())


def words_of(line: str) -> list[str]:
    """Split what follows ``runoff`` up to the end of the command; nothing for another program's line."""
    found = COMMAND.search(line)
    return shlex.split(found[1], comments=True) if found else []


LINES = sorted({(block.page, line) for block in BLOCKS for line in block.lines if words_of(line)})


def parse(words: list[str]) -> click.Context:
    """Parse a command line as the command does, without running it.

    Raises:
        click.ClickException: There is no such command or option, or a value is not accepted.
    """
    command: click.Command = runoff
    context = click.Context(runoff, info_name="runoff")
    while isinstance(command, click.Group):
        name, found, words = command.resolve_command(context, words)
        assert found is not None
        command, context = found, click.Context(found, info_name=name, parent=context)
    return command.make_context(command.name, words, parent=context.parent)


def test_pages_have_commands() -> None:
    """Or the tests below look at nothing."""
    assert len(LINES) > 30
    assert {"README.md", "docs/schedules.md", "docs/deploy.md"} <= {page for page, _ in LINES}


@pytest.mark.parametrize(("page", "line"), LINES)
def test_a_command_of_a_page_is_parsed_and_names_files_that_are_there(
    page: str, line: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the command's own parser; a campaign is an example, one that the page makes, or the reader's own."""
    monkeypatch.chdir(ROOT)
    words = words_of(line)
    parse(words)
    made = re.findall(r"runoff init (\w+)", (ROOT / page).read_text("utf-8"))
    known = (
        {f"{name}.yaml" for name in made}
        | READERS_OWN.keys()
        | {file.name for file in CAMPAIGNS.glob("*.yaml")}
    )
    named = [word for word in words if re.search(r"\.(yaml|csv|txt)$", word)]
    assert [word for word in named if Path(word).name not in known] == []
    assert [word for word in named if word.startswith("configs/") and not (ROOT / word).is_file()] == []


def test_the_commands_of_the_filmed_session_are_parsed() -> None:
    """Which is drawn rarely; this is every day."""
    for screen in SCREENS:
        for command in screen.commands:
            assert parse(words_of(command)).command is not runoff


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_what_a_page_mentions_within_its_text_exists(page: Path) -> None:
    """The commands with their options, values aside, and the targets of make."""
    text = re.sub(r"^ *```.*?^ *```", "", page.read_text("utf-8"), flags=re.MULTILINE | re.DOTALL)
    unknown = [found for found in re.findall(r"`runoff ([a-z][^`]*)`", text) if not is_known(found.split())]
    targets = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE)
    unknown += [found for found in re.findall(r"`make ([a-z-]+)", text) if found not in targets]
    assert unknown == []


def is_known(words: list[str]) -> bool:
    """Tell whether there is such a command, with such options."""
    command: click.Command = runoff
    while isinstance(command, click.Group) and words and words[0] in command.commands:
        command, words = command.commands[words[0]], words[1:]
    options = {name for parameter in command.params for name in parameter.opts} | {"--help"}
    given = {word.partition("=")[0].rstrip(",.") for word in words if word.startswith("-")}
    return command is not runoff and given <= options


@pytest.mark.parametrize(
    "page", sorted({page for page, line in LINES if words_of(line)[0] in {"serve", "deploy"}})
)
def test_a_campaign_that_a_page_serves_has_a_schedule(page: str) -> None:
    """It is an example with its schedule, in a clone or a container, or it is made by the page."""
    served = {
        word for other, line in LINES if other == page for word in words_of(line) if word.endswith(".yaml")
    }
    scheduled = {
        name for name in served if "schedule" in yaml.safe_load((CAMPAIGNS / Path(name).name).read_text())
    }
    assert {Path(name).name for name in scheduled} == {"nightly.yaml"}


def typed(line: str, folder: Path) -> Result | None:
    """Type a line in a folder, in this process; ``None`` for one that is not a quick command of ours."""
    if appended := re.fullmatch(r"echo '(.+)' >> (\S+)", line):
        with (folder / appended[2]).open("a") as file:
            file.write(f"{appended[1]}\n")
        return None
    words = words_of(line)
    if not words or words[0] not in QUICK:
        return None
    if words[0] in {"serve", "deploy"}:  # what is read before a server is started
        assert (
            read_scheduled([Path(word) for word in words if word.endswith(".yaml")], folder / "runs").faults
            == {}
        )
        return None
    done = CliRunner().invoke(runoff, words)
    if kept := re.search(r" > (\S+)$", line):
        Path(kept[1].replace("~", str(folder))).write_text(done.stdout)
    return done


OWN_FOLDER = [block for block in BLOCKS if block.page in {"docs/your-campaign.md", "docs/schedules.md"}]


@pytest.mark.parametrize("block", OWN_FOLDER, ids=lambda block: f"{block.page}:{block.number}")
def test_the_quick_commands_of_a_page_work_in_a_folder_of_ones_own(
    block: Block, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As written, without a clone: in an empty folder, or one with the campaign that the page made before."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".config/fish/completions").mkdir(parents=True)
    if block.page.endswith("schedules.md") and "runoff init" not in "".join(block.lines):
        (tmp_path / "nightly.yaml").write_text((CAMPAIGNS / "nightly.yaml").read_text())
    elif not any("runoff init" in line for line in block.lines):
        assert CliRunner().invoke(runoff, ["init"]).exit_code == 0
    for name, text in READERS_OWN.items():
        if any(name in line for line in block.lines):
            (tmp_path / name).write_text(text)
    for line in block.lines:
        done = typed(line, tmp_path)
        assert done is None or done.exit_code == 0, f"{line}\n{done.output}\n{done.exception}"


TOUR = (ROOT / "docs" / "index.md").read_text("utf-8")
PLANS = re.findall(
    r"^\$ (?:RUNOFF_TODAY=(\S+) )?runoff (plan [^\n]*)\n(.*?)^```", TOUR, re.MULTILINE | re.DOTALL
)


@pytest.mark.parametrize(
    ("day", "words", "shown"), PLANS, ids=[day or "the tour's day" for day, _, _ in PLANS]
)
def test_the_tour_shows_what_plan_prints(
    day: str, words: str, shown: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Line by line, on the day that the page names."""
    monkeypatch.chdir(ROOT)
    named = re.search(r"with (\d{4}-\d\d-\d\d) as the date", TOUR)
    assert named is not None
    environ = {"RUNOFF_TODAY": day or named[1], "RUNOFF_HOME": str(tmp_path)}
    done = CliRunner().invoke(runoff, shlex.split(words), env=environ)
    assert [line.rstrip() for line in done.stdout.splitlines()] == shown.splitlines()


def test_the_first_page_shows_what_init_prints(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its price follows from the day's cheapest model, and the page names one that stays."""
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(runoff, ["init"], env={"RUNOFF_TODAY": "2026-12-01"})
    assert done.stdout.strip() in (ROOT / "docs" / "your-campaign.md").read_text("utf-8")
