"""Strengths from meetings: planted ones come back, intervals hold them, and ties and order do no harm."""

import random
from itertools import combinations
from statistics import fmean

import choix
import numpy as np
import pytest
import statsmodels.api as sm
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import expit

from tasks.bradley_terry import Meeting, strengths


def _meetings(planted: np.ndarray, times: int, rng: np.random.Generator) -> list[Meeting]:
    """Let every two pictures meet some times, each time won by chance as planted."""
    return [
        (f"c-{a:02d}", f"c-{b:02d}", float(rng.random() < expit(planted[a] - planted[b])))
        for a, b in combinations(range(len(planted)), 2)
        for _ in range(times)
    ]


def test_planted_strengths_come_back_within_their_intervals() -> None:
    """Over 60 seeded tournaments, 93-97 % of the 95 % intervals hold the planted strength."""
    rng, held, errors = np.random.default_rng(5), [], []
    for _ in range(60):
        planted = rng.normal(0, 1, 10)
        planted -= planted.mean()
        found = strengths(_meetings(planted, 3, rng))
        truths = expit(planted)
        held += [
            found[f"c-{i:02d}"].low <= truth <= found[f"c-{i:02d}"].high for i, truth in enumerate(truths)
        ]
        errors += [abs(found[f"c-{i:02d}"].log_odds - log_odds) for i, log_odds in enumerate(planted)]
    assert 0.93 <= fmean(held) <= 0.97
    assert fmean(errors) < 0.35


def test_many_meetings_agree_with_logistic_regression() -> None:
    """With much evidence the prior fades: statsmodels' plain binomial fit gives the same, errors included."""
    rng = np.random.default_rng(1)
    planted = np.array([-1.0, -0.3, 0.1, 0.4, 0.8])
    met = _meetings(planted, 400, rng)
    design = np.array(
        [[(left == f"c-{i:02d}") - (right == f"c-{i:02d}") for i in range(5)] for left, right, _ in met]
    )
    fit = sm.GLM(
        [result for *_, result in met], design[:, 1:].astype(float), family=sm.families.Binomial()
    ).fit()
    expected = np.concatenate([[0.0], fit.params])
    expected -= expected.mean()
    found = strengths(met)
    assert [found[f"c-{i:02d}"].log_odds for i in range(5)] == pytest.approx(expected.tolist(), abs=0.01)
    centred = (np.eye(5) - 0.2)[:, 1:]
    error = np.sqrt((centred @ fit.cov_params() @ centred.T)[0, 0])
    first = found["c-00"]
    assert (first.low, first.high) == pytest.approx(
        tuple(expit(expected[0] + np.array([-1.96, 1.96]) * error)), abs=0.002
    )


def test_a_tie_is_half_a_win_for_each() -> None:
    """A tie tells as much as a win on each side, and brings two pictures together."""
    won = [("a", "b", 1.0)] * 3
    tied, split = (strengths([*won, *two]) for two in ([("a", "b", 0.5)] * 2, [("a", "b", 1), ("b", "a", 1)]))
    assert tied["a"].meetings == split["a"].meetings == 5
    assert (tied["a"].low, tied["a"].value) == pytest.approx((split["a"].low, split["a"].value))
    assert strengths([("a", "b", 0.5)])["a"].value == 0.5


def test_ranks_agree_with_another_algorithm() -> None:
    """Minorisation-maximisation, another road to the same model, ranks the pictures the same."""
    met = _meetings(np.linspace(-1, 1, 6), 40, np.random.default_rng(2))
    wins = [(int(a[2:]), int(b[2:])) if won else (int(b[2:]), int(a[2:])) for a, b, won in met]
    found = strengths(met)
    assert (
        np.argsort([one.value for one in found.values()]).tolist()
        == np.argsort(choix.mm_pairwise(6, wins)).tolist()
    )


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


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from("abcdef"), st.sampled_from("ABCDEF"), st.sampled_from([0, 0.5, 1]))),
    st.integers(0, 99),
)
def test_neither_order_nor_side_matters(pairs: list[Meeting], seed: int) -> None:
    """Shuffled and with every meeting turned round, strengths stay the same, and lie in their intervals."""
    turned = [(right, left, 1 - result) for left, right, result in pairs]
    random.Random(seed).shuffle(turned)
    found, again = strengths(pairs), strengths(turned)
    assert found.keys() == again.keys()
    for name, one in found.items():
        assert 0 <= one.low <= one.value <= one.high <= 1
        assert one.value == pytest.approx(again[name].value, abs=1e-4)


@pytest.mark.parametrize("pair", [("a", "a", 1), ("a", "b", 0.7)])
def test_what_is_no_meeting_is_refused(pair: Meeting) -> None:
    """A picture cannot meet itself, and half won is the only thing between won and lost."""
    with pytest.raises(ValueError, match="no meeting of two"):
        strengths([pair])


def test_no_meeting_tells_nothing() -> None:
    """Without meetings there are no strengths."""
    assert strengths([]) == {}
