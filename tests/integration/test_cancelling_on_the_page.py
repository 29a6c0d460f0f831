"""A run is given up on the review page: for good, with its report, and nobody buys its finals there."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.builders import RUN_ID
from tests.support.review_home import Open, review_page
from tests.support.review_requests import ask, say, survivors


@pytest.fixture
def page(tmp_path: Path) -> Iterator[Open]:
    """A page with a run that awaits review."""
    with review_page(tmp_path) as opened:
        yield opened


def test_a_run_is_given_up_and_its_finals_are_not_bought(page: Open) -> None:
    """The button is there until then; the report is written, and a purchase is refused with what to do."""
    assert b'id="cancel-run"' in ask(page, f"/runs/{RUN_ID}")[1]
    assert say(page, "/shortlist", candidate_ids=survivors(page)[:2], after=0)[0] == 200
    status, told = say(page, "/cancel")
    assert (status, page.ledger.runs.find(RUN_ID).state) == (200, "cancelled")
    assert f"runoff run --resume {RUN_ID}" in told["message"]
    assert (page.folder / "report.html").exists()
    assert b'id="cancel-run"' not in ask(page, f"/runs/{RUN_ID}")[1]

    status, told = say(page, "/confirm", revision=1, most_usd="0.20")
    assert status == 409
    assert "only a person can take it up again" in told["message"]
    assert page.shop.started == []
    last = page.ledger.shortlists.last(RUN_ID)
    assert last is not None
    assert last.confirmed_at is None


def test_a_name_is_needed_to_give_a_run_up(page: Open) -> None:
    """As for every decision; nothing is changed."""
    assert say(page, "/cancel", by="")[0] == 422
    assert page.ledger.runs.find(RUN_ID).state == "awaiting review"
