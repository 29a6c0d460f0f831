"""A run is looked at and decided about though what its drafts were made from is no longer where it was."""

from pathlib import Path

import pytest

from tests.support.builders import RUN_ID
from tests.support.review_home import CAMPAIGN, filled_home
from tests.support.shell import Shell

GONE = "/of-another-project/kettle.png"


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    """Somebody whose project was moved: the run's reference and the mask of its finals are not there."""
    finals = {**CAMPAIGN["finals"], "references": [GONE], "mask": "/of-another-project/mask.png"}
    return Shell(filled_home(tmp_path, references=[GONE], finals=finals), {})


@pytest.mark.parametrize("command", ["report", "verdict", "rescore", "share", "explain"])
def test_what_buys_nothing_works(command: str, shell: Shell) -> None:
    """All it needs is in the home."""
    picture = ["p00"] if command == "explain" else []
    done = shell.runoff(command, RUN_ID, *picture, "--home", shell.home)
    assert done.returncode == 0, done.stderr


def test_what_may_buy_says_how_it_can_go_on(shell: Shell) -> None:
    """The file that names the place is the run's own."""
    done = shell.runoff("promote", RUN_ID, "--yes", "--home", shell.home)
    assert done.returncode == 2
    assert f"there is no file {GONE}" in done.stderr
    assert "Put back what is missing, or write where it is now into that file of the run" in done.stderr
