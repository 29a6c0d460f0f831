"""The interval of two arms over their rows: Student's where rows vary, and honest where hardly any does."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from tasks.ab_test.paired_rows import RowDifference, row_difference

SCORES = st.sampled_from([0.0, 0.25, 0.5, 0.75, 1.0]) | st.floats(0, 1)
TABLE = st.lists(st.lists(SCORES, max_size=3), min_size=1, max_size=12)


def compare(a: list[list[float]], b: list[list[float]]) -> RowDifference:
    """Compare two arms, row by row."""
    return row_difference(dict(enumerate(a)), dict(enumerate(b)))


@pytest.mark.parametrize("rows", [2, 7, 40])
def test_the_interval_is_the_paired_t_interval(rows: int) -> None:
    """However many rows and pictures: the textbook's over the rows' means."""
    a, b = np.random.default_rng(3).normal(0.5, 0.01, (2, rows, 4))
    found = compare(a.tolist(), b.tolist())
    exact = stats.ttest_rel(a.mean(axis=1), b.mean(axis=1))
    assert found.p_value == pytest.approx(exact.pvalue)
    assert (found.low, found.high) == pytest.approx(tuple(exact.confidence_interval(0.95)))


def test_the_interval_is_welchs_when_there_is_one_row() -> None:
    """With one row only replicates vary, as in Welch's test."""
    rng = np.random.default_rng(4)
    a, b = rng.normal(0.5, 0.1, 40), rng.normal(0.6, 0.2, 25)
    found = compare([a.tolist()], [b.tolist()])
    exact = stats.ttest_ind(a, b, equal_var=False)
    assert found.p_value == pytest.approx(exact.pvalue)
    assert (found.low, found.high) == pytest.approx(tuple(exact.confidence_interval(0.95)))


@pytest.mark.parametrize("losses", [(), (0.5,), (0.25, 0.5, 0.75, 1.0)])
def test_where_few_rows_differ_two_rows_are_added(losses: tuple[float, ...]) -> None:
    """In one of them each arm is ahead by one whole picture of its two: SciPy's interval of all of them."""
    a = [[1.0, 1.0]] * 12
    b = [[1.0, 1.0 - loss] for loss in losses] + [[1.0, 1.0]] * (12 - len(losses))
    found = compare(a, b)
    rows = [loss / 2 for loss in losses] + [0.0] * (12 - len(losses))
    exact = stats.ttest_1samp([*rows, 0.5, -0.5], 0)
    assert found.difference == pytest.approx(sum(rows) / 12)
    assert found.p_value == pytest.approx(exact.pvalue)
    assert (found.low, found.high) == pytest.approx(tuple(exact.confidence_interval(0.95)))


def test_full_marks_everywhere_still_leave_room_for_doubt() -> None:
    """Three rows say less than forty; that nothing was seen to differ is not that nothing does."""
    few, many = (compare([[1.0, 1.0]] * rows, [[1.0, 1.0]] * rows) for rows in (3, 40))
    assert (few.difference, few.p_value) == (0, 1)
    assert (few.low, few.high) == pytest.approx((-0.44, 0.44), abs=0.01)
    assert (many.low, many.high) == pytest.approx((-0.035, 0.035), abs=0.001)


@settings(max_examples=60, deadline=None)
@given(TABLE, TABLE)
def test_an_interval_lies_within_what_scores_can_be(a: list[list[float]], b: list[list[float]]) -> None:
    """From -1 to 1, around the difference, and the other way round for the other arm."""
    found, exchanged = compare(a, b), compare(b, a)
    if found.low is None or found.high is None or found.difference is None:
        assert found.low is found.high is exchanged.low is None
        return
    assert -1 <= found.low <= found.difference + 1e-9
    assert found.difference - 1e-9 <= found.high <= 1
    assert found.low < found.high
    assert (exchanged.low, exchanged.high) == pytest.approx((-found.high, -found.low))


def _holds(rng: np.random.Generator, rows: int, full_marks: tuple[float, float]) -> bool:
    arms = [
        np.where(rng.random((rows, 3)) < share, 1.0, rng.choice((0.25, 0.5, 0.75), (rows, 3)))
        for share in full_marks
    ]
    found = compare(*(arm.tolist() for arm in arms))
    truth = (full_marks[0] - full_marks[1]) / 2
    return found.low is not None and found.high is not None and found.low <= truth <= found.high


@pytest.mark.parametrize(
    ("rows", "full_marks"),
    [
        (12, (0.98, 0.94)),
        *(
            pytest.param(*shape, marks=pytest.mark.slow)
            for shape in ((6, (0.98, 0.8)), (8, (0.9, 0.98)), (40, (0.98, 1.0)), (40, (0.9, 0.98)))
        ),
    ],
)
def test_intervals_hold_at_the_scorers_ceiling(rows: int, full_marks: tuple[float, float]) -> None:
    """Where most rows differ in nothing, 300 campaigns of arms that do differ: at most 8 % miss the truth."""
    rng = np.random.default_rng(12)
    assert sum(_holds(rng, rows, full_marks) for _ in range(300)) >= 276


def test_a_row_far_from_all_others_may_come_once_more() -> None:
    """At its side the interval is SciPy's of the rows with it counted twice; at the other, of the rows."""
    rows = [0.02, -0.01, 0.03, 0.0, -0.02, 0.01, 0.015, -0.5]
    found = compare([[0.5 + row] for row in rows], [[0.5]] * len(rows))
    usual, again = (
        stats.ttest_1samp(seen, 0).confidence_interval(0.95) for seen in (rows, [*rows, rows[-1]])
    )
    assert (found.low, found.high) == pytest.approx((again.low, usual.high))
    assert found.has_far_row
    assert not compare([[0.5 + row] for row in rows[:-1]], [[0.5]] * (len(rows) - 1)).has_far_row


def test_a_far_row_makes_no_win_of_what_its_end_leaves_open() -> None:
    """The p-value is that of the end at which zero lies, so both decide alike."""
    rows = [0.1, 0.11, 0.09, 0.12, 0.1, 0.08, 0.11, 0.1, 0.09, -0.1]
    found = compare([[0.5 + row] for row in rows], [[0.5]] * len(rows))
    plain = stats.ttest_1samp(rows, 0)
    assert plain.pvalue < 0.05
    assert found.low is not None
    assert found.p_value is not None
    assert (found.low > 0) == (found.p_value < 0.05)
    assert found.p_value == pytest.approx(stats.ttest_1samp([*rows, rows[-1]], 0).pvalue)


@pytest.mark.parametrize("rows", [24, pytest.param(40, marks=pytest.mark.slow)])
def test_intervals_hold_where_an_arm_breaks_in_one_row_of_five(rows: int) -> None:
    """Rare large failures that some row shows: of 300 campaigns at most 8 % miss the truth."""
    rng, holds = np.random.default_rng(rows), 0
    for _ in range(300):
        a, b = rng.normal(0.6, 0.1, (2, rows, 3))
        found = compare((a - 0.5 * (rng.random((rows, 1)) < 0.2)).tolist(), b.tolist())
        holds += found.low is not None and found.high is not None and found.low <= -0.1 <= found.high
    assert holds >= 276
