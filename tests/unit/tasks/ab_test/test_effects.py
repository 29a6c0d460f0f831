"""Effects of factors: against a textbook, least squares and a t-test; with missing cells; in words."""

import itertools
from collections.abc import Callable, Mapping

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from tasks.ab_test.best_combination import find_best
from tasks.ab_test.effect_sentences import state_best, state_effects
from tasks.ab_test.effects import Effect, estimate_effects
from tasks.ab_test.factor_model import Cell, FactorModel, fit_factors

TWO = {"light": ["soft", "hard"], "lens": ["wide", "tele"], "size": ["s", "l"]}
THREE = {"light": ["soft", "hard", "dim"], "lens": ["wide", "tele"]}


def cells_of(
    levels: Mapping[str, list[str]],
    n_rows: int,
    value: Callable[[Mapping[str, str], int], float],
) -> list[Cell]:
    """Make a cell of every combination and row."""
    combinations = (dict(zip(levels, each, strict=True)) for each in itertools.product(*levels.values()))
    return [Cell(each, row, value(each, row)) for each in combinations for row in range(n_rows)]


def noisy(levels: Mapping[str, list[str]], n_rows: int, seed: int, hard: float = 0.0) -> list[Cell]:
    """Make cells that vary from row to row, with hard light better."""
    rng = np.random.default_rng(seed)
    prompts = rng.normal(0.5, 0.2, n_rows)
    return cells_of(
        levels,
        n_rows,
        lambda chosen, row: prompts[row] + hard * (chosen["light"] == "hard") + rng.normal(0, 0.05),
    )


def named(effects: list[Effect]) -> dict[tuple[str, ...], Effect]:
    """Map effects by their levels."""
    return {effect.levels: effect for effect in effects}


def test_effects_are_those_of_the_textbook() -> None:
    """A 2^2 design, three blocks, with known results: concentration +8.33, catalyst −5.00, both 1.67.

    Source: D. C. Montgomery, "Design and Analysis of Experiments", the chemical process of chapter 6 and its
    blocked form in chapter 7. Its AB = 1.67 is half the difference of the differences that is reported here.
    """
    yields = {"--": (28, 25, 27), "+-": (36, 32, 32), "-+": (18, 19, 23), "++": (31, 30, 29)}
    levels = {"A": ["-", "+"], "B": ["-", "+"]}
    found = named(
        estimate_effects(
            cells_of(levels, 3, lambda chosen, row: yields[chosen["A"] + chosen["B"]][row]), levels
        )
    )
    by_factor = {effect.factors: effect.difference for effect in found.values()}
    assert by_factor["B",] == pytest.approx(-5.0)
    mains = estimate_effects(
        cells_of(levels, 3, lambda chosen, row: yields[chosen["A"] + chosen["B"]][row]), levels
    )
    assert mains[0].difference == pytest.approx(25 / 3)
    assert by_factor["A", "B"] / 2 == pytest.approx(5 / 3)


PILOT_PLANT = {
    "---": (59, 61), "+--": (74, 70), "-+-": (50, 58), "++-": (69, 67),
    "--+": (50, 54), "+-+": (81, 85), "-++": (46, 44), "+++": (79, 81),
}  # fmt: skip


def test_effects_of_three_factors_are_those_of_the_textbook() -> None:
    """The pilot plant, a replicated 2^3: temperature +23, concentration -5, catalyst +1.5, TK +10.

    Source: G. E. P. Box, J. S. Hunter, W. G. Hunter, "Statistics for Experimenters", section 5.5 of the
    second edition; its interactions are half of the differences of differences that are reported here.
    """
    levels = {name: ["-", "+"] for name in "TCK"}
    cells = cells_of(levels, 2, lambda chosen, row: PILOT_PLANT["".join(chosen.values())][row])
    found = {effect.factors: effect for effect in estimate_effects(cells, levels)}
    mains = {name: found[name,].difference for name in levels}
    assert mains == pytest.approx({"T": 23.0, "C": -5.0, "K": 1.5})
    pairs = {pair: found[pair].difference / 2 for pair in itertools.combinations(levels, 2)}
    assert pairs == pytest.approx({("T", "C"): 1.5, ("T", "K"): 10.0, ("C", "K"): 0.0}, abs=1e-9)


@settings(max_examples=15)
@given(st.integers(2, 12), st.integers(0, 1_000))
def test_with_every_cell_an_effect_is_the_t_test_of_the_rows_differences(n_rows: int, seed: int) -> None:
    """Estimate, interval and p-value, for main effects and interactions."""
    cells = noisy(TWO, n_rows, seed)
    by_row = {}
    for row in range(n_rows):
        here = {tuple(cell.levels.values()): cell.value for cell in cells if cell.row == row}
        by_row[row] = sum((1 if key[0] == "hard" else -1) * value for key, value in here.items()) / 4
    test = stats.ttest_1samp(list(by_row.values()), 0)
    (low, high), found = test.confidence_interval(0.95), named(estimate_effects(cells, TWO))[("hard",)]
    assert [found.low, found.high, found.p_value] == pytest.approx(
        [low, high, test.pvalue], rel=1e-6, abs=1e-9
    )


def with_gaps(seed: int = 3) -> list[Cell]:
    """Make cells of which one in seven is missing."""
    rng = np.random.default_rng(seed)
    return [cell for cell in noisy(THREE, 9, 5, hard=0.1) if rng.random() > 0.15]


@pytest.mark.slow  # loading the formulas takes two seconds
def test_with_missing_cells_effects_are_those_of_least_squares_with_a_coefficient_per_row() -> None:
    """Statsmodels' own formula gives the same; its errors by clusters are a little narrower."""
    import pandas as pd
    import statsmodels.formula.api as smf

    cells = with_gaps()
    frame = pd.DataFrame([{**cell.levels, "row": cell.row, "value": cell.value} for cell in cells])
    formula = "value ~ C(row) + C(light, Treatment('soft')) + C(lens, Treatment('wide'))"
    together = formula + " + C(light, Treatment('soft')):C(lens, Treatment('wide'))"
    fit = smf.ols(together, frame).fit(
        cov_type="cluster", cov_kwds={"groups": frame["row"], "use_correction": False}
    )
    found = named(estimate_effects(cells, THREE))
    hard, both = (
        "C(light, Treatment('soft'))[T.hard]",
        "C(light, Treatment('soft'))[T.hard]:C(lens, Treatment('wide'))[T.tele]",
    )
    averaged = fit.t_test(f"{hard} + 0.5 * {both} = 0")
    for effect, of_fit in ((found[("hard",)], averaged), (found["hard", "tele"], fit.t_test(f"{both} = 0"))):
        assert effect.difference == pytest.approx(of_fit.effect.item())
        assert effect.high is not None
        narrow = stats.t.ppf(0.975, 8) * of_fit.sd.item() * (9 / 8) ** 0.5
        assert narrow < effect.high - effect.difference < 1.25 * narrow


def test_with_missing_cells_errors_and_degrees_of_freedom_are_those_of_bell_and_mccaffrey() -> None:
    """Written out with whole matrices and a column for each row, as in their paper."""
    cells = with_gaps()
    model = fit_factors(cells, THREE)
    assert model is not None
    rows = np.array([cell.row for cell in cells])
    numbers = sorted(set(rows))
    dummies = np.array([[float(row == number) for number in numbers] for row in rows])
    coded_by_hand = [
        [a, b, c, a * c, b * c]
        for a, b, c in (
            (
                {"soft": -1, "hard": 1, "dim": 0}[cell.levels["light"]],
                {"soft": -1, "hard": 0, "dim": 1}[cell.levels["light"]],
                {"wide": -1, "tele": 1}[cell.levels["lens"]],
            )
            for cell in cells
        )
    ]
    whole = np.hstack([np.array(coded_by_hand, dtype=float), dummies])
    inverse = np.linalg.inv(whole.T @ whole)
    left = np.eye(len(rows)) - whole @ inverse @ whole.T
    residuals = left @ np.array([cell.value for cell in cells])
    contrast = np.zeros(whole.shape[1])
    contrast[:2] = 2, 1  # hard instead of soft
    vectors, pulls = [], []
    for number in numbers:
        here = rows == number
        values, own = np.linalg.eigh(left[np.ix_(here, here)])
        root = own @ np.diag([value**-0.5 if value > 1e-8 else 0.0 for value in values]) @ own.T
        pull = root @ whole[here] @ inverse @ contrast
        pulls.append(float(pull @ residuals[here]))
        vectors.append(left[:, here] @ pull)
    gram = np.array(vectors) @ np.array(vectors).T
    found = model.effect(("light",), ("hard",))
    assert found.error == pytest.approx(float(np.sum(np.square(pulls)) ** 0.5))
    assert found.freedom == pytest.approx(min(np.trace(gram) ** 2 / np.sum(gram**2), len(numbers) - 1))


def a_model(cells: list[Cell], levels: Mapping[str, list[str]] = TWO) -> FactorModel:
    """Fit a model that there is."""
    model = fit_factors(cells, levels)
    assert model is not None
    return model


def test_what_is_predicted_for_a_combination_is_the_t_test_of_its_rows() -> None:
    """With two factors and every cell, the mean of its own cells, their interval, and means of two levels."""
    two = {"light": TWO["light"], "lens": TWO["lens"]}
    cells = noisy(two, 7, 4, hard=0.1)
    own = [cell.value for cell in cells if cell.levels == {"light": "hard", "lens": "tele"}]
    found = a_model(cells, two).predict({"light": "hard", "lens": "tele"})
    assert found.value == pytest.approx(np.mean(own))
    assert found.error == pytest.approx(stats.sem(own))
    assert found.freedom == pytest.approx(6)
    assert a_model(cells, two).pair_means("light", "lens")[1][1] == pytest.approx(np.mean(own))


def test_the_best_combination_is_found_also_where_it_was_never_made() -> None:
    """Its levels help elsewhere; the prediction holds what it would have scored."""
    worth = {"hard": 0.1, "tele": 0.06, "l": 0.04}
    rng = np.random.default_rng(2)
    cells = cells_of(
        TWO,
        12,
        lambda chosen, _: 0.5 + sum(worth.get(one, 0) for one in chosen.values()) + rng.normal(0, 0.03),
    )
    best = {"light": "hard", "lens": "tele", "size": "l"}
    made = [cell for cell in cells if cell.levels != best]
    found = find_best(made, TWO, [cell.levels for cell in made], is_told=True)
    assert found is not None
    assert found.levels == best
    assert not found.is_made
    assert found.low is not None
    assert found.high is not None
    assert found.low < 0.7 < found.high
    assert "It was never made" in state_best(found)
    again = find_best(cells, TWO, [cell.levels for cell in cells], is_told=True)
    assert again is not None
    assert again.is_made


def test_where_nothing_matters_the_best_is_no_better_than_the_mean() -> None:
    """Or the best of eight would be predicted too high; and it is said that nothing is told."""
    cells = noisy(TWO, 8, 11)
    found = find_best(cells, TWO, [])
    assert found is not None
    plain = max(a_model(cells).predict(cell.levels).value for cell in cells)
    mean = np.mean([cell.value for cell in cells])
    assert found.value - mean < 0.7 * (plain - mean)
    assert "No level is told from another yet" in state_best(found)


def test_false_effects_are_held_over_main_effects_and_interactions_together() -> None:
    """Of 400 campaigns in which nothing matters, with few rows and gaps, at most 7 % name anything."""
    rng = np.random.default_rng(5)
    falsely = 0
    for seed in range(400):
        cells = [cell for cell in noisy(TWO, 4, seed) if rng.random() > 0.1]
        falsely += any(effect.matters for effect in estimate_effects(cells, TWO))
    assert falsely / 400 < 0.07


def test_rows_that_are_harder_change_nothing() -> None:
    """Also when a hard row has lost the cells of one level."""
    cells = [cell for cell in noisy(TWO, 6, 1) if not (cell.row == 0 and cell.levels["light"] == "hard")]
    harder = [Cell(one.levels, one.row, one.value - 0.4 * (one.row == 0)) for one in cells]
    for before, after in zip(estimate_effects(cells, TWO), estimate_effects(harder, TWO), strict=True):
        assert after.difference == pytest.approx(before.difference)
        assert after.low == pytest.approx(before.low)


def test_what_cannot_be_told_is_not_estimated() -> None:
    """One row; factors that vary only together; a design that tells main effects but no interactions."""
    assert estimate_effects(noisy(TWO, 1, 0), TWO) == []
    confounded = [
        one for one in noisy(TWO, 4, 0) if (one.levels["light"] == "hard") == (one.levels["lens"] == "tele")
    ]
    assert estimate_effects(confounded, TWO) == []
    signs = {name: {levels[0]: -1, levels[1]: 1} for name, levels in TWO.items()}
    half = [
        one
        for one in noisy(TWO, 4, 0)
        if np.prod([signs[factor][level] for factor, level in one.levels.items()]) > 0
    ]
    assert [len(effect.factors) for effect in estimate_effects(half, TWO)] == [1, 1, 1]


def test_a_level_that_was_never_made_leaves_the_others() -> None:
    """As after a refusal of all its orders."""
    cells = [cell for cell in noisy(THREE, 5, 2) if cell.levels["light"] != "dim"]
    assert [effect.levels for effect in estimate_effects(cells, THREE)][:2] == [("hard",), ("tele",)]


def test_rows_that_all_agree_exactly_give_no_interval() -> None:
    """There is nothing by which to say how far rows vary."""
    (effect, *_) = estimate_effects(cells_of(TWO, 3, lambda _, row: 0.5 + 0.1 * row), TWO)
    assert (effect.low, effect.p_value, effect.matters) == (None, None, False)


def test_a_planted_effect_is_named_and_no_other() -> None:
    """First what matters, then what does not, then what is open."""
    cells = noisy(TWO, 60, 8, hard=0.08)
    sentence = state_effects(estimate_effects(cells, TWO), "by the judge", lambda value: f"{value:.2f}")
    assert sentence == (
        "By the judge, light matters (+0.08 for hard instead of soft), lens does not (within ±0.02),"
        " size does not (within ±0.02)."
    )


def an_effect(difference: float, reach: float | None, *levels: str, matters: bool = False) -> Effect:
    """Make an effect by hand."""
    low, high = (None, None) if reach is None else (difference - reach, difference + reach)
    factors = ("light", "lens")[: len(levels)]
    return Effect(factors, levels, ("soft", "wide")[: len(levels)], difference, low, high, 0.5, 0.5, matters)


@pytest.mark.parametrize(
    ("effects", "sentence"),
    [
        ([an_effect(0.0, 0.01, "hard")], "By x, light does not matter (within ±0.01)."),
        ([an_effect(0.01, 0.05, "hard")], "By x, light is not settled (−0.04 to +0.06)."),
        ([an_effect(0.01, None, "hard")], "By x, light is not settled."),
        ([an_effect(0.0, 0.0131, "hard")], "By x, light does not matter (within ±0.02)."),
        (
            [
                an_effect(-0.1, 0.05, "hard", matters=True),
                an_effect(0.06, 0.01, "hard", "tele", matters=True),
            ],
            "By x, light matters (−0.10 for hard instead of soft)."
            " Together, light hard with lens tele makes 0.06 more than the two alone.",
        ),
        ([], ""),
    ],
)
def test_sentences(effects: list[Effect], sentence: str) -> None:
    """What is within two points is said not to matter; wider, it is open."""
    assert state_effects(effects, "by x", lambda value: f"{value:.2f}") == sentence
