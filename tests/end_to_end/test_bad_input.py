"""What a user can get wrong: one message, the right exit code, nothing bought, no traceback."""

from contextlib import chdir
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from flows.command_line import runoff
from tasks.errors import SettingError
from tests.support.provider import OpenProvider
from tests.support.shell import CAMPAIGN, Shell


def changed(section: str, **changes: Any) -> dict[str, Any]:
    """Change keys of one section of the campaign."""
    return {section: CAMPAIGN[section] | changes}


FAULTS: list[tuple[str, dict[str, Any], int, str]] = [
    ("unknown key", {"draughts": 3}, 2, "draughts"),
    ("unknown model", changed("drafts", model="gpt-image-9"), 2, "gpt-image-9"),
    ("impossible size", changed("drafts", size="1000x1000"), 2, "1000x1000"),
    ("mask without references", {"mask": "mask.png"}, 2, "mask"),
    ("unknown scorer", {"score": {"weights": {"beauty": 1}}}, 2, "beauty"),
    ("unknown provider", {"provider": "nobody"}, 2, "nobody"),
    ("retired model", changed("drafts", model="gpt-image-1"), 2, "gpt-image-1"),
    ("too little money", {"budget": {"per_run_usd": "0.0001"}}, 3, "per_run_usd"),
]


@pytest.mark.parametrize(("changes", "code", "word"), [f[1:] for f in FAULTS], ids=[f[0] for f in FAULTS])
def test_a_wrong_campaign_is_told_before_anything_is_bought(
    shell: Shell, open_provider: OpenProvider, changes: dict[str, Any], code: int, word: str
) -> None:
    """One message that names the place, no request at all, no run in the ledger."""
    provider = open_provider()
    done = shell.runoff("run", shell.campaign(changes))
    assert done.returncode == code, done.stderr
    assert word in done.stderr
    assert "Nothing was bought" in done.stderr
    assert "Traceback" not in done.stderr
    assert provider.n_requests == 0
    assert not (shell.home / "otters").exists()


def test_every_fault_of_a_file_is_told_at_once(shell: Shell) -> None:
    """Three faults, three lines, each with its key."""
    file = shell.campaign({"draughts": 3, "score": {"weights": {"beauty": 1}}, "provider": "nobody"})
    said = shell.runoff("plan", file).stderr
    assert "3 errors" in said
    for key in ("draughts", "score.weights.beauty", "provider"):
        assert f"{file}: {key}" in said or f"{file}:" in said
        assert key in said


def test_a_missing_file_and_broken_yaml_are_told(shell: Shell, tmp_path: Path) -> None:
    """Neither is a traceback."""
    broken = tmp_path / "broken.yaml"
    broken.write_text("name: [otters\n  - :")
    for file in (tmp_path / "nowhere.yaml", broken):
        done = shell.runoff("run", file)
        assert done.returncode == 2
        assert str(file) in done.stderr
        assert "Traceback" not in done.stderr


def test_a_missing_key_is_told_with_where_it_was_looked_for(
    shell: Shell, open_provider: OpenProvider
) -> None:
    """The variable is named, and nothing was started."""
    open_provider()
    shell.environ.pop("OPENAI_API_KEY")
    done = shell.runoff("run", shell.campaign())
    assert done.returncode == 1
    assert "OPENAI_API_KEY" in done.stderr
    assert "Nothing was bought" in done.stderr


def test_a_home_that_cannot_be_written_is_told(shell: Shell, open_provider: OpenProvider) -> None:
    """A file where the folder should be: one sentence and the way out."""
    open_provider()
    shell.home.write_text("a file")
    done = shell.runoff("run", shell.campaign())
    assert done.returncode == 1
    assert "cannot be written" in done.stderr
    assert "--home" in done.stderr


def test_a_home_without_a_name_is_refused() -> None:
    """It would be the working folder, and a script's variable that is not set gives it."""
    done = CliRunner().invoke(runoff, ["runs", "--home", ""])
    assert done.exit_code == 2
    assert "'--home': it is empty" in done.output


def test_a_folder_that_is_gone_is_told(tmp_path: Path) -> None:
    """A shell stays in a folder that somebody else has deleted; every path would be looked for in it."""
    gone = tmp_path / "gone"
    gone.mkdir()
    with chdir(gone):
        gone.rmdir()
        done = CliRunner().invoke(runoff, ["plan", "otters.yaml"])
    assert isinstance(done.exception, SettingError)
    assert "the folder that this command was started in: is gone. Nothing was bought" in str(done.exception)


def test_an_unknown_run_is_told(shell: Shell) -> None:
    """With the way to find out which there are."""
    done = shell.runoff("promote", "2031")
    assert done.returncode == 1
    assert "no run has been made here" in done.stderr
    assert not shell.home.exists()


def test_wrong_words_end_with_2(shell: Shell) -> None:
    """As any command does."""
    assert shell.runoff("run").returncode == 2
    assert shell.runoff("dance").returncode == 2
