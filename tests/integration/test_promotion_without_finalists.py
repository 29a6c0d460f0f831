"""What a promotion says of a run that has no finalists: why, and what to do next."""

import os
from contextlib import nullcontext
from pathlib import Path

import pytest

from flows.promotion.plan import promotion_plan
from flows.runs.lock import locked_run
from tasks.candidate import Choice
from tasks.ledger.runs import RunState
from tasks.settings import Settings
from tasks.storage.home import run_folder
from tests.support.builders import NOON, RUN_ID
from tests.support.ledgers import open_ledger
from tests.support.review_home import fill_run

CONTINUE = f"so no finalist is chosen yet. Continue it: runoff run --resume {RUN_ID}"


@pytest.mark.parametrize(
    ("state", "is_worked_on", "expected"),
    [
        ("running", True, "Its drafts are still being bought; finalists are chosen when all have come."),
        ("running", False, f"The run stopped before all its drafts were bought, {CONTINUE}"),
        ("stopped", False, f"The run stopped before all its drafts were bought, {CONTINUE}"),
        ("waiting", False, f"Its drafts are still being made by the provider as a batch, {CONTINUE}"),
        ("done", False, "No draft was chosen as a finalist; there is nothing to buy."),
        ("cancelled", False, "The run was cancelled before it had finalists; there is nothing to buy."),
    ],
)
def test_the_reason_is_said(tmp_path: Path, state: RunState, *, is_worked_on: bool, expected: str) -> None:
    """Not that all finalists have finals: there are none."""
    home = tmp_path / "home"
    home.mkdir()
    with open_ledger(home) as ledger:
        drafts = fill_run(home, ledger)
        ledger.candidates.record_choices({one.candidate_id: Choice(None, False, "no") for one in drafts})
        if state == "cancelled":
            ledger.runs.cancel(RUN_ID, NOON)
        else:
            ledger.runs.end(RUN_ID, state, NOON)
        folder = run_folder(home, "otters", RUN_ID)
        with locked_run(ledger, folder) if is_worked_on else nullcontext():
            plan = promotion_plan(Settings(home, os.environ), RUN_ID)
    assert plan.sentence.startswith(expected)
    assert not plan.has_work


def test_what_a_person_listed_is_priced_though_the_drafts_are_not_marked_yet(tmp_path: Path) -> None:
    """A process that is killed after it wrote the list must not let the rule's finalists be bought."""
    home = tmp_path / "home"
    home.mkdir()
    with open_ledger(home) as ledger:
        by_rule, listed = (one.candidate_id for one in fill_run(home, ledger)[:2])
        ledger.candidates.record_choices({by_rule: Choice(1, True, "best"), listed: Choice(2, False, "no")})
        ledger.runs.end(RUN_ID, "awaiting review", NOON)
        ledger.shortlists.choose(RUN_ID, [listed], after=0, by="mara", now=NOON)
        plan = promotion_plan(Settings(home, os.environ), RUN_ID)
    assert list(plan.of_finalist_usd) == [listed]
