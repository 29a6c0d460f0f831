"""What a shell completes, and help whose sentences are whole."""

import os
import re
import subprocess
from collections.abc import Iterator
from contextlib import chdir
from pathlib import Path

import pytest
from click.shell_completion import ShellComplete
from click.testing import CliRunner

from flows.command_line import runoff
from flows.commands.completion import SHELLS, VARIABLE
from tests.support.shell import COMMAND

RUNS = ("20261120-080000-aaaa", "20261121-080000-bbbb")


@pytest.fixture(autouse=True)
def _home(tmp_path: Path) -> Iterator[None]:
    """A folder with a campaign, and a home below it with two runs."""
    for run in RUNS:
        (tmp_path / "runs" / "otter" / run / "drafts").mkdir(parents=True)
    (tmp_path / "runs" / "otter" / RUNS[1] / "drafts" / "A-000-001.png").touch()
    text = "name: x\nprovider: emulator\nbudget: {}\narms:\n  plain: {prompt: a}\n  wood: {prompt: b}\n"
    (tmp_path / "otter.yaml").write_text(text)
    with chdir(tmp_path):
        yield


def offered(*words: str) -> list[str]:
    """List what is offered for the last of the words."""
    completer = ShellComplete(runoff, {}, "runoff", VARIABLE)
    return [item.value for item in completer.get_completions(list(words[:-1]), words[-1])]


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("pro",), ["promote"]),
        (("promote", ""), ["latest", RUNS[1], RUNS[0]]),
        (("promote", "20261120"), [RUNS[0]]),
        (("run", "--resume", "la"), ["latest"]),
        (("ledger", "reconcile", "--all-of", "20261121"), [RUNS[1]]),
        (("explain", "latest", ""), ["A-000-001"]),
        (("explain", "20261120", ""), []),
        (("models", "gpt-image-2.5"), ["gpt-image-2.5-flare", "gpt-image-2.5-sunburst"]),
        (("plan", "--provider", "e"), ["emulator"]),
        (("run", "otter.yaml", "--only-arm", ""), ["plain", "wood"]),
        (("run", "--only-arm", "w"), ["wood"]),
        (("init", "--template", "p"), ["portrait", "product"]),
        (("plan", "--only-"), ["--only-arm", "--only-rows"]),
        (("runs", "--home", "x"), ["x"]),  # the shell's own folders
    ],
)
def test_words_are_completed(words: tuple[str, ...], expected: list[str]) -> None:
    """Commands, runs, pictures, models, providers, arms and options."""
    assert offered(*words) == expected


def test_what_cannot_be_listed_offers_nothing() -> None:
    """A broken campaign is no reason for a traceback in somebody's shell."""
    Path("otter.yaml").write_text("provider: [\nbudget: 1\narms: {")
    assert offered("run", "--only-arm", "") == []


@pytest.mark.parametrize("shell", SHELLS)
def test_each_shell_gets_its_script(shell: str) -> None:
    """It asks the command itself."""
    done = CliRunner().invoke(runoff, ["completion", shell], prog_name="runoff")
    assert done.exit_code == 0
    assert f"{VARIABLE}={shell}_complete" in done.stdout


@pytest.mark.slow  # every day: the words, in the tests above
def test_bash_completes_a_run() -> None:
    """The script is taken up by a shell, which gets a run's id."""
    script = (
        f'PATH="{Path(COMMAND).parent}:$PATH"; eval "$(runoff completion bash)";'
        " COMP_WORDS=(runoff promote 20261120); COMP_CWORD=2; _runoff_completion runoff;"
        ' echo "${COMPREPLY[@]}"'
    )
    environ = {"PATH": os.environ["PATH"]}
    words = ["bash", "-c", script]
    done = subprocess.run(words, capture_output=True, text=True, check=True, timeout=60, env=environ)
    assert done.stdout.strip() == RUNS[0], done.stderr


@pytest.mark.parametrize("columns", [60, 80, 200])
def test_help_has_every_command_once_with_its_whole_sentence(columns: int) -> None:
    """In sections, never cut with dots."""
    text = CliRunner().invoke(runoff, ["--help"], terminal_width=columns).output
    assert "..." not in text.partition("Begin:")[2]
    titles = re.findall(r"^([A-Z][a-z]+):$", text, re.MULTILINE)
    assert titles == ["Options", "Begin", "Run", "Look", "Money", "Operate"]
    listed = re.findall(r"^  ([a-z]+)  ", text.partition("Begin:")[2], re.MULTILINE)
    assert sorted(listed) == sorted(runoff.commands)
