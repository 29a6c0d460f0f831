"""How many rows find a difference: as statsmodels counts them, and from the spread that was measured."""

import numpy as np
import pytest
from statsmodels.stats.power import TTestPower

from tasks.ab_test.paired_rows import row_difference
from tasks.ab_test.power import (
    USUAL,
    Scores,
    Spread,
    difference_found,
    main_effect_found,
    measure_spread,
    rows_needed,
)

SPREAD = Spread(rows=0.05, pictures=0.1)


def drawn(rng: np.random.Generator, rows: int, replicates: int, lift: float) -> tuple[Scores, Scores]:
    """Draw two arms, B better by the lift, that vary as ``SPREAD`` says."""
    prompts, effects = rng.normal(0.5, 0.2, rows), rng.normal(lift, SPREAD.rows, rows)
    first, second = rng.normal(0, SPREAD.pictures, (2, rows, replicates))
    return (
        {row: (prompts[row] + first[row]).tolist() for row in range(rows)},
        {row: (prompts[row] + effects[row] + second[row]).tolist() for row in range(rows)},
    )


@pytest.mark.parametrize(("replicates", "difference"), [(1, 0.1), (4, 0.05), (8, 0.03)])
def test_as_many_rows_are_needed_as_statsmodels_says(replicates: int, difference: float) -> None:
    """The power of the paired t-test, by the noncentral t, to within a few per cent."""
    rows = rows_needed(SPREAD, difference, replicates)
    size = difference / SPREAD.variance_of_row(replicates) ** 0.5
    exact = TTestPower().solve_power(size, alpha=0.05, power=0.8)
    assert rows == pytest.approx(exact, rel=0.06, abs=1)


def test_more_rows_help_where_more_pictures_do_not() -> None:
    """Without pictures' noise the rows' own remains: the number of rows has a floor."""
    needed = [rows_needed(SPREAD, 0.05, replicates) or 0 for replicates in (1, 2, 4, 16, 1000)]
    assert needed == sorted(needed, reverse=True)
    assert needed[-1] == rows_needed(Spread(SPREAD.rows, 0.0), 0.05, 1)
    assert rows_needed(SPREAD, 0.0001, 1) is None
    found = difference_found(SPREAD, 30, 4)
    assert found is not None
    assert rows_needed(SPREAD, found, 4) == pytest.approx(30, abs=1)
    assert difference_found(SPREAD, 1, 4) is None


def test_more_pairs_of_arms_take_more_rows() -> None:
    """Each of ten pairs is tested at a tenth of the level."""
    one, ten = rows_needed(SPREAD, 0.05, 4), rows_needed(SPREAD, 0.05, 4, n_pairs=10)
    assert one is not None
    assert ten is not None
    assert 1.4 * one < ten < 2.2 * one


def test_the_spread_is_measured_from_what_was_scored() -> None:
    """Both parts, apart: rows' own variance, less what their pictures make of it, and the pictures'."""
    rng = np.random.default_rng(3)
    found = measure_spread([drawn(rng, 60, 4, 0.02) for _ in range(8)])
    assert found is not None
    assert found.rows == pytest.approx(SPREAD.rows, rel=0.2)
    assert found.pictures == pytest.approx(SPREAD.pictures, rel=0.05)
    assert measure_spread([({0: [0.5, 0.6]}, {0: [0.4, 0.5]})]) is None
    assert measure_spread([({0: [0.5], 1: [0.6]}, {0: [0.4], 1: [0.5]})]) is None
    assert measure_spread([]) is None


def test_so_many_rows_find_the_difference_in_four_campaigns_of_five() -> None:
    """Simulated at the number of rows that is said."""
    rows = rows_needed(SPREAD, 0.06, 3)
    assert rows is not None
    rng = np.random.default_rng(5)
    found = [row_difference(*drawn(rng, rows, 3, 0.06)) for _ in range(200)]
    wins = sum(one.high is not None and one.high < 0 for one in found)
    assert 0.72 <= wins / 200 <= 0.9


def test_a_main_effect_is_found_by_all_the_arms_of_its_level() -> None:
    """With one arm each it is the difference of two arms; with four each it is half as large."""
    alone = main_effect_found(USUAL, 8, 4, (1, 1))
    assert alone is not None
    assert alone == pytest.approx(difference_found(USUAL, 8, 4))
    assert main_effect_found(USUAL, 8, 4, (4, 4)) == pytest.approx(alone / 2)
    assert main_effect_found(USUAL, 1, 4, (4, 4)) is None
