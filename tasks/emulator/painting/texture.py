"""Noise and gradients: what makes flat colour look like cloud, ridge, paper or paint."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from tasks.own_process import load_scipy

Floats = NDArray[np.floating[Any]]
Chance = np.random.Generator


def resized(field: Floats, width: int, height: int) -> Floats:
    """Scale a field of shape (h, w) smoothly.

    Args:
        field: Shape (h, w).
        width: Pixels.
        height: Pixels.
    """
    picture = Image.fromarray(np.ascontiguousarray(field, np.float32))
    return np.asarray(picture.resize((width, height), Image.Resampling.BICUBIC), np.float32)


def clouds(chance: Chance, width: int, height: int, cells: tuple[float, float], octaves: int) -> Floats:
    """Fractal noise in about [0, 1], mean near 0.5.

    Args:
        chance: Source of chance; the pattern does not depend on the resolution.
        width: Pixels.
        height: Pixels.
        cells: How many bumps of the coarsest octave across and down.
        octaves: Each one twice as fine and half as strong.
    """
    field = np.zeros((height, width), np.float32)
    strength, total = 1.0, 0.0
    for octave in range(octaves):
        across, down = (max(2, round(count * 2**octave) + 1) for count in cells)
        grid = chance.random((down, across), np.float32)
        if across <= width or down <= height:
            field += strength * resized(grid, width, height)
            total += strength
        strength /= 2
    field /= max(total, 1e-6)
    return np.asarray(np.clip((field - 0.5) * 1.6 + 0.5, 0, 1), np.float32)


def ridge(chance: Chance, width: int, bumps: float, octaves: int) -> Floats:
    """A skyline: fractal noise along a line, shape (width,), in [0, 1].

    Args:
        chance: Source of chance.
        width: Pixels.
        bumps: How many hills the widest octave has.
        octaves: How many octaves of noise are added up.
    """
    line = np.zeros(width, np.float32)
    at = np.linspace(0, 1, width)
    strength = 1.0
    for octave in range(octaves):
        knots = max(3, round(bumps * 2**octave) + 2)
        heights = chance.random(knots)
        place = at * (knots - 1)
        left = np.minimum(place.astype(int), knots - 2)
        t = place - left
        t = t * t * (3 - 2 * t)
        line += strength * (heights[left] * (1 - t) + heights[left + 1] * t).astype(np.float32)
        strength *= 0.48
    line -= line.min()
    return line / max(float(line.max()), 1e-6)


def blend(first: Floats, second: Floats, amount: Floats | float) -> Floats:
    """Mix two colours or pictures; ``amount`` 1 is all of the second.

    Args:
        first: A colour or a picture.
        second: Another one of a shape that broadcasts with it.
        amount: Share of the second, 0-1.
    """
    return np.asarray(first + (second - first) * amount, np.float32)


def smoothstep(low: float, high: float, value: Floats) -> Floats:
    """Rise smoothly from 0 at ``low`` to 1 at ``high``.

    Args:
        low: Where it is 0.
        high: Where it is 1.
        value: What is mapped.
    """
    t = np.clip((value - low) / (high - low), 0, 1)
    return np.asarray(t * t * (3 - 2 * t), np.float32)


def colour(text: str) -> Floats:
    """Read ``rrggbb``."""
    return np.array([int(text[place : place + 2], 16) / 255 for place in (0, 2, 4)], np.float32)


def luminance(pixels: Floats) -> Floats:
    """How bright, shape (height, width)."""
    return np.asarray(pixels @ np.array([0.299, 0.587, 0.114], np.float32), np.float32)


def blurred(field: Floats, radius_px: float) -> Floats:
    """Blur a field of shape (h, w) or (h, w, 3) softly; wide radii are done on a smaller copy."""
    if field.ndim == 3:
        return np.stack([blurred(field[..., channel], radius_px) for channel in range(3)], axis=-1)
    height, width = field.shape
    shrink = max(1, int(radius_px // 2))
    small = resized_box(field, max(2, width // shrink), max(2, height // shrink))
    for axis in (0, 1):
        small = _spread(small, radius_px / shrink, axis)
    return resized(small, width, height) if shrink > 1 else small


def resized_box(field: Floats, width: int, height: int) -> Floats:
    """Shrink a field of shape (h, w) by averaging.

    Args:
        field: Shape (h, w).
        width: Pixels.
        height: Pixels.
    """
    picture = Image.fromarray(np.ascontiguousarray(field, np.float32))
    return np.asarray(picture.resize((width, height), Image.Resampling.BOX), np.float32)


def _spread(field: Floats, sigma_px: float, axis: int) -> Floats:
    load_scipy()
    from scipy.ndimage import gaussian_filter1d

    return np.asarray(gaussian_filter1d(field, max(sigma_px, 0.3), axis=axis, mode="nearest", truncate=2.5))
