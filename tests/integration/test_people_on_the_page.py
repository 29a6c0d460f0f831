"""What several people say on the review page: counted by person, and never held against itself."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import yaml

from flows.review.ranking import MADE_OF_VOTES
from flows.run_report import write_run_report
from flows.runs.run import StoredRun
from tasks.pairwise.votes import Vote, VoteOutcome
from tasks.settings import Settings
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


def test_who_is_asked_to_vote_is_listed_with_what_is_left(page: Open) -> None:
    """From the start, beside whoever votes unasked."""
    asked = CAMPAIGN | {"review": {"people": ["mara", "kim"]}}
    (page.folder / "campaign.yaml").write_text(yaml.safe_dump(asked))
    judge(page, "jo", ("left",))
    _, content = ask(page, f"/runs/{RUN_ID}/ranking")
    lines = re.findall(rb'<th scope="row">(\w+)</th><td>(\d+)</td><td>(\d+)</td><td>(\w+)</td>', content)
    assert [(name, judged) for name, judged, _, _ in lines] == [
        (b"jo", b"1"),
        (b"kim", b"0"),
        (b"mara", b"0"),
    ]
    assert int(lines[1][3]) == int(lines[0][3]) + 1


def test_only_ones_own_vote_is_undone(page: Open) -> None:
    """Somebody else's stays, whoever knows its duel."""
    told = read(page, "/duel.json?voter=mara")
    duel = told["duel"]["id"]
    say(page, "/votes", by="mara", duel_id=duel, outcome="both bad")
    status, told = say(page, "/votes/undo", by="jo", duel_id=duel)
    assert (status, "jo has no vote" in told["message"]) == (409, True)
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


def test_labels_and_comments_are_told_to_everybody_and_reach_the_report(page: Open) -> None:
    """Two people label and comment; page, tables, summary and report have it, with authors."""
    labelled = CAMPAIGN | {"review": {"labels": ["hands", "text"]}}
    (page.folder / "campaign.yaml").write_text(yaml.safe_dump(labelled))
    one, other = page.drafts[0].candidate_id, page.drafts[1].candidate_id
    assert say(page, "/labels", candidate_id=one, label="hands", is_set=True)[0] == 200
    assert say(page, "/labels", by="jo", candidate_id=one, label="hands", is_set=True)[0] == 200
    status, told = say(page, "/comments", by="jo", candidate_id=one, text="Six <b>fingers</b>, \u2026")
    assert status == 200
    assert [(one["by"], one["text"]) for one in told["said"]["comments"]] == [
        ("jo", "Six <b>fingers</b>, \u2026")
    ]
    say(page, "/labels", candidate_id=other, label="text", is_set=True)
    _, told = say(page, "/labels", candidate_id=other, label="text", is_set=False)
    assert told["said"] is None
    shown = {draft["id"]: draft["said"] for draft in read(page, "/gallery.json")["drafts"]}
    assert shown[one] == {"labels": {"hands": ["mara", "jo"]}, "stars": {}, "n_comments": 1}
    assert shown[other] is None
    write_run_report(StoredRun.find(Settings(page.home, {}), page.ledger, RUN_ID))
    rows = pd.read_parquet(page.folder / "report.parquet").set_index("candidate_id")
    assert tuple(rows.loc[one, ["labels", "comments"]]) == ("hands", "jo: Six <b>fingers</b>, \u2026")
    assert rows.loc[other, ["labels", "stars", "comments"]].isna().all()
    remarks = pd.read_parquet(page.folder / "remarks.parquet")
    assert sorted(zip(remarks["kind"], remarks["said_by"], strict=True)) == [
        ("comment", "jo"), ("label", "jo"), ("label", "mara"),
    ]  # fmt: skip
    people = json.loads((page.folder / "summary.json").read_text())["people"]
    assert (people["labels"], people["comments"], people["agreement"]["alpha"]) == (
        {"hands": {"A": 1}},
        1,
        None,
    )
    report = (page.folder / "report.html").read_text()
    assert "Six &lt;b&gt;fingers&lt;/b&gt;" in report


def test_stars_are_given_where_a_campaign_has_no_labels(page: Open) -> None:
    """0 takes them back; what is no label, picture or comment is refused, and nothing is stored."""
    one = page.drafts[0].candidate_id
    assert read(page, "/gallery.json")["review"] == {"labels": [], "stars": 5}
    assert say(page, "/stars", candidate_id=one, stars=4)[1]["said"]["stars"] == {"mara": 4}
    assert say(page, "/stars", candidate_id=one, stars=0)[1]["said"] is None
    assert len(page.ledger.remarks.of_run(RUN_ID)) == 2
    refused: list[tuple[str, dict[str, Any]]] = [
        ("/stars", {"candidate_id": one, "stars": 6}),
        ("/stars", {"candidate_id": "c-nobody", "stars": 1}),
        ("/labels", {"candidate_id": one, "label": "hands", "is_set": True}),
        ("/comments", {"candidate_id": one, "text": "  "}),
        ("/comments", {"candidate_id": one, "text": "a\x00b"}),
        ("/comments", {"candidate_id": one, "text": "x" * 1001}),
    ]
    for path, fields in refused:
        assert say(page, path, **fields)[0] in (404, 409, 422), (path, fields)
    assert len(page.ledger.remarks.of_run(RUN_ID)) == 2
