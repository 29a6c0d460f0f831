"""The command that says which arm is better, and by whom it is asked."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from flows.command_line import runoff
from tasks.errors import RunError
from tasks.pairwise.votes import Vote
from tests.support.builders import NOON, RUN_ID
from tests.support.ledgers import open_ledger
from tests.support.review_home import fill_run


def ask(home: Path, *words: str) -> str:
    """Give the command; returns what it prints."""
    done = CliRunner().invoke(
        runoff, ["verdict", RUN_ID, "--home", str(home), *words], catch_exceptions=False
    )
    assert done.exit_code == 0
    return done.stdout


def verdicts(home: Path, *words: str) -> dict[str, Any]:
    """Give the command with --json; returns the verdicts."""
    found: dict[str, Any] = json.loads(ask(home, *words, "--json"))["verdicts"]
    return found


def test_each_verdict_says_by_what_it_was_reached(tmp_path: Path) -> None:
    """People first, then the scores; each can be asked for alone, and a wrong name is refused."""
    home = tmp_path
    with open_ledger(home) as ledger:
        drafts = fill_run(home, ledger)
        assert list(verdicts(home)) == ["total", "technical"]
        with pytest.raises(RunError, match="nobody has compared its arms yet"):
            ask(home, "--by", "votes")
        for row in range(2):
            a, b = (next(one for one in drafts if (one.arm, one.row) == (arm, row)) for arm in "AB")
            for voter in ("mara", "ben"):
                name, ids = f"{row}{voter}", (b.candidate_id, a.candidate_id)
                ledger.votes.add(Vote(name, RUN_ID, row, *ids, "left", voter, NOON))
    people = verdicts(home, "--by", "votes")["votes"]
    assert people["pairs"][0]["wins"] == [0, 4]
    lines = ask(home).splitlines()
    assert len(lines) == 2  # the total is of technical quality alone
    assert lines[0].startswith(
        "By people's votes, not enough evidence that arm A or B is preferred: B won 100%"
    )
    assert lines[1].startswith("On technical quality alone, not enough evidence that arms A and B differ: ")
    with pytest.raises(RunError, match="no verdict by beauty") as refused:
        ask(home, "--by", "beauty")
    assert refused.value.accepted == "--by votes or total or technical"
