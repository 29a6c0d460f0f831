"""The fit behind strengths agrees with published figures and with other people's code, and stays sane."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from statsmodels.base.model import GenericLikelihoodModel
from statsmodels.discrete.conditional_models import ConditionalLogit

from tasks.pairwise.likelihood import PRIOR_SD, Prior, fit

Met = tuple[int, int, float]

NOBODY_BLIND = (-40.0, 0.01)
DAVIDSON = Prior(strength_sd=1e3, side=(0.0, 1e-6), tie=(0.0, 1e3), blind=NOBODY_BLIND)
DAVIDSON_BEAVER = replace(DAVIDSON, side=(0.0, 1e3))
"""Their own models: no prior to speak of, and everybody looks."""

PUDDINGS = {
    (1, 2): (19, 22, 16), (1, 3): (16, 19, 12), (1, 4): (18, 23, 13), (1, 5): (13, 19, 18),
    (1, 6): (18, 21, 12), (2, 3): (19, 19, 10), (2, 4): (23, 19, 9), (2, 5): (16, 20, 12),
    (2, 6): (22, 20, 12), (3, 4): (19, 20, 15), (3, 5): (16, 15, 17), (3, 6): (13, 18, 10),
    (4, 5): (17, 14, 16), (4, 6): (14, 19, 18), (5, 6): (11, 21, 12),
}  # fmt: skip
"""Six chocolate puddings in pairs (Davidson 1970): how often the one won, the other won, and neither."""


def a_judge_says(
    planted: NDArray[np.float64],
    met: Sequence[tuple[int, int]],
    seed: int,
    blind: tuple[float, float] = (0, 0),
) -> list[Met]:
    """Let a judge answer that ties one in five times among equals and likes the left one by 0.4 log-odds.

    Some answers name the left or the right one blindly.
    """
    rng = np.random.default_rng(seed)
    said: list[Met] = []
    for left, right in met:
        chances = _chances(np.array([planted[left] - planted[right] + 0.4]), 0.5, *blind)[0]
        said.append((left, right, float(rng.choice([1.0, 0.5, 0.0], p=chances))))
    return said


def _chances(difference: NDArray[np.float64], tie: float, left: float, right: float) -> NDArray[np.float64]:
    """Write the model down once more, as plainly as can be; shape (n, 3)."""
    one, other = np.exp(difference), np.ones_like(difference)
    neither = tie * np.sqrt(one * other)
    looking = (1 - left - right) * np.stack([one, neither, other], axis=1)
    chances: NDArray[np.float64] = looking / (one + neither + other)[:, None] + np.array([left, 0.0, right])
    return chances


def _everybody_meets(n: int, times: int) -> list[tuple[int, int]]:
    return [(a, b) for a in range(n) for b in range(n) if a != b for _ in range(times)]


def test_davidsons_puddings_taste_as_published() -> None:
    """Estimates of Davidson (1970), which his seven steps bring just short of the maximum."""
    met = [
        (one - 1, other - 1, result)
        for (one, other), counts in PUDDINGS.items()
        for result, times in zip((1.0, 0.0, 0.5), counts, strict=True)
        for _ in range(times)
    ]
    found = fit(6, met, DAVIDSON)
    worth = np.exp(found.log_odds)
    published = [0.1388005, 0.1729985, 0.1617420, 0.1653930, 0.1586805, 0.2023855]
    assert (worth / worth.sum()).tolist() == pytest.approx(published, abs=5e-5)
    assert found.tie_weight == pytest.approx(0.7468147, abs=5e-5)


def test_ties_sides_and_errors_agree_with_statsmodels() -> None:
    """Davidson and Beaver's model is a conditional logit: a group for each meeting, a row for each answer."""
    met = a_judge_says(np.array([-1.0, -0.2, 0.3, 0.9]), _everybody_meets(4, 15), seed=3)
    rows, chosen = [], []
    for left, right, result in met:
        for answer in (1.0, 0.5, 0.0):
            row = np.zeros(6)
            row[left], row[right], row[4], row[5] = answer - 0.5, 0.5 - answer, answer - 0.5, answer == 0.5
            rows.append(row[1:])
            chosen.append(answer == result)
    groups = np.repeat(np.arange(len(met)), 3)
    theirs = ConditionalLogit(np.array(chosen, dtype=int), np.array(rows), groups=groups).fit(disp=False)
    centred = (np.eye(4) - 0.25)[:, 1:]
    ours = fit(4, met, DAVIDSON_BEAVER)
    assert ours.log_odds.tolist() == pytest.approx((centred @ theirs.params[:3]).tolist(), abs=1e-3)
    errors = np.sqrt(np.diag(centred @ theirs.cov_params()[:3, :3] @ centred.T))
    assert ours.errors.tolist() == pytest.approx(errors.tolist(), abs=1e-3)
    assert (ours.side, np.log(ours.tie_weight)) == pytest.approx(theirs.params[3:].tolist(), abs=1e-3)


class _PlainModel(GenericLikelihoodModel):  # type: ignore[misc]  # statsmodels has no types
    """The whole model, with derivatives taken numerically by statsmodels."""

    def loglikeobs(self, params: NDArray[np.float64]) -> NDArray[np.float64]:
        shares = np.exp([0.0, *params[-2:]]) / np.exp([0.0, *params[-2:]]).sum()
        chances = _chances(self.exog @ params[:-3], np.exp(params[-3]), shares[1], shares[2])
        each: NDArray[np.float64] = np.log(np.choose((2 * self.endog).astype(int), chances[:, ::-1].T))
        return each


def test_blind_answers_and_errors_agree_with_statsmodels() -> None:
    """A generic maximum likelihood fit with numerical derivatives finds the same, errors included."""
    met = a_judge_says(np.array([-2.0, -0.5, 0.5, 2.0]), _everybody_meets(4, 200), seed=4, blind=(0.2, 0.05))
    design = [[1.0, *(float((left == i) - (right == i)) for i in (1, 2, 3))] for left, right, _ in met]
    results, others = np.array([result for *_, result in met]), ["tie", "left", "right"]
    plain = _PlainModel(results, np.array(design), extra_params_names=others)
    theirs = plain.fit(start_params=[0.0, 1.0, 2.0, 3.0, -0.5, -1.5, -2.0], method="bfgs", disp=False)
    ours = fit(4, met, Prior(1e3, (0.0, 1e3), (0.0, 1e3), (0.0, 1e3)))
    centred = (np.eye(4) - 0.25)[:, 1:]
    assert ours.log_odds.tolist() == pytest.approx((centred @ theirs.params[1:4]).tolist(), abs=2e-3)
    errors = np.sqrt(np.diag(centred @ theirs.cov_params()[1:4, 1:4] @ centred.T))
    assert ours.errors.tolist() == pytest.approx(errors.tolist(), rel=0.01)
    assert ours.side == pytest.approx(theirs.params[0], abs=2e-3)


def test_planted_shares_of_blind_answers_come_back() -> None:
    """With much evidence, naming a side blindly is told apart from strength."""
    planted = np.linspace(-2, 2, 8)
    found = fit(8, a_judge_says(planted, _everybody_meets(8, 60), seed=5, blind=(0.2, 0.05)))
    assert found.blind == pytest.approx((0.2, 0.05), abs=0.02)
    assert found.tie_weight == pytest.approx(0.5, abs=0.06)
    assert found.side == pytest.approx(0.4, abs=0.1)
    assert np.abs(found.log_odds - planted).max() < 0.2


@pytest.mark.parametrize("result", [0.0, 0.5, 1.0])
@pytest.mark.parametrize("times", [1, 200])
def test_only_one_kind_of_answer_leaves_everything_finite(result: float, times: int) -> None:
    """One meeting, no ties, nothing but ties: the priors keep every figure within reason."""
    found = fit(2, [(0, 1, result)] * times)
    assert np.abs(found.log_odds).max() < 3
    assert ((found.errors > 0.1) & (found.errors < 1.5)).all()
    assert 0 < found.tie_weight < 500
    assert 0 < sum(found.blind) < 1


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 5), st.integers(1, 5), st.sampled_from([0.0, 0.5, 1.0])), min_size=1)
)
def test_any_meetings_have_strengths_and_errors(drawn: list[tuple[int, int, float]]) -> None:
    """Whatever is answered, strengths average out, and nobody is less sure of them than before."""
    found = fit(6, [(left, (left + step) % 6, result) for left, step, result in drawn])
    assert found.log_odds.sum() == pytest.approx(0, abs=1e-9)
    assert (found.errors > 0).all()
    assert (found.errors <= PRIOR_SD).all()


def test_meetings_in_a_circle_leave_strengths_open() -> None:
    """Each beats the next and is beaten by the one before: nobody is less sure than before."""
    n, said = 8, _everybody_meets(8, 2)
    found = fit(n, [(a, b, float((b - a) % n < n / 2)) for a, b in said if (b - a) % n != n / 2])
    assert np.abs(found.log_odds).max() < 1e-6
    assert (found.errors <= PRIOR_SD).all()


def test_a_judge_that_always_names_the_first_leaves_strengths_open() -> None:
    """Its answers are taken for blind ones: all pictures stay equal, and as unsure as before."""
    found = fit(12, [(left, right, 1.0) for left, right in _everybody_meets(12, 1)])
    assert np.abs(found.log_odds).max() < 1e-6
    assert found.errors.min() > 1.2
    assert found.blind[0] > 0.9
