"""The command that opens the review page, as people type it."""

import re
import signal
import subprocess
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.builders import RUN_ID
from tests.support.child_process import end_by, read_line, started
from tests.support.ledgers import open_ledger
from tests.support.review_home import fill_run
from tests.support.shell import COMMAND, Shell

# A job in the background begins with Ctrl-C ignored; whoever has read the address can end it all the same.
IN_THE_BACKGROUND = ("sh", "-c", 'trap "" INT; exec "$@"', "sh")


@contextmanager
def opened(home: Path, *words: str, **environ: str) -> Iterator[str]:
    """Open the page; gives its address. Ctrl-C ends it, without a word of trouble."""
    command = [
        *IN_THE_BACKGROUND,
        COMMAND,
        "review",
        *words,
        "--port",
        "0",
        "--home",
        str(home),
        "--no-browser",
    ]
    with started(
        command, env={"PATH": "/usr/bin:/bin", "PYTHONUNBUFFERED": "1", **environ}, cwd=home,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    ) as process:  # fmt: skip
        line = read_line(process)
        assert line.startswith("Review: http")
        yield line.split()[1]
        _, complaints = end_by(process, signal.SIGINT)
        assert "Traceback" not in complaints


@pytest.fixture
def filled(tmp_path: Path) -> Path:
    """A home with a run."""
    with open_ledger(tmp_path) as ledger:
        fill_run(tmp_path, ledger)
    return tmp_path


def status_of(address: str) -> int:
    """Open an address; gives its status."""
    try:
        with urllib.request.urlopen(address, timeout=20) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code


@pytest.mark.slow  # every day: the test below
def test_a_run_is_opened_on_this_machine_only(filled: Path) -> None:
    """RUN may be a beginning of its id; the address needs no token."""
    with opened(filled, RUN_ID[:10]) as address:
        assert re.fullmatch(rf"http://127\.0\.0\.1:\d+/runs/{RUN_ID}", address)
        assert status_of(address) == 200


@pytest.mark.slow  # every day: test_review_safety.py, in this process
def test_elsewhere_the_page_needs_the_token_it_prints(filled: Path) -> None:
    """A new token each time, or the one that the environment sets."""
    with opened(filled, "--host", "0.0.0.0") as address:
        found = re.fullmatch(r"http://[^/]+:(\d+)/\?token=([\w-]{32})", address)
        assert found is not None
        here = f"http://127.0.0.1:{found[1]}/"
        assert (status_of(here), status_of(f"{here}?token={found[2]}")) == (401, 200)
    with opened(filled, "--host", "0.0.0.0", RUNOFF_REVIEW_TOKEN="kept") as address:
        assert address.endswith("/?token=kept")


def test_without_a_run_it_says_how_to_begin(tmp_path: Path) -> None:
    """Nothing is made by looking, and there is no traceback."""
    done = Shell(tmp_path, {}).runoff("review", "--home", tmp_path / "none")
    assert done.returncode == 1
    assert "runoff demo" in done.stderr
    assert not (tmp_path / "none").exists()


def test_a_service_begins_before_the_first_run(tmp_path: Path) -> None:
    """As does an invitation; pictures of runs without their ledger stay an error."""
    new, lost = tmp_path / "new", tmp_path / "lost"
    new.mkdir()
    with opened(new) as address, urllib.request.urlopen(address, timeout=20) as answer:
        assert "No runs yet" in answer.read().decode()
    invited = Shell(tmp_path / "other", {}).runoff("review", "--home", tmp_path / "other", "--invite", "Ann")
    assert invited.returncode == 0
    (lost / "otters" / RUN_ID / "drafts").mkdir(parents=True)
    (lost / "otters" / RUN_ID / "drafts" / "A-1-1.png").write_bytes(b"paid")
    done = Shell(lost, {}).runoff("review", "--home", lost, "--no-browser")
    assert done.returncode == 1
    assert "rebuild" in done.stderr
