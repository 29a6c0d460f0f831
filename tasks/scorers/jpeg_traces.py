"""Traces of JPEG compression in a decoded picture, measured at full scale on the grid of 8 px.

There are two. Jumps of luminance at the grid show what the eye sees, but a busy or dark picture hides them.
The rounding of the blocks' low frequencies to multiples of a step shows the loss whatever the picture shows,
but only if the pixels were not changed afterwards.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

BLOCK_PX = 8
FREQUENCIES = ((0, 1), (1, 0), (1, 1), (0, 2), (2, 0))
LEAST_BLOCKS = 16
LEAST_SHARE = 0.01
LEAST_FIT = 0.5
UNCLIPPED = 880.0  # limit of a block mean's distance from middle grey, times 8
CHANCE = 0.6  # a step found off the grid may be at most this share of the step found on it
FINE_STEP = 16.0  # saved again with a finer step, a picture keeps the losses of a coarser one

Levels = NDArray[np.uint8]
Plane = NDArray[np.float32]


class Comb(NamedTuple):
    """How well each size of a coefficient, 0-1023, fits the multiples of each step."""

    first_step: int
    least: int
    teeth: NDArray[np.float32]


def _comb(first_step: int, least: int) -> Comb:
    """Make a comb: 1 at the multiples of a step, -1 between them and from ``least`` to half a step.

    JPEG leaves no coefficient between 0 and the first multiple, while in other pictures small coefficients
    are the most frequent. Sizes up to ``least`` are ignored, because decoding rounds to whole levels.
    """
    steps, sizes = np.arange(first_step, 256)[:, None], np.arange(1024)[None]
    teeth = np.where(sizes < steps / 2, -1.0, np.cos(2 * np.pi * sizes / steps))
    teeth[:, : least + 1] = 0
    return Comb(first_step, least, teeth.astype(np.float32))


WAVES = np.array(
    [
        [np.sqrt((2 if k else 1) / BLOCK_PX) * np.cos((2 * x + 1) * k * np.pi / 16) for x in range(BLOCK_PX)]
        for k in range(3)
    ],
    dtype=np.float32,
)
"""The three lowest of the discrete cosine transform's eight waves (JPEG, ITU-T T.81, A.3.3)."""
AC_COMB = _comb(first_step=8, least=3)
DC_COMB = _comb(first_step=16, least=6)  # a flat block is rounded as a whole: 8 in its coefficient


def measure_quantisation(window: Levels) -> float:
    """Find the step that JPEG rounded the low frequencies of luminance to.

    Coefficients of a decoded JPEG are at the multiples of the step (Fan and de Queiroz 2003,
    "Identification of bitmap compression history: JPEG detection and quantizer estimation"). The step of
    each frequency is the one whose multiples fit best; for the blocks' means, their differences are used.
    Flat drawings may fit by chance, but then they fit off the grid too.

    Args:
        window: Luminance, 0-255, uint8, at full scale, its first pixel on the grid.

    Returns:
        The median step of the frequencies that show one, 16-255, a finer one counted as 16; 0 if none does:
        not a JPEG, a very fine one, or one that was resized, shifted or painted over afterwards.
    """
    levels = window.astype(np.float32)
    step = _median_step(levels)
    if not step or _median_step(levels[BLOCK_PX // 2 :, BLOCK_PX // 2 :]) > CHANCE * step:
        return 0.0
    return max(step, FINE_STEP)


def _median_step(window: Plane) -> float:
    rows, columns = window.shape[0] // BLOCK_PX, window.shape[1] // BLOCK_PX
    if min(rows, columns) < 4:
        return 0.0
    whole = window[: rows * BLOCK_PX, : columns * BLOCK_PX]
    lines = WAVES @ whole.reshape(rows, BLOCK_PX, columns * BLOCK_PX)
    waves = (lines.reshape(-1, BLOCK_PX) @ WAVES.T).reshape(rows, 3, columns, 3)
    means = waves[:, 0, :, 0]
    is_whole = np.abs(means - 128 * BLOCK_PX) < UNCLIPPED  # clipped blocks are at no multiple
    enough = max(LEAST_BLOCKS, LEAST_SHARE * rows * columns)
    found = [_best_step(waves[:, k, :, m][is_whole], AC_COMB, enough) for k, m in FREQUENCIES]
    across = np.diff(means, axis=1)[is_whole[:, 1:] & is_whole[:, :-1]]
    down = np.diff(means, axis=0)[is_whole[1:] & is_whole[:-1]]
    found.append(_best_step(np.concatenate([across, down]), DC_COMB, enough))
    steps = [step for step in found if step is not None]
    return float(np.median(steps)) if steps else 0.0


def _best_step(coefficients: NDArray[np.floating], comb: Comb, enough: float) -> int | None:
    """Return the largest step that fits about as well as any: its divisors fit too."""
    sizes = np.bincount(np.minimum(np.abs(coefficients) + 0.5, 1023).astype(np.intp))
    informative = int(sizes[comb.least + 1 :].sum())
    if informative < enough:
        return None
    fits = comb.teeth[:, : sizes.size] @ sizes.astype(np.float32) / informative  # larger ones there are none
    if fits.max() < LEAST_FIT:
        return None
    last = int(np.flatnonzero(fits >= 0.9 * fits.max())[-1])
    first = max(0, int(0.85 * (last + comb.first_step)) - comb.first_step)
    return comb.first_step + first + int(fits[first : last + 1].argmax())


def measure_blocking(window: Levels) -> float:
    """Measure how much more luminance jumps at the grid than in mid-block, as a multiple, 0 and up."""
    import cv2

    turned = np.asarray(cv2.transpose(window), np.uint8)
    return max(0.0, (_grid_jump(window) + _grid_jump(turned)) / 2)


def _grid_jump(window: Levels) -> float:
    """Measure how much more neighbours differ across the grid than in mid-block, relative to mid-block.

    Mid-block is 4 px away, so that a picture enlarged two or four times does not look like JPEG.
    """
    import cv2

    if window.shape[1] < 24:
        return 0.0
    jumps = cv2.absdiff(window[:, 1:], window[:, :-1])
    _, limited = cv2.threshold(jumps, 24, 0, cv2.THRESH_TRUNC)
    steps = cv2.reduce(limited, 0, cv2.REDUCE_AVG, dtype=cv2.CV_32F)[0]
    at_grid = np.arange(7, steps.size - 4, 8)
    beside = (steps[at_grid - 4] + steps[at_grid + 4]) / 2
    return float((steps[at_grid] - beside).mean() / (beside.mean() + 1))
