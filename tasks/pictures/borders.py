"""Borders: what a picture shows within a border that was put round it.

A border is made of bands along the edges, each of one colour: a white margin, black bars above and below, a
mount with a line round it. The ground that a product stands on is one too, so what is found within may also
be the product itself, cut out closely.
"""

import numpy as np
from numpy.typing import NDArray

_MOST_BANDS = 4
_TOLERANCE_LEVELS = 14
_PLAIN_SHARE = 0.98
_LEAST_CUT_SHARE = 0.04
_LEAST_LEFT_SHARE = 0.4
_LINES_AT_ONCE = 8
_MARGIN_PX = 1
"""The pixel beside a band is mixed from both sides when a picture is reduced."""

Pixels = NDArray[np.uint8]


def within_borders(pixels: Pixels) -> list[Pixels]:
    """Cut off the bands along the edges, one after another.

    Args:
        pixels: uint8, shape (height, width, 3).

    Returns:
        What lies within the first band, within the second, and so on, for as long as that is most of the
        picture. Which of them is the border and which the picture's own ground cannot be told by itself.
    """
    height, width = pixels.shape[:2]
    found, inner = [], pixels
    for _ in range(_MOST_BANDS):
        cut = _without_band(inner)
        if cut.shape == inner.shape or min(cut.shape[0] / height, cut.shape[1] / width) < _LEAST_LEFT_SHARE:
            break
        inner = cut
        if min(inner.shape[0] / height, inner.shape[1] / width) <= 1 - _LEAST_CUT_SHARE:
            found.append(inner)
    return found


def _without_band(pixels: Pixels) -> Pixels:
    """Cut off one band from every edge that has one."""
    height, width = pixels.shape[:2]
    top, bottom = (_band_px(pixels[::step]) for step in (1, -1))
    left, right = (_band_px(pixels[:, ::step].swapaxes(0, 1)) for step in (1, -1))
    if top + bottom >= height or left + right >= width:
        return pixels[:0]
    return pixels[top : height - bottom, left : width - right]


def _band_px(lines: Pixels) -> int:
    """Count the lines from the first one on that have the first one's colour nearly everywhere."""
    first = np.sort(lines[0], axis=0).astype(np.int16)
    colour = (first[(len(first) - 1) // 2] + first[len(first) // 2]) // 2  # np.median takes ten times as long
    if not _are_of_colour(lines[:1], colour).all():
        return 0  # most pictures have no border, and the first line tells
    count = 0
    for start in range(0, len(lines), _LINES_AT_ONCE):
        is_band = _are_of_colour(lines[start : start + _LINES_AT_ONCE], colour)
        if not is_band.all():
            count += int(np.argmin(is_band))
            break
        count += len(is_band)
    return count + _MARGIN_PX


def _are_of_colour(lines: Pixels, colour: NDArray[np.int16]) -> NDArray[np.bool_]:
    """Tell which lines have a colour nearly everywhere."""
    is_near = np.abs(lines.astype(np.int16) - colour) <= _TOLERANCE_LEVELS
    is_plain = is_near[..., 0] & is_near[..., 1] & is_near[..., 2]  # all(axis=2) takes ten times as long
    found: NDArray[np.bool_] = is_plain.mean(axis=1) >= _PLAIN_SHARE
    return found
