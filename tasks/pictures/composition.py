"""Composition: how well two pictures that lie on one another agree at a glance, whatever their details.

Structural similarity (Wang et al. 2004, "Image quality assessment: from error visibility to structural
similarity") of copies of 64 px, weighted by what either shows, times the agreement of their colours.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from tasks.pictures.looks import Grey, Pixels, cells_of, size_with_edge

EDGE_PX = 64

_C1, _C2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
_HALF_CHROMA_LEVELS = 24
_SMOOTHING_PX = 1.5
_LEFT_OUT_PX = 2

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class SmallCopy:
    """A copy of 64 px.

    Args:
        levels: uint8, shape (height, width, 3): luminance, red and blue difference (YCrCb).
        size: Height and width of what it was made from, pixels.
    """

    levels: Pixels
    size: tuple[int, int]


def small_copy(pixels: Pixels, cells: Grey | None = None) -> SmallCopy:
    """Make the copy by which compositions are compared.

    Args:
        pixels: uint8, shape (height, width, 3), RGB.
        cells: Their ``cells_of``, where these are known.
    """
    import cv2

    height, width = pixels.shape[:2]
    cells = cells_of(pixels) if cells is None else cells
    small = cv2.resize(cells, size_with_edge(width, height, EDGE_PX), interpolation=cv2.INTER_AREA)
    levels = cv2.cvtColor(np.rint(small).astype(np.uint8), cv2.COLOR_RGB2YCrCb)
    return SmallCopy(np.asarray(levels, np.uint8), (height, width))


def small_weights(covered: NDArray[np.bool_]) -> Floats:
    """Tell how much of each pixel of a copy counts, 0-1.

    Args:
        covered: Which pixels of the picture count, shape (height, width).
    """
    import cv2

    height, width = covered.shape
    size = size_with_edge(width, height, EDGE_PX)
    return np.asarray(cv2.resize(covered.astype(np.float32), size, interpolation=cv2.INTER_AREA), np.float32)


@lru_cache(maxsize=16)
def weights_in_place(height: int, width: int) -> Floats:
    """Tell the same for pictures of one size that lie frame on frame, where the outer pixels do not count."""
    covered = np.zeros((height, width), np.bool_)
    covered[_LEFT_OUT_PX:-_LEFT_OUT_PX, _LEFT_OUT_PX:-_LEFT_OUT_PX] = True
    return small_weights(covered)


def compositions(one: SmallCopy, others: Sequence[SmallCopy], weights: Floats) -> Floats:
    """Compare a copy with others of its size.

    Args:
        one: A copy.
        others: Other ones, of the same height and width.
        weights: How much of each pixel counts, 0-1, shape (height, width).

    Returns:
        0 to 1, one for each.
    """
    first = one.levels.astype(np.float32)
    mean, square = _means(first[..., 0], first[..., 0] ** 2)
    variance = np.maximum(square - mean**2, 0)
    found = [
        _composition(first, mean, variance, other.levels.astype(np.float32), weights) for other in others
    ]
    return np.array(found, np.float32)


def _composition(first: Floats, mean_1: Floats, var_1: Floats, second: Floats, weights: Floats) -> float:
    """Compare two copies; of the first its local means and variances are known."""
    luma = second[..., 0]
    mean_2, square, product = _means(luma, luma * luma, first[..., 0] * luma)
    means, squares = mean_1 * mean_2, mean_1**2 + mean_2**2
    variances = var_1 + np.maximum(square - mean_2**2, 0)
    ssim = (2 * means + _C1) * (2 * (product - means) + _C2) / ((squares + _C1) * (variances + _C2))
    counting = weights * np.sqrt(variances + 1)
    apart = first[..., 1:] - second[..., 1:]
    chroma = np.sqrt(apart[..., 0] ** 2 + apart[..., 1] ** 2)
    total = float(counting.sum())
    if not total:
        return 0.0  # a strip of which nothing is left within its edges
    structure = max(0.0, float(np.vdot(ssim, counting)) / total)
    colour = 1 / (1 + (float(np.vdot(chroma, counting)) / total / _HALF_CHROMA_LEVELS) ** 2)
    return min(1.0, structure * colour)


def _means(*levels: Floats) -> tuple[Floats, ...]:
    """Take the local means of pictures of one size."""
    import cv2

    found = cv2.GaussianBlur(np.dstack(levels), (0, 0), _SMOOTHING_PX)
    return tuple(np.asarray(each, np.float32) for each in cv2.split(found))
