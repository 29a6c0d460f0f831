"""The verdict of people stands beside that of the scores: first once there are enough votes, never mixed."""

from flows.evaluation.verdict import compare_run
from tasks.candidate import Candidate, Score
from tasks.pairwise.votes import Vote, VoteOutcome
from tasks.report_page.verdict import state_verdict, summarize
from tests.support.builders import NOON
from tests.support.draft_builders import a_draft
from tests.support.planning import campaign
from tests.support.report_rows import make_draft, make_facts

ROWS = [make_draft(arm, row, replicate) for arm in "AB" for row in range(8) for replicate in range(2)]
DRAFTS: list[Candidate] = [
    a_draft(
        one["candidate_id"], arm=one["arm"], row=one["row"], scores={"technical": Score(one["score"], "")}
    )
    for one in ROWS
]


def votes_for_a(people: int) -> list[Vote]:
    """Let people prefer A's first picture of every row, though its scores are lower."""
    first = {(one["arm"], one["row"]): one["candidate_id"] for one in reversed(ROWS)}
    outcome: VoteOutcome = "left"
    return [
        Vote(
            f"v{row}-{voter}", "run", row, first["A", row], first["B", row], outcome, f"person {voter}", NOON
        )
        for row in range(8)
        for voter in range(people)
    ]


def test_people_come_first_once_there_are_enough_votes() -> None:
    """Then both verdicts are said, each by its own, and they may contradict each other."""
    found = compare_run(ROWS, DRAFTS, campaign(), (), votes_for_a(people=3))
    assert found is not None
    assert found["people"]["pairs"][0]["winner"] == "A"
    people, scores = found["headline"], found["scores_headline"]
    assert people.startswith("By people's votes, arm A is preferred to arm B in 100% of 24 decided votes")
    assert scores.startswith("On technical quality alone, arm B beats arm A")
    facts = make_facts(ab_test=found)
    assert state_verdict(ROWS, facts) == people
    assert summarize(ROWS, facts).startswith(scores)


def test_a_few_votes_are_kept_beside_the_scores_and_change_nothing() -> None:
    """Eight votes are no reason to hide what the scores say; the scores' figures never contain a vote."""
    none, few, many = (
        compare_run(ROWS, DRAFTS, campaign(), (), votes) for votes in ((), votes_for_a(1), votes_for_a(3))
    )
    assert none is not None
    assert few is not None
    assert many is not None
    assert none["people"] is None
    assert few["headline"] == none["headline"]
    assert few["people"]["pairs"][0]["wins"] == [8, 0]
    assert none["pairs"] == few["pairs"] == many["pairs"]
