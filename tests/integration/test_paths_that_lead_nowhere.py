"""Paths that lead nowhere at the command: a circle of links, a link to nothing, a user who does not exist."""

from pathlib import Path

import pytest

from tests.support.shell import Shell


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    """A shell in an empty folder."""
    return Shell(tmp_path / "runs", {})


def link(file: Path, target: str) -> Path:
    """Lay a link beside the home."""
    file.symlink_to(target)
    return file


@pytest.mark.parametrize("command", ["plan", "run"])
def test_a_campaign_that_is_a_circle_of_links_is_named(shell: Shell, tmp_path: Path, command: str) -> None:
    """As a file that cannot be read, not as a fault in Runoff."""
    done = shell.runoff(command, link(tmp_path / "loop.yaml", "loop.yaml"))
    assert (done.returncode, "Traceback" in done.stderr) == (2, False)
    assert "cannot be read (Too many levels of symbolic links)" in done.stderr


def test_a_campaign_that_is_a_link_to_nothing_is_not_offered_itself(shell: Shell, tmp_path: Path) -> None:
    """The message says where the link leads."""
    done = shell.runoff("plan", link(tmp_path / "old.yaml", "gone.yaml"))
    assert done.returncode == 2
    assert "it is a link to gone.yaml, which is not there" in done.stderr


def test_a_home_that_is_a_circle_of_links_holds_nothing(shell: Shell, tmp_path: Path) -> None:
    """It can be looked for, as any that is not there, and it cannot be written."""
    home = link(tmp_path / "loop", "loop")
    assert "There are no runs in" in shell.runoff("runs", "--home", home).stdout
    done = shell.runoff("demo", "--home", home)
    assert (done.returncode, "cannot be written" in done.stderr) == (1, True)


@pytest.mark.parametrize("words", [["runs", "--home", "~nobody-here/x"], ["share", "--to", "~nobody-here/x"]])
def test_the_home_of_a_user_who_does_not_exist_stays_a_name(shell: Shell, words: list[str]) -> None:
    """As in a shell: it is a folder of that name."""
    done = shell.runoff(*words)
    assert "This is a fault in Runoff" not in done.stderr


@pytest.mark.parametrize("words", [["runs"], ["report", "latest"]])
def test_a_store_without_runs_is_named_by_its_address(shell: Shell, tmp_path: Path, words: list[str]) -> None:
    """Not by this machine's mirror of it, of which nobody knows."""
    address = "s3://otters/runoff"
    done = shell.runoff(*words, "--home", address, RUNOFF_MIRRORS=str(tmp_path / "mirrors"))
    assert address in done.stdout + done.stderr
    assert "mirrors" not in done.stdout + done.stderr
