"""The limit of similarity that fits people's answers."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.duplicates.tuning import LEAST_ANSWERS, Answer, suggest_limit

SEPARATE = [Answer(0.8 + n / 100, True) for n in range(10)] + [
    Answer(0.5 + n / 100, False) for n in range(10)
]


def test_answers_without_overlap_put_the_limit_between_them() -> None:
    """Halfway, and every answer agrees."""
    found = suggest_limit(SEPARATE)

    assert found is not None
    assert found.min_similarity == pytest.approx((0.59 + 0.80) / 2)
    assert (found.precision, found.recall) == (1, 1)
    assert (found.n_same, found.n_other) == (10, 10)


def test_few_answers_or_all_of_one_kind_suggest_nothing() -> None:
    """A limit needs both sides."""
    assert suggest_limit(SEPARATE[: LEAST_ANSWERS - 1]) is None
    assert suggest_limit([Answer(0.9, True)] * LEAST_ANSWERS) is None
    assert suggest_limit([]) is None


def test_what_overlaps_is_told_by_precision_and_recall() -> None:
    """One answer on the wrong side costs one or the other."""
    found = suggest_limit([*SEPARATE, Answer(0.95, False)])

    assert found is not None
    assert found.recall == 1
    assert found.precision == pytest.approx(10 / 11)


@given(st.lists(st.builds(Answer, st.floats(0, 1), st.booleans()), min_size=LEAST_ANSWERS, max_size=40))
def test_no_other_limit_fits_better(answers: list[Answer]) -> None:
    """By F1, at any similarity that was answered about."""
    found = suggest_limit(answers)

    if found is None:
        assert len({one.is_same for one in answers}) == 1
        return
    best = max(f1(answers, limit) for limit in {one.similarity for one in answers})
    reached = 2 * found.precision * found.recall / ((found.precision + found.recall) or 1)
    assert reached == pytest.approx(best)


def f1(answers: list[Answer], limit: float) -> float:
    """Count right and wrong answers from a limit on."""
    right = sum(one.is_same and one.similarity >= limit for one in answers)
    called = sum(one.similarity >= limit for one in answers)
    return 2 * right / (called + sum(one.is_same for one in answers))
