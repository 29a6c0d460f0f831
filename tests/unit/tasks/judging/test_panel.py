"""A panel's opinion: the mean of its judges, how often two of them differ, and what most call false."""

import pytest

from tasks.judging.panel import opinion_of
from tasks.judging.rubric import RubricAnswer


def answer(*chances: float | None, grade: float | None = 1.0) -> RubricAnswer:
    """Make a judge's answer."""
    return RubricAnswer(chances, ("",) * len(chances), grade, "")


def test_an_opinion_is_the_mean_and_says_how_far_judges_differ() -> None:
    """Of three judges, two pairs differ about the first statement and none about the second."""
    found = opinion_of([answer(1, 1), answer(0, 1), answer(1, None)])
    assert found is not None
    assert (found.judges, found.disagreement) == (3, 2 / 4)
    assert found.value == pytest.approx((1 + 0.75 + 1) / 3)
    assert found.broken == frozenset()


def test_what_half_of_a_panel_calls_false_is_broken() -> None:
    """In doubt it is not true; a judge who did not answer has no voice."""
    found = opinion_of([answer(1, 0.2, None), answer(0, 0.9, None)])
    assert found is not None
    assert found.broken == {0, 1}
    assert found.disagreement == 1


def test_one_judge_is_no_panel() -> None:
    """Without a second score there is no opinion, never a number."""
    assert opinion_of([]) is None
    assert opinion_of([answer(1, 1)]) is None
    assert opinion_of([answer(1, 1), answer(1, 1, grade=None)]) is None
