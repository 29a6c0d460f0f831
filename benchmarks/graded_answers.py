"""Whether graded answers tell two arms apart with half of the pictures that yes or no needs.

Nearly all pictures fulfil the statement: 98 % of one arm's, 96 % (or 99 %) of the other's. How sure the judge
is of a yes differs from picture to picture; the log-odds are normal around the arm's mean, with a spread that
says how soon the judge is sure of itself. Each answer is a yes if its probability is over a half, else a no.
Arms are compared as in a report: rows of 4 pictures, the difference of means by row. ``yes or no`` has N
rows, ``probability`` and ``word of five`` half as many. A last part is a judge that knows only two kinds of
pictures, right ones and wrong ones: then the probability says nothing that yes or no does not.

Run: python -m benchmarks.graded_answers [campaigns, default 400]
"""

import sys
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy import special, stats

from benchmarks.figures import write_figures
from tasks.ab_test.paired_rows import row_difference
from tasks.judging.forms import CERTAINTY

Floats = NDArray[np.float64]
REPLICATES = 4
ROW_SHARE = 0.3
"""Share of the variance that the pictures of a row have in common, in both arms."""
SPREADS = (1.0, 2.0, 4.0, 8.0)
PAIRS = ((0.98, 0.96), (0.98, 0.99), (0.98, 0.98))
TARGET = 0.8
WORDS = np.array(sorted(CERTAINTY.values()))

Draw = Callable[[np.random.Generator, int], tuple[Floats, Floats]]


def main() -> None:
    """Print the table and write it into the README."""
    campaigns = int(sys.argv[1]) if len(sys.argv) > 1 else 400
    lines = [
        f"`python -m benchmarks.graded_answers`, {campaigns} campaigns for each figure: how often the arms"
        " are told apart (5 % level) by N rows of yes or no, and by half as many of the others.",
        "",
        "| judge's log-odds | yes of A and B | N | yes or no | probability, N / 2 | word of five, N / 2 |",
        "|---|---|---|---|---|---|",
    ]
    for spread in SPREADS:
        for pair in PAIRS:
            lines.append(_row(f"normal, spread {spread:g}", pair, _normal(spread, pair), campaigns))
    for pair in PAIRS[:1]:
        lines.append(_row("two kinds, ±4 ± 1", pair, _two_kinds(pair), campaigns))
    text = "\n".join(lines)
    print(text)
    write_figures("benchmarks.graded_answers", text)


def _row(name: str, pair: tuple[float, float], draw: Draw, campaigns: int) -> str:
    rows = _rows_needed(pair)
    figures = [
        _power(draw, rows, campaigns, lambda chances: (chances > 0.5).astype(float)),
        _power(draw, rows // 2, campaigns, lambda chances: chances),
        _power(draw, rows // 2, campaigns, _as_words),
    ]
    shares = " | ".join(f"{figure:.1%}" for figure in figures)
    return f"| {name} | {pair[0]:.0%}, {pair[1]:.0%} | {rows} | {shares} |"


def _rows_needed(pair: tuple[float, float]) -> int:
    """Return about how many rows yes or no needs to tell two shares apart in four of five campaigns."""
    first, second = pair if pair[0] != pair[1] else PAIRS[0]
    z = stats.norm.ppf(0.975) + stats.norm.ppf(TARGET)
    per_arm = z**2 * (first * (1 - first) + second * (1 - second)) / (first - second) ** 2
    return 2 * round(float(per_arm) / REPLICATES / 2)


def _as_words(chances: Floats) -> Floats:
    """Round to the nearest word of five, as a judge that chooses one does."""
    return np.asarray(WORDS[np.abs(chances[..., None] - WORDS).argmin(axis=-1)])


def _power(draw: Draw, rows: int, campaigns: int, read: Callable[[Floats], Floats]) -> float:
    rng = np.random.default_rng([rows, 3])
    found = 0
    for _ in range(campaigns):
        first, second = (dict(enumerate(read(arm).tolist())) for arm in draw(rng, rows))
        p_value = row_difference(first, second).p_value
        found += p_value is not None and p_value < 0.05
    return found / campaigns


def _normal(spread: float, pair: tuple[float, float]) -> Draw:
    def draw(rng: np.random.Generator, rows: int) -> tuple[Floats, Floats]:
        of_row = rng.normal(0, np.sqrt(ROW_SHARE), (rows, 1))
        first, second = (
            special.expit(
                spread
                * (stats.norm.ppf(share) + of_row + rng.normal(0, np.sqrt(1 - ROW_SHARE), (rows, REPLICATES)))
            )
            for share in pair
        )
        return first, second

    return draw


def _two_kinds(pair: tuple[float, float]) -> Draw:
    def draw(rng: np.random.Generator, rows: int) -> tuple[Floats, Floats]:
        first, second = (
            special.expit(
                np.where(rng.random((rows, REPLICATES)) < share, 4.0, -4.0)
                + rng.normal(0, 1, (rows, REPLICATES))
            )
            for share in pair
        )
        return first, second

    return draw


if __name__ == "__main__":
    main()
