"""What is answered in Prefect's pages, written into a real ledger: once, and only when it can be followed."""

import os
from pathlib import Path
from typing import Any

import pytest

from flows.approval.approval import UnusableAnswer, record_decision
from flows.approval.form import Answer
from tasks.settings import Settings
from tests.support.builders import NOON, RUN_ID
from tests.support.ledgers import open_ledger
from tests.support.review_home import fill_run

YES: dict[str, Any] = {
    "approve": "yes", "decided_by": "Ann", "finalists": ("p04", "p00"), "most_usd": "1.00",
}  # fmt: skip


def settings_of(home: Path) -> Settings:
    """The home, in the environment of the test."""
    return Settings(home, os.environ)


@pytest.fixture
def ids(home: Path) -> dict[str, str]:
    """A run that awaits review, and its drafts' ids by name."""
    with open_ledger(home) as ledger:
        return {Path(draft.file).stem: draft.candidate_id for draft in fill_run(home, ledger)}


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"finalists": ("p00", "p99")}, "not a selectable draft of this run: p99"),
        ({"finalists": ()}, "at least one finalist"),
        ({"finalists": ("p00", "p00")}, "each named once"),
        ({"most_usd": "0.001"}, "was agreed to"),
    ],
)
def test_an_answer_that_cannot_be_followed_confirms_nothing(
    home: Path, ids: dict[str, str], changes: dict[str, Any], told: str
) -> None:
    """It is said why."""
    assert ids
    with pytest.raises(UnusableAnswer, match=told):
        record_decision(settings_of(home), RUN_ID, Answer(**YES | changes), 0)
    with open_ledger(home) as ledger:
        last = ledger.shortlists.last(RUN_ID)
    assert last is None or last.confirmed_at is None


def test_an_answer_to_an_older_list_is_asked_again(home: Path, ids: dict[str, str]) -> None:
    """Bob reordered the list on the page after the form was shown; his list stays."""
    with open_ledger(home) as ledger:
        ledger.shortlists.choose(RUN_ID, [ids["p01"]], after=0, by="Bob", now=NOON)
        with pytest.raises(UnusableAnswer, match="changed since revision 0"):
            record_decision(settings_of(home), RUN_ID, Answer(**YES), 0)
        last = ledger.shortlists.last(RUN_ID)
    assert last is not None
    assert (last.candidate_ids, last.confirmed_at) == ((ids["p01"],), None)


def test_a_flow_run_killed_after_writing_finds_its_own_decision(home: Path, ids: dict[str, str]) -> None:
    """Started again it goes on to buy what is open; the decision stands once, in the order given."""
    for _ in range(2):
        assert record_decision(settings_of(home), RUN_ID, Answer(**YES), 0) == ""
    with open_ledger(home) as ledger:
        last = ledger.shortlists.last(RUN_ID)
        drafts = ledger.candidates.of_run(RUN_ID, "draft")
    assert last is not None
    assert (last.revision, last.candidate_ids) == (1, (ids["p04"], ids["p00"]))
    chosen = {draft.candidate_id for draft in drafts if draft.choice and draft.choice.is_finalist}
    assert chosen == set(last.candidate_ids)
    assert "Ann, in Prefect" in record_decision(
        Settings(home, os.environ), RUN_ID, Answer(**YES | {"decided_by": "Eve"}), 1
    )


def test_a_run_that_was_promoted_meanwhile_is_left_alone(home: Path, ids: dict[str, str]) -> None:
    """`runoff promote` writes no list; the run's state tells that somebody decided."""
    assert ids
    with open_ledger(home) as ledger:
        ledger.runs.end(RUN_ID, "done", NOON)
        assert "already decided; the run is done" in record_decision(
            Settings(home, os.environ), RUN_ID, Answer(**YES), 0
        )
        assert ledger.shortlists.last(RUN_ID) is None
