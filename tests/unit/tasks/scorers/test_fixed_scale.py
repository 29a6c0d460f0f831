"""Pixels at the fixed scale are Pillow's to the last level, however they were computed."""

import numpy as np
import pytest
from PIL import Image

from tasks.scorers.fixed_scale import EDGE_PX, every_other, grey_of, pixels_of, shrunk


def noise(width: int, height: int, mode: str = "RGB") -> Image.Image:
    """Make a picture in which every rounding shows."""
    levels = np.random.default_rng(width).integers(0, 256, (height, width, len(mode)), np.uint8)
    return Image.fromarray(levels)


@pytest.mark.parametrize("size", [(2 * EDGE_PX, 2 * EDGE_PX), (2 * EDGE_PX, 600), (30, 2 * EDGE_PX)])
def test_half_the_size_is_what_pillow_averages(size: tuple[int, int]) -> None:
    """Though OpenCV does it, in a fifth of the time."""
    picture = noise(*size)
    expected = np.asarray(picture.reduce(2))
    assert np.array_equal(shrunk(picture)[..., :3], expected)


@pytest.mark.parametrize("size", [(2 * EDGE_PX, 601), (1536, 1024), (700, 300), (20, 10), (1, 1)])
@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
def test_any_size_comes_to_the_fixed_scale(size: tuple[int, int], mode: str) -> None:
    """A smaller picture stays as it is."""
    pixels = shrunk(noise(*size, mode))
    assert max(pixels.shape[:2]) == min(EDGE_PX, max(size))


@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
@pytest.mark.parametrize("edge", [7, 40, 2100])  # of the largest, Pillow keeps the pixels in several pieces
def test_pixels_and_luminance_are_pillows(mode: str, edge: int) -> None:
    """Levels, alpha and the rounding of luminance."""
    picture = noise(edge, edge, mode)
    pixels = pixels_of(picture)
    assert np.array_equal(pixels[..., : len(mode)], np.asarray(picture))
    assert np.array_equal(grey_of(pixels), np.asarray(picture.convert("L")))
    assert np.array_equal(every_other(pixels).reshape(-1, 4), pixels[::2, ::2].reshape(-1, 4))
