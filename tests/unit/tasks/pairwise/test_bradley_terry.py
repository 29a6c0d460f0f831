"""Strengths from meetings: planted ones come back, intervals hold them, and ties and order do no harm."""

import random
from itertools import combinations
from statistics import fmean

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import expit

from tasks.pairwise.bradley_terry import Meeting, strengths
from tasks.pairwise.likelihood import PRIOR_SD

NAMES = [f"c-{number}" for number in range(8)]


def _meetings(planted: np.ndarray, rng: np.random.Generator, share_blind: float = 0.0) -> list[Meeting]:
    """Let every two pictures meet in both orders; one meeting of equals in nine is a tie.

    ``share_blind`` of the answers name the left picture without looking.
    """
    met: list[Meeting] = []
    for left, right in [pair for two in combinations(range(len(planted)), 2) for pair in (two, two[::-1])]:
        gap = planted[left] - planted[right]
        weights = np.exp([gap / 2, np.log(0.25), -gap / 2])
        chances = (1 - share_blind) * weights / weights.sum() + share_blind * np.array([1, 0, 0])
        met.append((NAMES[left], NAMES[right], float(rng.choice([1.0, 0.5, 0.0], p=chances))))
    return met


@pytest.mark.parametrize("share_blind", [0.2, pytest.param(0.0, marks=pytest.mark.slow)])
def test_planted_strengths_come_back_within_their_intervals(share_blind: float) -> None:
    """Over 200 seeded rows, 93-97 % of the 95 % intervals hold the planted strength, blind answers or not."""
    rng, held, errors = np.random.default_rng(5), [], []
    for _ in range(200):
        planted = rng.normal(0, PRIOR_SD, len(NAMES))
        planted -= planted.mean()
        found = strengths(_meetings(planted, rng, share_blind))
        held += [
            found[name].low <= expit(truth) <= found[name].high
            for name, truth in zip(NAMES, planted, strict=True)
        ]
        errors += [found[name].log_odds - truth for name, truth in zip(NAMES, planted, strict=True)]
    assert 0.93 <= fmean(held) <= 0.97
    assert np.abs(errors).mean() < (0.65 if share_blind else 0.5)
    assert abs(fmean(errors)) < 1e-9


def test_a_tie_speaks_for_equals_and_for_nobody() -> None:
    """It favours neither, brings two pictures together, and counts as a meeting."""
    won: list[Meeting] = [("a", "b", 1.0), ("b", "a", 0.0)] * 3
    tied = strengths([*won, ("a", "b", 0.5), ("b", "a", 0.5)])
    assert tied["a"].meetings == 8
    assert 0.5 < tied["a"].value < strengths(won)["a"].value
    assert strengths([("a", "b", 0.5)])["a"].value == pytest.approx(0.5)


def test_many_ties_do_not_draw_far_strengths_together() -> None:
    """Where a judge often ties, ties say little: a picture is as strong as its decided meetings say."""
    decided: list[Meeting] = [("a", "b", 1.0), ("b", "a", 0.0)] * 12 + [("a", "b", 0.0), ("b", "a", 1.0)] * 2
    others: list[Meeting] = [("b", "c", 0.5), ("c", "b", 0.5)] * 30
    truth = 24 / 28
    found = strengths([*decided, *[("a", "b", 0.5), ("b", "a", 0.5)] * 12, *others])
    gap = found["a"].log_odds - found["b"].log_odds
    half_a_win_each = (24 + 12) / (28 + 24)
    assert abs(expit(gap) - truth) < abs(expit(gap) - half_a_win_each)


def test_one_win_does_not_make_a_picture_unbeatable() -> None:
    """A single meeting moves the value a little, and its interval stays wide."""
    found = strengths([("a", "b", 1)])
    assert 0.5 < found["a"].value < 0.8
    assert found["a"].low < 0.5 < found["a"].high
    assert found["a"].meetings == found["a"].rivals == 1


def test_pictures_that_never_met_share_no_scale() -> None:
    """Each row's pictures are told as if the other row had not been."""
    one, other = [("a", "b", 1.0)] * 4, [("x", "y", 0.0), ("y", "z", 1.0)]
    assert strengths([*one, *other]) == {**strengths(one), **strengths(other)}


Pairs = st.lists(
    st.tuples(st.sampled_from("abcdef"), st.sampled_from("ABCDEF"), st.sampled_from([0, 0.5, 1])), max_size=30
)


@settings(max_examples=40, deadline=None)
@given(Pairs, st.integers(0, 99))
def test_neither_sequence_nor_the_name_of_a_side_matters(pairs: list[Meeting], seed: int) -> None:
    """Shuffled, and with every meeting turned round, strengths stay the same and lie in their intervals."""
    turned = [(right, left, 1 - result) for left, right, result in pairs]
    random.Random(seed).shuffle(turned)
    found, again = strengths(pairs), strengths(turned)
    assert found.keys() == again.keys()
    for name, one in found.items():
        assert 0 < one.low < one.value < one.high < 1
        assert (one.value, one.low) == pytest.approx((again[name].value, again[name].low), abs=1e-4)


@settings(max_examples=40, deadline=None)
@given(Pairs, st.permutations("abcdefABCDEF"))
def test_a_picture_is_as_strong_under_any_name(pairs: list[Meeting], names: list[str]) -> None:
    """Other ids, other order of ids: the same strengths."""
    other = dict(zip("abcdefABCDEF", names, strict=True))
    found = strengths(pairs)
    again = strengths([(other[left], other[right], result) for left, right, result in pairs])
    assert {other[name] for name in found} == again.keys()
    for name, one in found.items():
        renamed = again[other[name]]
        assert (one.value, one.low) == pytest.approx((renamed.value, renamed.low), abs=1e-4)
        assert (one.meetings, one.rivals) == (renamed.meetings, renamed.rivals)


@settings(max_examples=40, deadline=None)
@given(Pairs)
def test_won_turned_into_lost_turns_strengths_round(pairs: list[Meeting]) -> None:
    """When everybody says the opposite of everything, the strongest is the weakest by as much."""
    found = strengths(pairs)
    opposite = strengths([(left, right, 1 - result) for left, right, result in pairs])
    for name, one in found.items():
        assert (one.value, one.low) == pytest.approx(
            (1 - opposite[name].value, 1 - opposite[name].high), abs=1e-4
        )


def test_who_was_always_shown_where_the_judge_points_gains_little() -> None:
    """A judge that mostly names the left one says little for the picture that always stood there."""
    fair: list[Meeting] = [
        ("b", "c", 1),
        ("c", "b", 1),
        ("c", "d", 1),
        ("d", "c", 1),
        ("b", "d", 1),
        ("d", "b", 1),
    ]
    biased = strengths([*fair * 2, ("a", "b", 1), ("a", "c", 1), ("a", "d", 1)])
    both = strengths([*fair * 2, ("a", "b", 1), ("c", "a", 0), ("a", "d", 1)])
    assert 0.5 < biased["a"].value < 0.65
    assert both["a"].value > biased["a"].value + 0.1


@pytest.mark.parametrize("pair", [("a", "a", 1), ("a", "b", 0.7)])
def test_what_is_no_meeting_is_refused(pair: Meeting) -> None:
    """A picture cannot meet itself, and half won is the only thing between won and lost."""
    with pytest.raises(ValueError, match="not a valid meeting"):
        strengths([pair])


def test_no_meeting_tells_nothing() -> None:
    """Without meetings there are no strengths."""
    assert strengths([]) == {}
