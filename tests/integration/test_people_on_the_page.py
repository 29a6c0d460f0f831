"""What several people say on the review page: counted by person, and never held against itself."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from flows.review.ranking import MADE_OF_VOTES
from tasks.pairwise.votes import Vote, VoteOutcome
from tests.support.builders import NOON, RUN_ID
from tests.support.review_home import CAMPAIGN, Open, review_page
from tests.support.review_requests import ask, read, say

OUTCOMES: tuple[VoteOutcome, ...] = ("left", "both bad", "skip", "right", "tie", "both bad")


@pytest.fixture
def page(tmp_path: Path) -> Iterator[Open]:
    """A page with a run that awaits review."""
    with review_page(tmp_path, per_cell=5) as opened:
        yield opened


def judge(page: Open, voter: str, outcomes: tuple[VoteOutcome, ...]) -> dict[str, int]:
    """Judge as many duels; returns what the page says of the progress."""
    told = read(page, f"/duel.json?voter={voter}")
    for outcome in outcomes:
        status, told = say(page, "/votes", by=voter, duel_id=told["duel"]["id"], outcome=outcome)
        assert status == 200, told
    return {key: told[key] for key in ("n_done", "n_skipped")}


def test_both_bad_and_skip_are_stored_as_what_they_are(page: Open) -> None:
    """A skip is no progress and no vote; both bad is one, and prefers nothing."""
    assert judge(page, "mara", OUTCOMES) == {"n_done": 5, "n_skipped": 1}
    assert [vote.outcome for vote in page.ledger.votes.of_run(RUN_ID)] == list(OUTCOMES)
    _, content = ask(page, f"/runs/{RUN_ID}/ranking")
    assert b"5 votes by mara (5)" in content
    assert b"both bad in " in content
    assert b'<tr><th scope="row">mara</th><td>5</td><td>1</td>' in content


def test_only_ones_own_vote_is_undone(page: Open) -> None:
    """Somebody else's stays, whoever knows its duel."""
    told = read(page, "/duel.json?voter=mara")
    duel = told["duel"]["id"]
    say(page, "/votes", by="mara", duel_id=duel, outcome="both bad")
    say(page, "/votes/undo", by="jo", duel_id=duel)
    assert len(page.ledger.votes.of_run(RUN_ID)) == 1
    say(page, "/votes/undo", by="mara", duel_id=duel)
    assert page.ledger.votes.of_run(RUN_ID) == []


def test_a_score_made_of_votes_is_not_held_against_them(page: Open) -> None:
    """With votes as the only weight nothing is said, and why; else the votes are left out of the score."""
    better, worse = page.drafts[5], page.drafts[0]
    page.ledger.votes.add(
        Vote("v-1", RUN_ID, 0, better.candidate_id, worse.candidate_id, "left", "mara", NOON)
    )
    _, content = ask(page, f"/runs/{RUN_ID}/ranking")
    assert b"votes left out, won <b>0%</b> of 1 pair" in content
    weighted = CAMPAIGN | {"score": {"weights": {"votes": 1}}}
    (page.folder / "campaign.yaml").write_text(yaml.safe_dump(weighted))
    _, content = ask(page, f"/runs/{RUN_ID}/ranking")
    assert MADE_OF_VOTES.encode() in content
    assert b"no score without votes" in content
    assert b"100%" not in content
