"""Populations of scores, behaved and awkward, to try the A/B test on; the truth of each is known.

A population draws one campaign of two arms: for each arm the scores of its pictures, shape (rows,
replicates), NaN where there is no picture. Prompts are of unequal difficulty in most of them.
"""

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Arms = tuple[Floats, Floats]
Draw = Callable[[np.random.Generator, int, int], Arms]

PROMPT_SPREAD = PICTURE_SPREAD = 0.1
LIFT = 0.05
COPY_NOISE = 0.02
"""By how much two measurements of one picture, such as of a copy cropped a little, differ."""
BREAK = 0.5
"""What a picture loses in a row in which its arm fails."""
DRAWN_FOR_TRUTH = 1_000_000


class Population(NamedTuple):
    """What scores are like, with equal arms and with a better one.

    Args:
        name: In a few words.
        equal: Draws two equal arms.
        unequal: Draws a worse arm and a better one.
    """

    name: str
    equal: Draw
    unequal: Draw


def smooth(rng: np.random.Generator, rows: int, replicates: int, *, unlike: float, lift: float = 0.0) -> Arms:
    """Draw normal scores; each arm's effect differs from row to row by ``unlike``."""
    prompts = rng.normal(0.5, PROMPT_SPREAD, (rows, 1))
    effects = rng.normal(0, unlike, (2, rows, 1)) + np.array([0, lift])[:, None, None]
    first, second = prompts + effects + rng.normal(0, PICTURE_SPREAD, (2, rows, replicates))
    return first, second


def five_points(
    rng: np.random.Generator, rows: int, replicates: int, *, middle: float, lift: float = 0.0
) -> Arms:
    """Draw scores of 0, 0.25, 0.5, 0.75 and 1."""
    first, second = smooth(rng, rows, replicates, unlike=0.05, lift=lift)
    return _round(first - 0.5 + middle), _round(second - 0.5 + middle)


def _round(scores: Floats) -> Floats:
    rounded: Floats = np.round(np.clip(scores, 0, 1) * 4) / 4
    return rounded


def heavy_tails(rng: np.random.Generator, rows: int, replicates: int, *, lift: float = 0.0) -> Arms:
    """Draw scores around their prompt by Student's t of two degrees of freedom."""
    prompts = rng.normal(0.5, PROMPT_SPREAD, (rows, 1))
    noise = 0.05 * rng.standard_t(2, (2, rows, replicates))
    return np.clip(prompts + noise[0], 0, 1), np.clip(prompts + lift + noise[1], 0, 1)


def ceiling(rng: np.random.Generator, rows: int, replicates: int, *, full: tuple[float, float]) -> Arms:
    """Draw full marks for these shares of the arms' pictures, fewer in some rows; else 0.25, 0.5 or 0.75."""
    first, second = (_full_marks(rng, rows, replicates, share) for share in full)
    return first, second


def _full_marks(rng: np.random.Generator, rows: int, replicates: int, share: float) -> Floats:
    odds = rng.beta(3 * share, 3 * (1 - share), (rows, 1))
    scores: Floats = rng.choice([0.25, 0.5, 0.75], (rows, replicates))
    return np.where(rng.random((rows, replicates)) < odds, 1.0, scores)


def refusals(rng: np.random.Generator, rows: int, replicates: int, *, lift: float = 0.0) -> Arms:
    """Draw scores of which the second arm lacks the more, the harder the prompt is."""
    prompts = rng.normal(0.5, PROMPT_SPREAD, (rows, 1))
    first, second = prompts + rng.normal(0, PICTURE_SPREAD, (2, rows, replicates))
    refused = rng.random((rows, replicates)) < np.clip(0.5 - 4 * (prompts - 0.45), 0, 0.9)
    return first, np.where(refused, np.nan, second + lift)


def unequal_replicates(rng: np.random.Generator, rows: int, replicates: int, *, lift: float = 0.0) -> Arms:
    """Draw scores of any number of pictures from one to twice as many as usual."""
    first, second = smooth(rng, rows, 2 * replicates, unlike=0.03, lift=lift)
    return _keep_some(rng, first), _keep_some(rng, second)


def _keep_some(rng: np.random.Generator, scores: Floats) -> Floats:
    numbers = rng.integers(1, scores.shape[1] + 1, (len(scores), 1))
    return np.where(np.arange(scores.shape[1]) < numbers, scores, np.nan)


def breaks(
    rng: np.random.Generator, rows: int, replicates: int, *, shares: tuple[float, float] = (0.1, 0.0)
) -> Arms:
    """Draw scores of which each arm loses a half in a share of the rows."""
    first, second = smooth(rng, rows, replicates, unlike=0.0)
    lost = rng.random((2, rows, 1)) < np.array(shares)[:, None, None]
    return first - BREAK * lost[0], second - BREAK * lost[1]


POPULATIONS = (
    Population("smooth", partial(smooth, unlike=0.03), partial(smooth, unlike=0.03, lift=LIFT)),
    Population("row-dependent", partial(smooth, unlike=0.1), partial(smooth, unlike=0.1, lift=LIFT)),
    Population("five points", partial(five_points, middle=0.7), partial(five_points, middle=0.7, lift=LIFT)),
    Population("five, high", partial(five_points, middle=0.9), partial(five_points, middle=0.8, lift=0.1)),
    Population("heavy tails", heavy_tails, partial(heavy_tails, lift=LIFT)),
    Population("ceiling 0.9", partial(ceiling, full=(0.9, 0.9)), partial(ceiling, full=(0.9, 0.98))),
    Population("ceiling 0.98", partial(ceiling, full=(0.98, 0.98)), partial(ceiling, full=(0.98, 0.995))),
    Population("ceil 0.94/0.98", partial(ceiling, full=(0.94, 0.94)), partial(ceiling, full=(0.94, 0.98))),
    Population("hard refusals", refusals, partial(refusals, lift=LIFT)),
    Population("1 to 6 pictures", unequal_replicates, partial(unequal_replicates, lift=LIFT)),
)


def truth_of(draw: Draw) -> float:
    """Return the true difference of the arms over rows in which both have a score: first minus second."""
    first, second = draw(np.random.default_rng(0), DRAWN_FOR_TRUTH, 1)
    return float(np.nanmean(first[:, 0] - second[:, 0]))


def draw_copies(rng: np.random.Generator, rows: int) -> tuple[list[Floats], list[Floats]]:
    """Draw two equal arms of four pictures a row, of which half of the first's are copies of the others.

    Returns:
        For each arm its clusters, row after row, each the scores of its pictures: two or one.
    """
    prompts = rng.normal(0.6, PROMPT_SPREAD, rows)
    copied = [
        prompt + rng.normal(0, 0.01) + rng.normal(0, COPY_NOISE, 2) for prompt in prompts for _ in range(2)
    ]
    single = [
        prompt + rng.normal(0, 0.01) + rng.normal(0, COPY_NOISE, 1) for prompt in prompts for _ in range(4)
    ]
    return copied, single
