"""Tone: the edit of brightness and contrast that lies between two pictures that were laid on one another.

It is looked for in two ways: one gain and one offset fitted to everything, and, where a picture ran into
white, one gain alone. There the levels that are left span too little for a gain and an offset to be told
apart, while the edit that clips most is the plainest: every level times one factor.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tasks.pictures.looks import Grey, Pixels, cells_of

MOST_GAIN = 1.3
MOST_OFFSET_LEVELS = 30.0

PLAIN_RANGE_LEVELS = 10.0
"""A picture whose levels lie closer together shows no more than a ground of one colour."""

LEAST_COVERED_SHARE = 0.6
"""Of a cell, below which it does not count."""

_NOT_CLIPPED = 4, 251
_LEAST_CELLS = 60
_LEAST_AGREEMENT = 0.8
_LEAST_BRIGHTENING = 1.02
_LEAST_CLIPPED_SHARE = 0.05
_LEAST_WHITE_CELLS = 0.02

Where = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Tone:
    """The edit of brightness and contrast that was taken out: the second picture is gain x first + offset.

    Args:
        gain: 1 is none; within `MOST_GAIN` either way.
        offset_levels: 0-255 levels; within `MOST_OFFSET_LEVELS` either way.
    """

    gain: float = 1.0
    offset_levels: float = 0.0


def tones(one: Pixels, other: Pixels, where: Where) -> Iterator[Tone]:
    """Yield the edits of brightness and contrast that may lie between two pictures, the likeliest first.

    Args:
        one: uint8, shape (height, width, 3).
        other: The same shape.
        where: Which pixels count, shape (height, width).
    """
    share, first, second = (cells_of(levels) for levels in (where, one, other))
    full = share > LEAST_COVERED_SHARE
    if not full.any():
        yield Tone()
        return
    ranges = [range_levels(each[full]) for each in (first, second)]
    yield _fit_both(first[full], second[full]) if min(ranges) >= PLAIN_RANGE_LEVELS else Tone()
    if max(ranges) >= PLAIN_RANGE_LEVELS:
        gain = _fit_gain((one, other), (first, second), where)
        if gain is not None:
            yield Tone(gain)


def _fit_both(first: Grey, second: Grey) -> Tone:
    """Fit one gain and one offset for all channels to means of 4 x 4 pixels, shape (cells, 3).

    The gain is the ratio of both spreads (the geometric mean of the two regressions), which noise in either
    does not bias. What is clipped in either picture is left out, and in the end what does not fit.
    """
    x, y = first.ravel().astype(float), second.ravel().astype(float)
    low, high = _NOT_CLIPPED
    fair = (x >= low) & (x <= high) & (y >= low) & (y <= high)
    tone = Tone()
    for most_levels in (60, 30, 15):
        left = np.abs(y - tone.gain * x - tone.offset_levels)
        kept = fair & (left <= most_levels)
        if kept.sum() < _LEAST_CELLS:
            return Tone()
        tone = _tone_of(x[kept], y[kept])
    return tone


def range_levels(cells: NDArray[Any]) -> float:
    """Return how far apart the darkest and the lightest cell lie, in the channel where it is most, 0-255.

    Args:
        cells: Means of 4 x 4 pixels, in which noise and compression leave little; shape (cells, channels).
    """
    channels = np.ascontiguousarray(cells.T)  # thirty times faster than along a last axis of three
    return float((channels.max(axis=1) - channels.min(axis=1)).max())


def _tone_of(x: NDArray[np.float64], y: NDArray[np.float64]) -> Tone:
    spread, other_spread = float(x.std()), float(y.std())
    shared = float((x * y).mean() - x.mean() * y.mean())
    if shared <= _LEAST_AGREEMENT * spread * other_spread:
        return Tone()
    gain = min(max(other_spread / spread, 1 / MOST_GAIN), MOST_GAIN)
    offset = float(y.mean()) - gain * float(x.mean())
    return Tone(gain, min(max(offset, -MOST_OFFSET_LEVELS), MOST_OFFSET_LEVELS))


def _fit_gain(pictures: tuple[Pixels, Pixels], cells: tuple[Grey, Grey], where: Where) -> float | None:
    """Fit a brightening that ran into white: the median ratio of all cells that lie below it in both.

    Args:
        pictures: The two pictures.
        cells: Their means of 4 x 4 pixels.
        where: Which pixels count.

    Returns:
        The gain; ``None`` when the brighter of them is hardly brighter, or nowhere white.
    """
    low, high = _NOT_CLIPPED
    if max(float((each > high).mean()) for each in cells) < _LEAST_WHITE_CELLS:
        return None
    whole = cells_of(where) == 1
    below = [(cells_of((levels <= high) & where[..., None]) == 1) for levels in pictures]
    fair = below[0] & below[1] & (cells[0] >= low) & (cells[1] >= low)
    if fair.sum() < _LEAST_CELLS:
        return None
    gain = float(np.median(cells[1][fair] / cells[0][fair]))
    clipped_share = 1 - float(below[1 if gain > 1 else 0][whole].mean())
    is_brightened = _LEAST_BRIGHTENING <= max(gain, 1 / gain) <= MOST_GAIN
    return gain if is_brightened and clipped_share >= _LEAST_CLIPPED_SHARE else None


def in_one_tone(one: Pixels, other: Pixels, tone: Tone) -> tuple[Pixels, Pixels]:
    """Bring the picture of less contrast to the tone of the other, clipped as an edit would clip it."""
    if tone.gain >= 1:
        return _retoned(one, tone.gain, tone.offset_levels), other
    return one, _retoned(other, 1 / tone.gain, -tone.offset_levels / tone.gain)


def _retoned(pixels: Pixels, gain: float, offset_levels: float) -> Pixels:
    import cv2

    levels = np.clip(np.arange(256) * gain + offset_levels, 0, 255)
    return np.asarray(cv2.LUT(pixels, np.rint(levels).astype(np.uint8)), np.uint8)
