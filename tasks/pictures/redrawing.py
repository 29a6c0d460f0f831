"""Redrawing: whether a picture that an editing model drew anew still shows the same.

Such a model draws everything again: it zooms in a little, moves by some pixels, warms the light, and no hair
lies where it lay. So the second picture is laid on the first in three steps, each within bounds: as a whole
(`tasks.pictures.registration`); in tone, one gain and one offset for each channel; and in every part, by
little and smoothly (T. Kroeger et al. 2016, "Fast optical flow using dense inverse search"; OpenCV's
``DISOpticalFlow``). What still differs counts where it differs most, over areas of a letter's size: another
word, a missing object or another pose cannot be averaged away.

Structure is the contrast and structure terms of SSIM (Wang et al. 2004, "Image quality assessment: from error
visibility to structural similarity"), with a constant so large that faint texture hardly counts. Colour is
the distance in CIELAB. The limits, and how they were found: ``benchmarks/fidelity.py``.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tasks.pictures.likeness import LEAST_QUICK_AGREEMENT
from tasks.pictures.looks import Look, Pixels, cells_of, size_with_edge
from tasks.pictures.registration import Registration, lay_on, quick_agreement, registrations, unmoved

STRUCTURE_LIMIT = 0.75
"""The lowest structure of a picture that shows the same: 1 % of those fitted to have less."""

COLOUR_LIMIT_DELTA_E = 13.0
"""The largest distance of colours in a picture that shows the same."""

SAME_VALUE = 0.75
"""The value at either limit."""

MIRROR_MARGIN = 0.01
"""By how much the mirror image must be more alike than the picture itself to be what is shown.

Of nearly symmetrical pictures it is 0.05 and more where the mirror image is shown, else -0.03 and less.
"""

MOST_GAIN = 1.25
MOST_OFFSET_LEVELS = 25.0

_MAX_BEND_SHARE = 0.018
_BEND_SMOOTHING_SHARE = 0.015
_FINE_EDGE_PX, _WINDOW_SHARE, _AREA_SHARE = 256, 0.015, 0.02
_COLOUR_EDGE_PX, _COLOUR_AREA_SHARE = 192, 0.03
_CONSTANT = 200.0
_SMOOTHING_PX = 0.6
_CLEARLY_SAME = 0.97
_NOT_CLIPPED = 4, 251
_LEAST_CELLS = 60
_LEAST_SPREAD_LEVELS = 3.0
_TONE_SAMPLES = np.array([64.0, 192.0])

Floats = NDArray[np.float32]
Where = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Tone:
    """A change of brightness, contrast and white balance: each channel is gain x level + offset.

    Args:
        gains: Of red, green and blue; 1 is none.
        offsets_levels: The same, 0-255 levels.
    """

    gains: tuple[float, float, float] = (1.0, 1.0, 1.0)
    offsets_levels: tuple[float, float, float] = (0.0, 0.0, 0.0)

    @property
    def share(self) -> float:
        """How far it moves a quarter or three quarters of full light, in shares of the range."""
        pairs = zip(self.gains, self.offsets_levels, strict=True)
        return max(
            float(np.abs(gain * _TONE_SAMPLES + offset - _TONE_SAMPLES).max()) / 255 for gain, offset in pairs
        )

    def applied(self, pixels: Pixels) -> Pixels:
        """Change the tone of pixels, clipped as an edit would clip them."""
        levels = np.arange(256)[:, None] * np.array(self.gains) + np.array(self.offsets_levels)
        table = np.rint(np.clip(levels, 0, 255)).astype(np.uint8)
        return np.stack([table[pixels[..., channel], channel] for channel in range(3)], axis=-1)


@dataclass(frozen=True, slots=True)
class Redrawing:
    """How much of a picture is in one drawn anew from it.

    Args:
        structure: Agreement of what both show, where it is lowest: -1 to 1.
        colour_delta_e: Distance of their colours where it is largest, CIELAB.
        registration: How the first lies on the second.
        tone: How the tone changed from the first to the second.
    """

    structure: float
    colour_delta_e: float
    registration: Registration
    tone: Tone

    @property
    def palette(self) -> float:
        """Likeness of the colours, 0-1: `SAME_VALUE` at the limit, towards 0 beyond."""
        return 1 / (1 + (1 / SAME_VALUE - 1) * (self.colour_delta_e / COLOUR_LIMIT_DELTA_E) ** 2)

    @property
    def value(self) -> float:
        """One figure in [0, 1], the lower of structure and colour; from `SAME_VALUE` on it shows the same."""
        lost = (1 - self.structure) / (1 - STRUCTURE_LIMIT)
        return min(self.palette, max(0.0, 1 - (1 - SAME_VALUE) * lost))


def compare_redrawing(draft: Look, final: Look, kept: Where | None = None) -> Redrawing:
    """Compare a picture with one drawn anew from it.

    Args:
        draft: The look of the first.
        final: The look of the second.
        kept: bool, shape of the draft's look: where it was not to be changed; elsewhere nothing is compared.

    Returns:
        The result at the registration under which they agree best.
    """
    hole = None if kept is None or kept.all() else ~kept
    found = [_compare_at(draft, final, unmoved(draft, final), kept)]
    if found[0].value >= _CLEARLY_SAME:
        return found[0]
    for registration in _registrations(draft, final, hole):
        found.append(_compare_at(draft, final, registration, kept))
        if found[-1].value >= _CLEARLY_SAME:
            break
    return max(found, key=lambda each: each.value)


def shows_mirrored(draft: Look, final: Look, found: Redrawing) -> bool:
    """Tell whether a picture drawn anew shows the mirror image of another rather than the other itself.

    Mirror images of nearly symmetrical things, such as a face seen from the front, differ so little that each
    passes for a redrawing of the other. Which of both a third one was drawn from can still be told.

    Args:
        draft: The look of the first.
        final: The look of the second.
        found: How they compare as they are.
    """
    if found.value >= 1 - MIRROR_MARGIN:
        return False
    mirrored = draft.turned("mirrored")
    if quick_agreement(mirrored, final) < LEAST_QUICK_AGREEMENT:
        return False
    return compare_redrawing(mirrored, final).value > found.value + MIRROR_MARGIN


def _registrations(draft: Look, final: Look, hole: Where | None) -> Iterator[Registration]:
    if hole is None:
        yield from registrations(draft, final)
    else:
        yield from registrations(_filled(draft, hole), _filled(final, hole))


def _filled(look: Look, hole: Where) -> Look:
    """Fill what was inpainted from around it, so that its outlines do not count."""
    import cv2

    height, width = look.pixels.shape[:2]
    inside = cv2.resize(hole.astype(np.uint8), (width, height), interpolation=cv2.INTER_NEAREST) > 0
    weights = (~inside).astype(np.float32)
    smooth = max(height, width) / 12
    share = np.maximum(cv2.GaussianBlur(weights, (0, 0), smooth), 1e-4)[..., None]
    around = cv2.GaussianBlur(look.pixels.astype(np.float32) * weights[..., None], (0, 0), smooth) / share
    return Look(np.where(inside[..., None], np.clip(around, 0, 255), look.pixels).astype(np.uint8))


def _compare_at(draft: Look, final: Look, registration: Registration, kept: Where | None) -> Redrawing:
    moved, where = lay_on(draft, final, registration)
    if kept is not None:
        where = where & kept
    tone = fit_tone(draft.pixels, moved, where)
    toned = tone.applied(draft.pixels)
    bent, where = _bend(toned, moved, where)
    return Redrawing(
        structure=_structure(toned, bent, where),
        colour_delta_e=_colour_distance(toned, bent, where),
        registration=registration,
        tone=tone,
    )


def fit_tone(one: Pixels, other: Pixels, where: Where) -> Tone:
    """Fit the change of tone by the means of small cells, of those three quarters that fit best.

    Args:
        one: uint8, shape (height, width, 3).
        other: The same shape, laid on it.
        where: bool, shape (height, width): what is compared.
    """
    cells = [cells_of(pixels) for pixels in (one, other)]
    whole = cells_of(where) == 1
    fits = [_fit_channel(*(each[..., channel][whole] for each in cells)) for channel in range(3)]
    gains, offsets = zip(*fits, strict=True)
    return Tone(gains, offsets)


def _fit_channel(x: Floats, y: Floats) -> tuple[float, float]:
    low, high = _NOT_CLIPPED
    fair = (x >= low) & (x <= high) & (y >= low) & (y <= high)
    x, y = x[fair], y[fair]
    gain, offset = 1.0, 0.0
    for _ in range(4):
        if len(x) < _LEAST_CELLS:
            break
        left = np.abs(y - gain * x - offset)
        best = left <= max(2 * _LEAST_SPREAD_LEVELS, float(np.quantile(left, 0.75)))
        kept_x, kept_y = x[best], y[best]
        if kept_x.std() >= _LEAST_SPREAD_LEVELS:
            slope = float(((kept_x - kept_x.mean()) * (kept_y - kept_y.mean())).mean() / kept_x.var())
            gain = min(max(slope, 1 / MOST_GAIN), MOST_GAIN)
        offset = float(kept_y.mean() - gain * kept_x.mean())
        offset = min(max(offset, -MOST_OFFSET_LEVELS), MOST_OFFSET_LEVELS)
    return gain, offset


def _bend(one: Pixels, other: Pixels, where: Where) -> tuple[Pixels, Where]:
    """Bend ``other`` smoothly onto ``one``; returns it, and what of it can be compared."""
    import cv2

    greys = [_grey(pixels) for pixels in (one, other)]
    medium = cv2.DISOPTICAL_FLOW_PRESET_MEDIUM
    search: Any = cv2.DISOpticalFlow_create(medium)  # type: ignore[attr-defined]
    flow = _smooth_flow(search.calc(*greys, None), greys[0], where)
    height, width = where.shape
    x = np.arange(width, dtype=np.float32) + flow[..., 0]
    y = np.arange(height, dtype=np.float32)[:, None] + flow[..., 1]
    bent: Any = cv2.remap(other, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    seen: Any = cv2.remap(where.astype(np.uint8), x, y, cv2.INTER_NEAREST, borderMode=cv2.BORDER_CONSTANT)
    inner = cv2.erode(seen & where, np.ones((3, 3), np.uint8), borderType=cv2.BORDER_CONSTANT, borderValue=0)
    return bent, inner > 0


def _smooth_flow(flow: Floats, grey: NDArray[np.uint8], where: Where) -> Floats:
    """Keep of a flow what is small and smooth; plain places follow what has outlines beside them."""
    import cv2

    edge = max(grey.shape)
    slopes = [cv2.Sobel(grey, cv2.CV_32F, *order) for order in ((1, 0), (0, 1))]
    length = np.hypot(flow[..., 0], flow[..., 1])
    weights = (np.hypot(*slopes) / 8 + 1) * where * (length <= 1.5 * _MAX_BEND_SHARE * edge)
    smooth = _BEND_SMOOTHING_SHARE * edge
    share = np.maximum(cv2.GaussianBlur(weights, (0, 0), smooth), 1e-3)[..., None]
    found = cv2.GaussianBlur(flow * weights[..., None], (0, 0), smooth) / share
    length = np.hypot(found[..., 0], found[..., 1])
    shorter: Floats = found * np.minimum(1, _MAX_BEND_SHARE * edge / np.maximum(length, 1e-6))[..., None]
    return shorter.astype(np.float32)


def _structure(one: Pixels, other: Pixels, where: Where) -> float:
    """Return the lowest mean of structural similarity over any area of a letter's size."""
    import cv2

    x, y = (
        np.asarray(
            cv2.GaussianBlur(_at_edge(_grey(pixels), _FINE_EDGE_PX), (0, 0), _SMOOTHING_PX), np.float32
        )
        for pixels in (one, other)
    )
    weights = _weights(where, x.shape, _FINE_EDGE_PX)
    if not weights.any():
        return 1.0
    window = _WINDOW_SHARE * _FINE_EDGE_PX
    mean_x, mean_y = _mean(x, weights, window), _mean(y, weights, window)
    var_x = np.maximum(_mean(x * x, weights, window) - mean_x**2, 0)
    var_y = np.maximum(_mean(y * y, weights, window) - mean_y**2, 0)
    both = _mean(x * y, weights, window) - mean_x * mean_y
    agreement = (2 * both + _CONSTANT) / (var_x + var_y + _CONSTANT)
    return float(_mean(agreement, weights, _AREA_SHARE * _FINE_EDGE_PX)[weights > 0].min())


def _colour_distance(one: Pixels, other: Pixels, where: Where) -> float:
    """Return the largest distance of colours over any area: of hues everywhere, of lightness in the mean."""
    import cv2

    x, y = (
        np.asarray(cv2.cvtColor(_at_edge(pixels, _COLOUR_EDGE_PX) / 255, cv2.COLOR_RGB2LAB), np.float32)
        for pixels in (one, other)
    )
    weights = _weights(where, x.shape[:2], _COLOUR_EDGE_PX)
    if not weights.any():
        return 0.0
    area = _COLOUR_AREA_SHARE * _COLOUR_EDGE_PX
    apart = x - y
    lightness = _mean(apart[..., 0], weights, area)
    hues = [_mean(np.abs(apart[..., channel]), weights, area) for channel in (1, 2)]
    return float(np.sqrt(lightness**2 + hues[0] ** 2 + hues[1] ** 2)[weights > 0].max())


def _grey(pixels: Pixels) -> NDArray[np.uint8]:
    import cv2

    return np.asarray(cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY), np.uint8)


def _at_edge(pixels: NDArray[np.uint8], edge_px: int) -> Floats:
    import cv2

    height, width = pixels.shape[:2]
    return cv2.resize(pixels, size_with_edge(width, height, edge_px), interpolation=cv2.INTER_AREA).astype(
        np.float32
    )


def _weights(where: Where, shape: tuple[int, ...], edge_px: int) -> Floats:
    share = _at_edge(where.astype(np.uint8) * 255, edge_px) / 255
    return (share > 0.99).astype(np.float32).reshape(shape)


def _mean(values: Floats, weights: Floats, smooth_px: float) -> Floats:
    """Return the local mean of what is compared."""
    import cv2

    share = np.maximum(cv2.GaussianBlur(weights, (0, 0), smooth_px), 1e-3)
    return np.asarray(cv2.GaussianBlur(values * weights, (0, 0), smooth_px) / share, np.float32)
