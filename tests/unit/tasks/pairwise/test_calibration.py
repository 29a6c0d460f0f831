"""Calibration: a scorer is worth what people's votes bear out, and too few votes bear nothing out."""

from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import combinations

import numpy as np
import pytest
from scipy.stats import binomtest

from tasks.candidate import Candidate, Score
from tasks.pairwise.bradley_terry import meetings_of, strengths
from tasks.pairwise.calibration import Calibration, calibrate
from tasks.pairwise.votes import Vote, VoteOutcome
from tests.support.draft_builders import a_draft

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
EQUAL = {"judge": 1.0, "technical": 1.0}


def scored(name: str, row: int = 0, **values: float | None) -> Candidate:
    """Make a draft with the opinions of some scorers."""
    return a_draft(name, row=row, scores={scorer: Score(value, "") for scorer, value in values.items()})


def vote(left: str, right: str, outcome: VoteOutcome = "left", number: int = 0, voter: str = "Ada") -> Vote:
    """Say which of two is better."""
    return Vote(f"v-{left}-{right}-{number}-{voter}", "r", 0, left, right, outcome, voter, NOON)


def a_jury(
    rows: int, seed: int = 0, judge: float = 6.0, technical: float = 0.0
) -> tuple[list[Candidate], list[Vote]]:
    """Let people vote on all pairs of four pictures a row, by a taste that the scorers see as told."""
    rng = np.random.default_rng(seed)
    drafts, votes = [], []
    for row in range(rows):
        ones = [
            scored(f"c-{row:02d}-{i}", row, judge=rng.random(), technical=rng.random(), votes=0.5)
            for i in range(4)
        ]
        drafts += ones
        for one, other in combinations(ones, 2):
            odds = sum(
                weight * ((one.scores[name].value or 0) - (other.scores[name].value or 0))
                for name, weight in (("judge", judge), ("technical", technical))
            )
            is_left = bool(rng.random() < 1 / (1 + np.exp(-odds)))
            votes.append(vote(one.candidate_id, other.candidate_id, "left" if is_left else "right"))
    return drafts, votes


def told(drafts: Sequence[Candidate], votes: Sequence[Vote]) -> Calibration:
    """Calibrate what people voted on."""
    found = calibrate(drafts, votes, EQUAL)
    assert found is not None
    return found


def test_agreement_is_the_share_of_pairs_ranked_alike() -> None:
    """Right, wrong, equal and unknown pairs, with the interval as scipy has it."""
    drafts = [
        scored("a", judge=0.9, technical=0.5), scored("b", judge=0.5, technical=0.5),
        scored("c", judge=0.7, technical=None), scored("d", judge=0.2, technical=0.1),
    ]  # fmt: skip
    votes = [vote("a", "b"), vote("a", "c"), vote("b", "d"), vote("b", "c")]
    found = told(drafts, votes)
    judge, technical, total = (
        next(one for one in found.agreements if one.scorer == name)
        for name in ("judge", "technical", "score")
    )
    assert (judge.pairs, judge.accuracy) == (4, 0.75)
    interval = binomtest(3, 4).proportion_ci(method="wilson")
    assert (judge.low, judge.high) == pytest.approx((interval.low, interval.high))
    assert (technical.pairs, technical.accuracy) == (2, 0.75)  # one equal, one right
    assert total.pairs == 2  # only where both of its scorers answered


def test_many_votes_on_one_pair_are_one_opinion() -> None:
    """The majority counts once, from either side; a draw among people is a tie and decides nothing."""
    drafts = [scored("a", judge=0.9), scored("b", judge=0.5), scored("c", judge=0.1)]
    votes = [
        vote("a", "b", voter="Ada"), vote("b", "a", "right", voter="Ben"), vote("b", "a", voter="Cy"),
        vote("a", "c", "tie"), vote("b", "c", voter="Ada"), vote("b", "c", "right", voter="Ben"),
    ]  # fmt: skip
    found = told(drafts, votes)
    assert (found.votes, found.voters, found.pairs, found.ties) == (6, 3, 1, 2)
    assert found.agreements[0].pairs == 1


def test_both_bad_and_a_skip_prefer_nothing() -> None:
    """Both bad is counted and shown, a skip is not; the fit, and who agrees, stay as they were."""
    drafts = [scored(name, judge=value) for name, value in (("c-1", 0.9), ("c-2", 0.4), ("c-3", 0.1))]
    votes = [vote("c-1", "c-2", number=1), vote("c-2", "c-3", number=2)]
    more = [
        vote("c-2", "c-3", "both bad", 3),
        vote("c-1", "c-3", "skip", 4),
        vote("c-1", "c-3", "both bad", 5),
    ]
    found, before = told(drafts, votes + more), told(drafts, votes)
    assert (found.votes, found.both_bad, found.pairs, found.ties) == (4, 2, 2, 0)
    assert found.agreements == before.agreements
    assert strengths(meetings_of(votes + more)) == strengths(meetings_of(votes))


def test_the_votes_are_not_measured_against_themselves() -> None:
    """The scorer of votes would agree by construction."""
    drafts, votes = a_jury(3)
    assert "votes" not in {one.scorer for one in told(drafts, votes).agreements}


def test_weights_are_suggested_where_people_side_with_one_scorer() -> None:
    """People follow the judge: it gets nearly all weight, and held-out pairs say that it is better so."""
    found = told(*a_jury(rows=12, judge=8))
    assert found.suggested_weights is not None
    assert found.suggested_weights["judge"] > 0.75
    assert sum(found.suggested_weights.values()) == pytest.approx(1)
    assert found.note.startswith("from 72 pairs: ")
    assert "% of held-out pairs agree with people; with the current weights " in found.note


def test_planted_weights_come_back() -> None:
    """Two parts of one scorer's worth to one of the other, within a tenth."""
    found = told(*a_jury(rows=60, judge=12, technical=4))
    assert found.suggested_weights is not None
    assert found.suggested_weights["judge"] == pytest.approx(0.75, abs=0.1)


def test_a_scorer_that_people_contradict_gets_no_weight() -> None:
    """Weights never turn a scorer round."""
    found = told(*a_jury(rows=20, judge=8, technical=-4))
    assert found.suggested_weights == {"judge": 1.0, "technical": 0.0}


@pytest.mark.slow
def test_chance_suggests_nothing() -> None:
    """When people vote without regard to any scorer, weights are suggested in few of 40 runs."""
    suggested = [told(*a_jury(10, seed, judge=0)).suggested_weights is not None for seed in range(40)]
    assert sum(suggested) <= 4


def test_too_few_votes_are_said_to_be_too_few() -> None:
    """Below thirty decided pairs there is no suggestion, and the note counts them."""
    found = told(*a_jury(4))
    assert found.suggested_weights is None
    assert found.note == "24 pairs are too few to suggest weights; 30 are needed"


def test_the_worst_disagreements_come_first() -> None:
    """Pairs that the judge ranks the other way round, by how sure it was."""
    drafts = [scored("a", judge=0.9), scored("b", judge=0.2), scored("c", judge=0.5)]
    found = told(drafts, [vote("b", "a"), vote("b", "c"), vote("a", "c")])
    assert [(one.preferred, one.other) for one in found.disagreements] == [("b", "a"), ("b", "c")]
    assert found.disagreements[0].margin == pytest.approx(0.7)
    assert found.disagreements[0].scorer == "judge"


def test_without_votes_nothing_is_said() -> None:
    """No votes, or votes on other pictures, are no calibration at all."""
    assert calibrate([scored("a", judge=1)], [], EQUAL) is None
    assert calibrate([scored("a", judge=1)], [vote("x", "y")], EQUAL) is None
