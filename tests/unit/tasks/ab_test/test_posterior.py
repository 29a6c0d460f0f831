"""What is expected of combinations: against whole matrices, and where levels do and do not add up."""

import itertools
from collections.abc import Sequence

import numpy as np
import pytest

from tasks.ab_test.factor_model import Cell
from tasks.ab_test.posterior import MAINS, OWN, TOGETHER, Posterior, fit_posterior

FACTORS = ("light", "lens", "size")
COMBINATIONS = [dict(zip(FACTORS, each, strict=True)) for each in itertools.product("ab", "cd", "ef")]


def drawn(means: Sequence[float], rows: int, seed: int, rounds: int = 1) -> list[Cell]:
    """Draw two or three pictures of every combination, row and round."""
    rng = np.random.default_rng(seed)
    cells = []
    for round_, row in itertools.product(range(rounds), range(rows)):
        easy = rng.normal(0.5, 0.2)
        for place, (each, mean) in enumerate(zip(COMBINATIONS, means, strict=True)):
            scores = rng.normal(easy + mean, 0.1, 2 + place % 2)
            squares = float(((scores - scores.mean()) ** 2).sum())
            cells.append(Cell(each, row, float(scores.mean()), len(scores), squares, round_))
    return cells


def fitted(cells: Sequence[Cell]) -> Posterior:
    """Fit a posterior that there is."""
    found = fit_posterior(cells, FACTORS)
    assert found is not None
    return found


def test_a_posterior_is_that_of_whole_matrices() -> None:
    """Every cell by itself, a wide prior for each block, and the grid weighed by the density of the cells."""
    cells = drawn([0.1 * (place % 3) for place in range(8)], 3, 4)
    found = fitted(cells)
    arms = np.array([[float(cell.levels == each) for each in COMBINATIONS] for cell in cells])
    blocks = np.array([[float(cell.row == row) for row in range(3)] for cell in cells])
    values = np.array([cell.value for cell in cells])
    noise = _noise_of(cells, arms, blocks, values)
    wide, likely, means = 1e4, [], []
    for variances in found.variances:
        prior = sum(size * kind for size, kind in zip(variances, _alike(), strict=True))
        whole = arms @ prior @ arms.T + wide * blocks @ blocks.T + np.diag(noise)
        solved = np.linalg.solve(whole, values - 0.5)
        likely.append(-0.5 * (np.linalg.slogdet(whole)[1] + (values - 0.5) @ solved))
        means.append(prior @ arms.T @ solved)
    points = itertools.product(MAINS, TOGETHER, OWN)
    before = np.array([of_two * of_own for _, (_, of_two), (_, of_own) in points])
    weights = before * np.exp(np.array(likely) - max(likely))
    assert found.weights == pytest.approx(weights / weights.sum(), abs=1e-4)
    expected = found.weights @ np.array(means)
    mine = found.means(COMBINATIONS)
    assert mine - mine.mean() == pytest.approx(expected - expected.mean(), abs=1e-4)


def _alike() -> list[np.ndarray]:
    """Make the covariance of what combinations share: levels, pairs of levels, all."""
    same = np.array([[[a[f] == b[f] for f in FACTORS] for b in COMBINATIONS] for a in COMBINATIONS])
    levels = same.sum(axis=2)
    return [levels.astype(float), levels * (levels - 1) / 2, (levels == 3).astype(float)]


def _noise_of(cells: Sequence[Cell], arms: np.ndarray, blocks: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Return each cell's variance: what arms and blocks leave, divided as the pictures within cells say."""
    design = np.hstack([arms, blocks])
    left = values - design @ np.linalg.lstsq(design, values, rcond=None)[0]
    total = float(left @ left) / (len(cells) - np.linalg.matrix_rank(design))
    counts = np.array([cell.pictures for cell in cells])
    of_picture = sum(cell.squares for cell in cells) / (counts - 1).sum()
    shape = max(total - of_picture * np.mean(1 / counts), 0.0) + of_picture / counts
    return np.asarray(total * shape / shape.mean())


def test_levels_that_add_up_are_known_better_than_any_arm() -> None:
    """What is expected of the best of eight misses it less than its own mean does."""
    means = [0.06 * (each["light"] == "b") + 0.03 * (each["lens"] == "d") for each in COMBINATIONS]
    missed: dict[str, list[float]] = {"expected": [], "own": []}
    for seed in range(40):
        cells = drawn(means, 4, seed)
        own = [np.mean([cell.value for cell in cells if cell.levels == each]) for each in COMBINATIONS]
        for name, values in (("expected", fitted(cells).means(COMBINATIONS)), ("own", np.array(own))):
            missed[name].append(max(means) - means[int(np.argmax(values))])
    assert np.mean(missed["expected"]) < 0.6 * np.mean(missed["own"])


def test_levels_that_only_work_together_are_found_too() -> None:
    """One combination is good, and no sum of levels says so."""
    means = [0.3 if each == COMBINATIONS[6] else 0.0 for each in COMBINATIONS]
    values = fitted(drawn(means, 6, 1)).means(COMBINATIONS)
    assert int(np.argmax(values)) == 6
    assert values[6] - np.delete(values, 6).max() > 0.15


def test_the_spread_of_a_difference_shrinks_with_rows_and_is_none_to_itself() -> None:
    """Of the first combination from the first: nothing."""
    few, many = (fitted(drawn([0.0] * 7 + [0.2], rows, 3)).spread(COMBINATIONS, 0) for rows in (3, 30))
    assert few[0] == pytest.approx(0, abs=1e-9)
    assert many[7] < few[7]


def test_what_changes_between_rounds_is_no_difference_between_arms() -> None:
    """The second round scores better throughout, and has only half of the arms."""
    cells = [
        Cell(cell.levels, cell.row, cell.value + 0.4 * cell.round, cell.pictures, cell.squares, cell.round)
        for cell in drawn([0.0] * 8, 8, 5, rounds=2)
        if not cell.round or cell.levels["light"] == "b"
    ]
    values = fitted(cells).means(COMBINATIONS)
    assert np.ptp(values) < 0.05


def test_of_cells_without_noise_there_is_no_posterior() -> None:
    """They do not show how far others would vary."""
    cells = [Cell(each, row, 0.5) for each in COMBINATIONS for row in range(3)]
    assert fit_posterior(cells, FACTORS) is None
    assert fit_posterior(cells[:3], FACTORS) is None
