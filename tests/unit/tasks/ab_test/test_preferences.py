"""People decide about arms: from votes alone, with rows and people as clusters, and ties as what they are."""

from datetime import UTC, datetime
from itertools import cycle

import numpy as np
import pandas as pd
import pytest
import statsmodels.formula.api as smf
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.proportion import proportion_confint

from tasks.ab_test.preference_sentences import state_preferences, state_undecided
from tasks.ab_test.preferences import Answer, ArmVote, Preference, prefer_arms, votes_between_arms
from tasks.pairwise.votes import Vote, VoteOutcome

AB = ("A", "B")


def vote(left: str, right: str, outcome: VoteOutcome) -> Vote:
    """Make a vote."""
    return Vote(f"{left}{right}", "run", 0, left, right, outcome, "ann", datetime(2026, 1, 1, tzinfo=UTC))


def votes_of(answers: list[Answer], rows: int, people: int = 1) -> list[ArmVote]:
    """Spread answers evenly over rows, and people over the votes."""
    names = cycle([f"person {number}" for number in range(people)])
    return [ArmVote(place % rows, next(names), AB, answer) for place, answer in enumerate(answers)]


def answers_of(first: int, second: int, ties: int = 0, both_bad: int = 0) -> list[Answer]:
    """List answers in a fixed mixture, so that rows are alike."""
    counts: dict[Answer, int] = {"first": first, "second": second, "tie": ties, "both bad": both_bad}
    answers = [answer for answer, number in counts.items() for _ in range(number)]
    return [answers[place] for place in np.random.default_rng(1).permutation(len(answers))]


def test_only_votes_between_arms_of_one_row_count() -> None:
    """Whichever side a picture was shown on; votes within an arm say nothing about arms."""
    made_by = {"a": ("A", 0), "a2": ("A", 0), "b": ("B", 0), "b1": ("B", 1)}
    votes = [
        vote("a", "b", "left"), vote("b", "a", "left"), vote("b", "a", "tie"),
        vote("a", "a2", "left"), vote("a", "b1", "left"), vote("a", "unknown", "left"),
    ]  # fmt: skip
    found = votes_between_arms(votes, made_by)
    assert [(one.arms, one.answer) for one in found] == [(AB, "first"), (AB, "second"), (AB, "tie")]


def test_votes_that_are_as_independent_as_can_be_get_wilsons_interval() -> None:
    """One vote in each of 400 rows: as statsmodels has it."""
    (found,) = prefer_arms(votes_of(answers_of(230, 170), rows=400))
    low, high = proportion_confint(230, 400, method="wilson")
    assert (found.low, found.high) == pytest.approx((low, high), abs=0.001)
    assert found.p_value == pytest.approx(stats.norm.sf(3) * 2, abs=0.0005)
    assert found.winner == "A"


def _robust_variance(votes: list[ArmVote], cluster: str) -> float:
    """Compute the variance of the share by clusters, as statsmodels does for a regression on a constant."""
    table = pd.DataFrame(votes)
    table["won"] = (table["answer"] == "first").astype(float)
    groups = pd.factorize(table[cluster])[0]
    fit = smf.ols("won ~ 1", table).fit(cov_type="cluster", cov_kwds={"groups": groups})
    return float(fit.cov_params().iloc[0, 0])


def test_the_interval_is_that_of_an_independent_computation() -> None:
    """Statsmodels' robust variances and its Wilson interval, put together by hand."""
    rng = np.random.default_rng(8)
    votes = [
        ArmVote(row, f"person {person}", AB, "first" if rng.random() < (0.2, 0.5, 0.9)[row % 3] else "second")
        for row in range(20)
        for person in range(4)
        if rng.random() < 0.8
    ]
    (found,) = prefer_arms(votes)
    assert found.share is not None
    alone = found.share * (1 - found.share) / len(votes)
    by_vote = alone * len(votes) / (len(votes) - 1)
    by_row, by_person = (_robust_variance(votes, each) for each in ("row", "voter"))
    assert by_row > by_vote
    variance = alone + by_row - by_vote + max(by_person - by_vote, 0)
    freedom = variance**2 / ((by_row - by_vote) ** 2 / 19 + by_person**2 / 3)
    n_alike = found.share * (1 - found.share) / variance
    level = 2 * stats.norm.sf(stats.t.isf(0.025, freedom))
    low, high = proportion_confint(found.share * n_alike, n_alike, alpha=level, method="wilson")
    assert (found.low, found.high) == pytest.approx((low, high), abs=1e-6)


@pytest.mark.parametrize(
    ("counts", "rows", "winner"), [((23, 27, 63, 7), 40, None), ((7, 19, 0, 0), 10, "B"), ((8, 1), 9, "A")]
)
def test_a_public_comparison_comes_out_as_people_read_it(
    counts: tuple[int, ...], rows: int, winner: str | None
) -> None:
    """A tie on the whole, 19 to 7 where text was asked for, and 8 to 1 where places were."""
    answers = answers_of(*counts)
    (found,) = prefer_arms(votes_of(answers, rows))
    assert (*found.wins, found.ties, found.both_bad)[: len(counts)] == counts
    assert found.winner == winner
    exact = stats.binomtest(counts[0], counts[0] + counts[1]).proportion_ci()
    assert (found.low, found.high) == pytest.approx((exact.low, exact.high), abs=0.12)


def test_ties_and_both_bad_are_what_they_are() -> None:
    """Neither changes who is preferred; both are said."""
    votes = votes_of(answers_of(23, 27, 63, 7), 40)
    (found,) = prefer_arms(votes)
    assert found.share == 23 / 50
    assert found.tie_share == 63 / 113
    assert state_preferences([found]) == (
        "By people's votes, not enough evidence that arm A or B is preferred: B won 54% of 50 decided votes"
        " (95% interval 40% to 67%), over 33 rows by 1 person."
    )
    assert state_undecided([found]) == ("56% of the votes call both equally good and 7 votes call both bad.")


@pytest.mark.parametrize(("rows", "winner"), [(4, None), (5, "A")])
def test_votes_that_all_agree_count_once_a_row(rows: int, winner: str | None) -> None:
    """However many people say the same of four prompts, it may be the prompts."""
    votes = [ArmVote(row, str(person), AB, "first") for row in range(rows) for person in range(5)]
    (found,) = prefer_arms(votes)
    assert (found.winner, found.high) == (winner, 1)
    assert found.low is not None
    at_the_end = stats.binom(rows, found.low)
    assert at_the_end.pmf(rows) / 2 == pytest.approx(0.025)


def test_one_row_and_no_decided_vote_give_no_interval() -> None:
    """What cannot be known is not made up."""
    (one_row,) = prefer_arms(votes_of(answers_of(9, 0), rows=1))
    (ties,) = prefer_arms(votes_of(answers_of(0, 0, 3), rows=3))
    assert (one_row.share, one_row.low, one_row.p_value, one_row.winner) == (1, None, None, None)
    assert (ties.share, ties.tie_share, ties.winner) == (None, 1, None)
    assert "arms A and B cannot be told apart: no vote is decided" in state_preferences([ties])


def test_a_few_votes_do_not_come_first() -> None:
    """A landslide of eight is found, and still waits for more votes before it leads the report."""
    (few,) = prefer_arms(votes_of(answers_of(8, 0), rows=8))
    (many,) = prefer_arms(votes_of(answers_of(12, 12), rows=8))
    assert (few.winner, few.is_enough, many.winner, many.is_enough) == ("A", False, None, True)


def test_many_equally_liked_arms_make_no_winner() -> None:
    """Six pairs of four arms: the p-values are corrected."""
    rng = np.random.default_rng(3)
    arms = [(a, b) for a in "ABCD" for b in "ABCD" if a < b]
    votes = [
        ArmVote(row, "ann", pair, "first" if rng.random() < 0.5 else "second")
        for pair in arms
        for row in range(12)
    ]
    found = prefer_arms(votes)
    assert [one.arms for one in found] == arms
    assert all(one.p_value_holm is not None and one.p_value is not None for one in found)
    assert all((one.p_value_holm or 0) >= (one.p_value or 0) for one in found)


ANSWERS = st.sampled_from(["first", "second", "tie", "both bad"])
VOTES = st.lists(st.tuples(st.integers(0, 5), st.sampled_from("xyz"), ANSWERS), min_size=1, max_size=30)


def _exchanged(one: ArmVote) -> ArmVote:
    answers: dict[Answer, Answer] = {"first": "second", "second": "first"}
    return one._replace(answer=answers.get(one.answer, one.answer))


@settings(max_examples=60, deadline=None)
@given(VOTES)
def test_a_preference_is_bounded_and_has_no_favourite(votes: list[tuple[int, str, Answer]]) -> None:
    """Within 0 and 1 around the share; and exchanged arms exchange it."""
    given_votes = [ArmVote(row, voter, AB, answer) for row, voter, answer in votes]
    (found,) = prefer_arms(given_votes)
    (exchanged,) = prefer_arms([_exchanged(one) for one in given_votes])
    assert exchanged.wins == found.wins[::-1]
    if found.share is None or found.low is None or found.high is None:
        assert found.winner is None
        return
    assert 0 <= found.low <= found.share + 1e-9
    assert found.share - 1e-9 <= found.high <= 1
    assert (exchanged.low, exchanged.high) == pytest.approx((1 - found.high, 1 - found.low))
    assert (found.winner is None) == (found.low <= 0.5 <= found.high)


def _draw(rng: np.random.Generator, rows: int, people: int) -> Preference:
    of_row, of_person = rng.normal(0, 0.7, rows), rng.normal(0, 0.3, people)
    votes = [
        ArmVote(
            row,
            str(person),
            AB,
            "first" if rng.random() < 1 / (1 + np.exp(-of_row[row] - of_person[person])) else "second",
        )
        for row in range(rows)
        for person in range(people)
    ]
    (found,) = prefer_arms(votes)
    return found


@pytest.mark.parametrize(
    ("rows", "people"),
    [(12, 2), *(pytest.param(*each, marks=pytest.mark.slow) for each in ((40, 5), (12, 10)))],
)
def test_equally_liked_arms_seldom_win(rows: int, people: int) -> None:
    """Though rows suit one arm and people have their tastes: at most 8 % of 300 campaigns."""
    rng = np.random.default_rng(5)
    assert sum(_draw(rng, rows, people).winner is not None for _ in range(300)) <= 24
