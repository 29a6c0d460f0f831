"""A link for looking: nobody changes anything by it, or votes at most, and it ends in time."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from flows.commands.review import review
from tests.support.builders import RUN_ID
from tests.support.ledgers import open_ledger
from tests.support.review_home import fill_run, page_on
from tests.support.review_requests import ask, read, say, survivors


@pytest.fixture
def pages(tmp_path: Path) -> Iterator[Any]:
    """Serve pages of a filled home by rules of access."""
    with open_ledger(tmp_path) as ledger:
        drafts = fill_run(tmp_path, ledger)
        yield lambda **rules: page_on(tmp_path, ledger, drafts, **rules)


def test_who_may_only_look_changes_nothing(pages: Any) -> None:
    """Not even on this machine; pictures and pages are there, and every change is refused by its right."""
    with pages(most="look") as page:
        draft = page.drafts[0].candidate_id
        for path in (
            f"/runs/{RUN_ID}",
            f"/runs/{RUN_ID}/more/{draft}",
            "/campaigns/otters",
            f"/pictures/{draft}",
        ):
            assert ask(page, path)[0].status == 200
        duel = read(page, "/duel.json?voter=mara")["duel"]["id"]
        changes: dict[str, dict[str, Any]] = {
            "/votes": {"duel_id": duel, "outcome": "left"},
            "/shortlist": {"candidate_ids": survivors(page)[:1], "after": 0},
            "/confirm": {"revision": 0, "most_usd": "9"},
            "/cancel": {},
            f"/more/{draft}": {"base": "like", "n": 1, "key": "0123456789", "most_usd": "9"},
        }
        for path, body in changes.items():
            status, told = say(page, path, **body)
            assert (status, "may look here" in told["message"]) == (403, True), path
        assert page.ledger.votes.of_run(RUN_ID) == []
        assert page.shop.started == page.further.begun == []


def test_votes_may_be_allowed_alone(pages: Any) -> None:
    """Voting goes on; choosing and buying do not."""
    with pages(most="vote") as page:
        duel = read(page, "/duel.json?voter=mara")["duel"]["id"]
        assert say(page, "/votes", duel_id=duel, outcome="left")[0] == 200
        assert say(page, "/shortlist", candidate_ids=[], after=0)[0] == 403
        assert len(page.ledger.votes.of_run(RUN_ID)) == 1


@pytest.mark.parametrize(("hours", "status"), [(1, 200), (-1, 410)])
def test_a_link_ends_in_time(pages: Any, hours: int, status: int) -> None:
    """Afterwards there is neither a page nor a picture, and what to do is said."""
    with pages(most="look", until=datetime.now(UTC) + timedelta(hours=hours)) as page:
        answers = [ask(page, path) for path in ("/", f"/pictures/{page.drafts[0].candidate_id}")]
        assert {answer.status for answer, _ in answers} == {status}
        if status == 410:
            assert b"Ask whoever sent it for another one" in answers[0][1]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--expires", "48h"], "go with --read-only"),
        (["--votes"], "go with --read-only"),
        (["--read-only", "--expires", "soon"], "accepted: minutes, hours or days"),
    ],
)
def test_words_that_say_nothing_alone_are_refused(words: list[str], said: str) -> None:
    """With what is accepted."""
    done = CliRunner().invoke(review, words)
    assert done.exit_code == 2
    assert said in done.output
