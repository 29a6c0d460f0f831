"""Choosing none: the run is done, says why, holds no schedule up, and can still be decided otherwise."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from flows.decline import decline
from tasks.errors import RunError
from tasks.settings import Settings
from tests.support.builders import RUN_ID, an_order
from tests.support.review_home import Open, review_page
from tests.support.review_requests import buy_tries, read, say

NOW = datetime(2026, 11, 28, 8, tzinfo=UTC)


@pytest.fixture
def page(tmp_path: Path) -> Iterator[Open]:
    """A page with a run that awaits review."""
    with review_page(tmp_path) as opened:
        yield opened


def check_declined(page: Open, by: str, reason: str) -> None:
    """The run is done without finalists, and its report says who declined it and why."""
    assert page.ledger.runs.find(RUN_ID).state == "done"
    assert not any(draft.is_finalist for draft in page.ledger.candidates.of_run(RUN_ID, "draft"))
    shortlist = page.ledger.shortlists.last(RUN_ID)
    assert shortlist is not None
    assert (shortlist.candidate_ids, shortlist.confirmed_by) == ((), by)
    summary = json.loads((page.folder / "summary.json").read_text())
    assert f"Declined by {by}: {reason}" in summary["warnings"]
    assert (summary["awaiting"], summary["finalists"]) == ("done", [])


def test_a_command_declines_a_run_once(page: Open) -> None:
    """The second time it is done already, and nothing is changed."""
    found = decline(Settings(page.home, {}), page.ledger, "latest", "mara", "the product\nis wrong")
    assert found.run_id == RUN_ID
    assert Path(found.report).exists()
    check_declined(page, "mara", "the product is wrong")
    with pytest.raises(RunError, match="cannot be declined: it is done already"):
        decline(Settings(page.home, {}), page.ledger, RUN_ID, "jo")


def test_the_page_declines_a_run(page: Open) -> None:
    """With the name that the page knows, and a reason."""
    status, told = say(page, "/decline", by="jo", reason="all too dark")
    assert (status, told["message"]) == (200, f"{RUN_ID} is done: none of its pictures is bought again.")
    check_declined(page, "jo", "all too dark")
    status, told = say(page, "/decline", by="jo")
    assert (status, "is done already" in told["message"]) == (409, True)


def test_what_was_declined_can_be_chosen_after_all(page: Open) -> None:
    """The list gets a new revision, and is priced as any."""
    decline(Settings(page.home, {}), page.ledger, RUN_ID, "mara")
    draft = page.drafts[0].candidate_id
    status, told = say(page, "/shortlist", candidate_ids=[draft], after=1)
    assert (status, [one["id"] for one in told["finalists"]], told["confirmed"]) == (200, [draft], None)
    assert read(page, "/shortlist.json")["revision"] == 2


def test_declining_again_completes_what_a_kill_cut_off(page: Open) -> None:
    """The empty list was written and confirmed, and nothing after it."""
    page.ledger.shortlists.choose(RUN_ID, (), after=0, by="mara", now=NOW)
    page.ledger.shortlists.confirm(RUN_ID, 1, by="mara", now=NOW)
    decline(Settings(page.home, {}), page.ledger, RUN_ID, "mara", "too dark")
    check_declined(page, "mara", "too dark")
    shortlist = page.ledger.shortlists.last(RUN_ID)
    assert shortlist is not None
    assert shortlist.revision == 1


def test_the_rest_of_the_finals_can_be_declined(page: Open) -> None:
    """A run that stopped among its finals is done with those that it has, which keep their drafts."""
    first, second, *_ = [draft for draft in page.drafts if draft.is_finalist]
    buy_tries(page, second.candidate_id, (0.9,))
    page.ledger.runs.end(RUN_ID, "stopped", NOW)
    decline(Settings(page.home, {}), page.ledger, RUN_ID, "mara", "its logo is lost")
    assert page.ledger.runs.find(RUN_ID).state == "done"
    kept = [one.candidate_id for one in page.ledger.candidates.of_run(RUN_ID, "draft") if one.is_finalist]
    assert kept == [second.candidate_id]
    assert first.candidate_id not in kept


def test_a_run_that_stopped_among_its_drafts_is_not_declined(page: Open) -> None:
    """It has drafts left to buy; to give it up is another command."""
    page.ledger.orders.plan([an_order(replicate=99)])
    page.ledger.runs.end(RUN_ID, "stopped", NOW)
    with pytest.raises(RunError, match="does not await a choice"):
        decline(Settings(page.home, {}), page.ledger, RUN_ID, "mara")


@pytest.mark.parametrize("state", ["running", "waiting", "cancelled"])
def test_a_run_that_awaits_nobody_cannot_be_declined(page: Open, state: str) -> None:
    """It is told how to stop instead."""
    page.ledger.runs.end(RUN_ID, state, NOW)  # type: ignore[arg-type]
    with pytest.raises(RunError, match="cannot be declined"):
        decline(Settings(page.home, {}), page.ledger, RUN_ID, "mara")
    assert page.ledger.shortlists.last(RUN_ID) is None
