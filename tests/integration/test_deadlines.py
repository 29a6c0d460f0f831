"""Reviews that end: said before they do, and then declined, or bought as they stand."""

import os
from datetime import datetime, timedelta
from pathlib import Path

import pytest
import yaml

from flows.overdue import decide_overdue, is_left_to_buy
from flows.promotion.finalists import open_finalists
from flows.runs.outcome import list_runs
from flows.runs.run import StoredRun
from tasks.ledger import Ledger
from tasks.settings import Settings
from tests.support.builders import NOON, RUN_ID
from tests.support.ledgers import open_ledger
from tests.support.review_home import CAMPAIGN, fill_run, page_on
from tests.support.review_requests import ask

HOUR = timedelta(hours=1)


def await_review(home: Path, ledger: Ledger, then: str | None = "decline") -> StoredRun:
    """A run whose review ends after two hours."""
    drafts = fill_run(home, ledger)
    rules = CAMPAIGN["finalists"] | ({"decide_within": "2h", "then": then} if then else {})
    run = StoredRun.find(Settings(home, dict(os.environ)), ledger, RUN_ID)
    (run.folder / "campaign.yaml").write_text(yaml.safe_dump(CAMPAIGN | {"finalists": rules}))
    ledger.runs.end(RUN_ID, "awaiting review", NOON)
    assert drafts
    return run


def decided(run: StoredRun, now: datetime) -> list[str]:
    """Look at the campaign's reviews at a time."""
    return [found.sentence for found in decide_overdue(run.settings, ["otters"], now)]


def test_what_nobody_decided_in_time_is_declined(home: Path) -> None:
    """Not before its time, and not of another campaign; then it says why."""
    with open_ledger(home) as ledger:
        run = await_review(home, ledger)
        assert decided(run, NOON + HOUR) == []
        assert decide_overdue(run.settings, ["whales"], NOON + 3 * HOUR) == []
        assert decided(run, NOON + 2 * HOUR) == [
            f"otters: nobody decided within 2h about {RUN_ID}; none of its pictures is bought again."
        ]
        assert ledger.runs.find(RUN_ID).state == "done"
        assert "Declined by the campaign: nobody decided within 2h" in ledger.runs.find(RUN_ID).warnings
        assert decided(run, NOON + 3 * HOUR) == []


def test_what_nobody_decided_in_time_is_bought_as_it_stands(home: Path) -> None:
    """The rule's choice is confirmed once, by the campaign; until it is bought, it is left to buy."""
    with open_ledger(home) as ledger:
        run = await_review(home, ledger, "auto")
        assert not is_left_to_buy(run.settings, RUN_ID)
        for _ in range(2):
            (found,) = decide_overdue(run.settings, ["otters"], NOON + 3 * HOUR)
            assert found.is_to_buy
            assert "its finalists are bought" in found.sentence
            assert is_left_to_buy(run.settings, RUN_ID)
        last = ledger.shortlists.last(RUN_ID)
        assert last is not None
        assert (last.revision, last.confirmed_by, len(last.candidate_ids)) == (1, "the campaign", 2)
        assert len(open_finalists(run)) == 2


@pytest.mark.parametrize("then", ["decline", "auto"])
def test_whoever_confirmed_in_time_decided(home: Path, then: str) -> None:
    """Mara's purchase has not begun when the time is up: nothing is changed."""
    with open_ledger(home) as ledger:
        run = await_review(home, ledger, then)
        chosen = [run.read_candidates("draft")[1].candidate_id]
        ledger.shortlists.choose(RUN_ID, chosen, after=0, by="mara", now=NOON)
        ledger.shortlists.confirm(RUN_ID, 1, by="mara", now=NOON)
        assert decided(run, NOON + 3 * HOUR) == []
        last = ledger.shortlists.last(RUN_ID)
        assert last is not None
        assert (list(last.candidate_ids), ledger.runs.find(RUN_ID).state) == (chosen, "awaiting review")


def test_a_review_without_an_end_or_a_file_does_not_end(home: Path) -> None:
    """A campaign file that somebody has broken leaves its run to people."""
    with open_ledger(home) as ledger:
        run = await_review(home, ledger, None)
        assert decided(run, NOON + timedelta(days=365)) == []
        (run.folder / "campaign.yaml").write_text("name: otters\n")
        assert decided(run, NOON + timedelta(days=365)) == []


def test_it_is_told_before_it_happens(home: Path) -> None:
    """In the list of runs, and where people choose."""
    told = "Decide by 2026-11-22 14:00 UTC; after that, these finalists are bought."
    with open_ledger(home) as ledger:
        run = await_review(home, ledger, "auto")
        assert [one.decide for one in list_runs(run.settings, ledger) if one.run_id] == [told]
        with page_on(home, ledger, run.read_candidates("draft")) as page:
            _, page_of = ask(page, f"/runs/{RUN_ID}/finalists")
            assert told in page_of.decode()
