"""Nights pooled: rows and nights are both clusters, and whoever looks every morning may stop."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from statsmodels.formula.api import ols
from statsmodels.stats.anova import anova_lm

from tasks.ab_test.nights import anytime_level, anytime_p_value, pool_nights
from tasks.ab_test.paired_rows import compare_rows


def drawn(
    rng: np.random.Generator, nights: int, rows: int, *, lift: float = 0.0, of_nights: float = 0.0
) -> np.ndarray:
    """Draw the differences of two arms, shape (nights, rows), with prompts that suit one of them."""
    shown: np.ndarray = lift + rng.normal(0, 0.02, rows) + rng.normal(0, of_nights, (nights, 1))
    return shown + rng.normal(0, 0.08, (nights, rows))


def test_the_first_night_is_the_plain_paired_t_test() -> None:
    """Nothing is added, and nothing is decided: one night does not show how nights differ."""
    differences = drawn(np.random.default_rng(1), 1, 12)
    found = pool_nights(differences, 3)
    assert found is not None
    assert found.plain == compare_rows(differences[0], 1 / 3)
    assert (found.anytime.low, found.anytime.p_value) == (None, None)
    assert found.anytime.difference == found.plain.difference


def test_the_variance_is_that_of_an_analysis_of_variance_by_rows_and_nights() -> None:
    """Independently: mean squares of rows, nights and the rest, by statsmodels."""
    differences = drawn(np.random.default_rng(2), 6, 9, of_nights=0.1)
    found = pool_nights(differences, 3)
    cells = [(night, row, value) for (night, row), value in np.ndenumerate(differences)]
    table = anova_lm(ols("d ~ C(night) + C(row)", pd.DataFrame(cells, columns=["night", "row", "d"])).fit())
    squares = table["mean_sq"]
    of_rows = squares["C(row)"] / differences.size
    of_nights = squares["C(night)"] / differences.size
    excess = of_nights - squares["Residual"] / differences.size
    freedom = (of_rows + excess) ** 2 / (of_rows**2 / 8 + of_nights**2 / 5)
    error = (of_rows + excess) ** 0.5
    reach = stats.t.ppf(0.975, freedom) * error
    assert found is not None
    assert found.plain.standard_error == pytest.approx(error)
    assert found.plain.low == pytest.approx(differences.mean() - reach)
    wide = stats.t.ppf(1 - anytime_level(6) / 2, freedom) * error
    assert found.anytime.high == pytest.approx(differences.mean() + wide)


def test_the_anytime_level_is_robbins_mixture() -> None:
    """Where the mixture's odds against no difference are 20 to 1, and nowhere near 5 %."""
    for nights in (1, 3, 8, 30, 1000):
        level = anytime_level(nights)
        assert 0.0001 < level < 0.004
        assert anytime_p_value(level, nights) == pytest.approx(0.05)
    assert anytime_p_value(1.0, 5) == 1.0


def test_looking_every_morning_finds_no_winner_among_equal_arms() -> None:
    """Of 60 campaigns over twenty nights: hardly any by the anytime interval, many by the plain one."""
    rng = np.random.default_rng(3)
    wins = {"plain": 0, "anytime": 0}
    for _ in range(60):
        differences = drawn(rng, 20, 8)
        looks = [pool_nights(differences[: nights + 1], 3) for nights in range(20)]
        for name in wins:
            found = [getattr(look, name) for look in looks]
            wins[name] += any(one.low is not None and not one.low <= 0 <= one.high for one in found)
    assert wins["anytime"] <= 3
    assert wins["plain"] >= 8


def test_a_better_arm_is_found_and_nights_that_differ_are_not_taken_for_rows() -> None:
    """With 12 rows 0.05 apart within a week; where each night moves all rows, less is certain."""
    clear, moved = (
        pool_nights(drawn(np.random.default_rng(4), 7, 12, lift=0.05, of_nights=of_nights), 3)
        for of_nights in (0.0, 0.1)
    )
    assert clear is not None
    assert moved is not None
    assert clear.anytime.low is not None
    assert clear.anytime.low > 0
    errors = (clear.plain.standard_error or 1.0, moved.plain.standard_error or 0.0)
    assert errors[1] > 2 * errors[0]


def test_rows_that_are_missing_on_some_nights_count_for_the_nights_they_have() -> None:
    """A row of one night is a unit like any other; nights and rows with nothing are left out."""
    differences = drawn(np.random.default_rng(5), 5, 6)
    differences[2] = np.nan
    differences[:, 4] = np.nan
    differences[0, :3] = np.nan
    found = pool_nights(differences, 3)
    assert found is not None
    assert (found.nights, found.plain.rows) == (4, 5)
    with np.errstate(all="ignore"):
        expected = np.nanmean(np.nanmean(np.delete(differences, 4, axis=1), axis=0))
    assert found.plain.difference == pytest.approx(expected)
    assert pool_nights(differences[:, :1], 3) is None
