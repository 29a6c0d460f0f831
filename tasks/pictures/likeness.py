"""Likeness: how much two pictures show the same, as an eye would say.

One look is laid on the other (`tasks.pictures.registration`), one gain and one offset are taken out as far as
an edit of brightness or contrast would go, and then the whole of both is compared. A pixel differs by what
leaves the other picture's levels within 3 x 3 pixels, so an edge may lie a pixel off; the mean of that over
5 x 5 pixels counts where it is largest, so that a letter, an eye or a logo is not averaged away. Grounds are
compared by the mean colour of large blocks, where compression and noise leave next to nothing.

The limits, and how they were found: ``benchmarks/deduplication.py``.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tasks.pictures.looks import TURNS, Look, Pixels, Turn, cells_of, size_with_edge
from tasks.pictures.registration import (
    LEAST_AGREEMENT,
    Registration,
    find_starts,
    lay_on,
    quick_agreement,
    registrations,
    unmoved,
)

DETAIL_LIMIT_LEVELS = 32.0
"""Most that a block of 5 x 5 pixels may differ in the same picture."""

GROUND_LIMIT_LEVELS = 20.0
"""Most that the mean colour of a block of 32 x 32 may: a ground that brightening clipped differs by 18."""

PLAIN_LIMIT_LEVELS = 3.0
"""The same between pictures of one colour each, from which no brightening is taken out."""

MOST_GAIN = 1.3
MOST_OFFSET_LEVELS = 30.0

NEAR_SIMILARITY = 0.75
"""From this similarity on two pictures are the same: it is where the limits above lie."""

LEAST_QUICK_AGREEMENT = 0.3
"""Copies of photographs agree by 0.46 and more, different photographs by 0.36 at most, two texts by 0.9."""

LEAST_TURNED_AGREEMENT = 0.4
"""The same for outlines of 16 x 16 cells, by which turned pictures are dismissed."""

_DETAIL_BLOCK_PX = 5
_GROUND_BLOCK_CELLS = 8
_PLAIN_SPREAD_LEVELS = 3.0
_MOST_OF_OTHERS = NEAR_SIMILARITY - 1e-4
_CLEARLY_SAME = 0.4
_CLEARLY_OTHER = 3.5
_NOT_CLIPPED = 4, 251
_MOST_STRETCH_UNMOVED = 1.02
_LEAST_COVERED_SHARE = 0.6
_COMPOSITION_EDGE_PX = 64
_C1, _C2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
_HALF_CHROMA_LEVELS = 24
_LEAST_TONE_CELLS = 60
_LEAST_TONE_AGREEMENT = 0.8
_3_BY_3 = np.ones((3, 3), np.uint8)

Floats = NDArray[np.float32]
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


@dataclass(frozen=True, slots=True)
class Likeness:
    """How much two pictures show the same.

    Args:
        detail_levels: The largest difference in any block of 5 x 5 pixels of a look, 0-255 levels.
        ground_levels: The largest difference of the mean colours of any block of 32 x 32 pixels.
        composition: Agreement of what both show at 64 px, where either shows something: 0-1.
        is_plain: Whether neither shows anything but a ground of one colour.
        registration: How the first lies on the second.
        tone: The edit of brightness that was taken out.
    """

    detail_levels: float
    ground_levels: float
    composition: float
    is_plain: bool
    registration: Registration
    tone: Tone

    @property
    def difference(self) -> float:
        """How far they differ in shares of what the same picture may: up to 1 they are the same."""
        ground_limit = PLAIN_LIMIT_LEVELS if self.is_plain else GROUND_LIMIT_LEVELS
        return max(self.detail_levels / DETAIL_LIMIT_LEVELS, self.ground_levels / ground_limit)

    @property
    def similarity(self) -> float:
        """One figure in [0, 1]: from `NEAR_SIMILARITY` on the same picture, below by its composition."""
        if self.difference <= 1:
            return 1 - (1 - NEAR_SIMILARITY) * self.difference
        return _MOST_OF_OTHERS * self.composition


def compare(one: Look, other: Look) -> Likeness | None:
    """Compare two looks, moved and scaled onto one another as far as an edit would go.

    Args:
        one: A look.
        other: Another one.

    Returns:
        The likeness at the registration under which they differ least; ``None`` for proportions so unlike
        that neither can be laid on the other.
    """
    in_place = unmoved(one, other)
    best = likeness_at(one, other, in_place) if in_place.is_within_bounds else None
    if best and best.difference <= _CLEARLY_SAME and in_place.stretch <= _MOST_STRETCH_UNMOVED:
        return best
    for registration in registrations(one, other):
        found = likeness_at(one, other, registration)
        if best is None or found.difference < best.difference:
            best = found
        if not _CLEARLY_SAME < best.difference < _CLEARLY_OTHER:
            break
    return best


def may_be_alike(one: Look, other: Look) -> bool:
    """Dismiss cheaply what has nothing in common; no pair that `compare` finds near is dismissed.

    A picture that is nearly plain has no outlines to go by, and is always compared.
    """
    if min(_spread(look.tiny_outlines) for look in (one, other)) < _PLAIN_SPREAD_LEVELS:
        return True
    if quick_agreement(one, other) < LEAST_QUICK_AGREEMENT:
        return False
    return find_starts(one, other)[0].agreement >= LEAST_AGREEMENT


def similarity_in_place(one: Look, other: Look) -> float | None:
    """Measure the similarity of pictures that `may_be_alike` dismissed, by their composition as they lie.

    Returns:
        0 to just below `NEAR_SIMILARITY`; ``None`` for pictures that have nothing in common.
    """
    in_place = unmoved(one, other)
    if quick_agreement(one, other) < LEAST_QUICK_AGREEMENT or not in_place.is_within_bounds:
        return None
    moved, covered = lay_on(one, other, in_place)
    return _MOST_OF_OTHERS * _composition(one.pixels, moved, covered)


def find_turn(one: Look, other: Look) -> tuple[Turn, Likeness] | None:
    """Find how ``other`` must be turned or mirrored to be the same picture as ``one``.

    Returns:
        The turn and the likeness after it; ``None`` when no turn makes them the same. Nor for a plain
        picture, of which every turn is the same.
    """
    if _spread(one.tiny_outlines) < _PLAIN_SPREAD_LEVELS:
        return None
    for turn in TURNS:
        if other.agreement_if_turned(turn, one) < LEAST_TURNED_AGREEMENT:
            continue
        turned = other.turned(turn)
        likeness = compare(one, turned) if may_be_alike(one, turned) else None
        if likeness and likeness.difference <= 1:
            return turn, likeness
    return None


def likeness_at(one: Look, other: Look, registration: Registration) -> Likeness:
    """Compare two looks under one registration.

    Args:
        one: A look.
        other: Another one.
        registration: How ``one`` lies on it.
    """
    import cv2

    moved, covered = lay_on(one, other, registration)
    tone = fit_tone(one.pixels, moved, covered)
    first, second = in_one_tone(one.pixels, moved, tone)
    beyond = beyond_neighbours(first, second)
    beyond[~covered] = 0
    blocks = cv2.blur(beyond.astype(np.float32), (_DETAIL_BLOCK_PX, _DETAIL_BLOCK_PX))
    return Likeness(
        detail_levels=float(blocks.max()),
        ground_levels=_ground_levels(first, second, covered),
        composition=_composition(first, second, covered),
        is_plain=_is_plain(one) and _is_plain(other),
        registration=registration,
        tone=tone,
    )


def fit_tone(one: Pixels, other: Pixels, where: Where) -> Tone:
    """Fit one gain and one offset for all channels to means of 4 x 4 pixels.

    The gain is the ratio of both spreads (the geometric mean of the two regressions), which noise in either
    does not bias. What is clipped in either picture is left out, and in the end what does not fit. A picture
    without contrast keeps its tone: there any offset would make one plain colour another.

    Args:
        one: uint8, shape (height, width, 3).
        other: The same shape.
        where: Which pixels count, shape (height, width).
    """
    share, first, second = _reduced(where, one, other)
    full = share > _LEAST_COVERED_SHARE
    if not full.any() or min(_contrast(each[full]) for each in (first, second)) < _PLAIN_SPREAD_LEVELS:
        return Tone()
    x, y = first[full].ravel().astype(float), second[full].ravel().astype(float)
    low, high = _NOT_CLIPPED
    fair = (x >= low) & (x <= high) & (y >= low) & (y <= high)
    tone = Tone()
    for most_levels in (60, 30, 15):
        left = np.abs(y - tone.gain * x - tone.offset_levels)
        kept = fair & (left <= most_levels)
        if kept.sum() < _LEAST_TONE_CELLS:
            return Tone()
        tone = _tone_of(x[kept], y[kept])
    return tone


def _contrast(cells: Floats) -> float:
    """Return the spread of the levels within each channel, shape (cells, 3)."""
    return float(cells.std(axis=0).mean())


def _tone_of(x: NDArray[np.float64], y: NDArray[np.float64]) -> Tone:
    spread, other_spread = float(x.std()), float(y.std())
    shared = float((x * y).mean() - x.mean() * y.mean())
    if shared <= _LEAST_TONE_AGREEMENT * spread * other_spread:
        return Tone()
    gain = min(max(other_spread / spread, 1 / MOST_GAIN), MOST_GAIN)
    offset = float(y.mean()) - gain * float(x.mean())
    return Tone(gain, min(max(offset, -MOST_OFFSET_LEVELS), MOST_OFFSET_LEVELS))


def in_one_tone(one: Pixels, other: Pixels, tone: Tone) -> tuple[Pixels, Pixels]:
    """Bring the picture of less contrast to the tone of the other, clipped as an edit would clip it."""
    if tone.gain >= 1:
        return _retoned(one, tone.gain, tone.offset_levels), other
    return one, _retoned(other, 1 / tone.gain, -tone.offset_levels / tone.gain)


def _retoned(pixels: Pixels, gain: float, offset_levels: float) -> Pixels:
    levels = np.clip(np.arange(256) * gain + offset_levels, 0, 255)
    return np.asarray(np.rint(levels).astype(np.uint8)[pixels])


def beyond_neighbours(one: Pixels, other: Pixels) -> Pixels:
    """Measure by how much a pixel leaves the other picture's levels within 3 x 3, in the worst channel."""
    import cv2

    found = [
        cv2.max(
            cv2.subtract(some, cv2.dilate(others, _3_BY_3)), cv2.subtract(cv2.erode(others, _3_BY_3), some)
        )
        for some, others in ((one, other), (other, one))
    ]
    return np.asarray(_worst_channel(cv2.max(*found)), np.uint8)


def _worst_channel(levels: NDArray[Any]) -> NDArray[Any]:
    import cv2

    red, green, blue = cv2.split(levels)  # thirty times faster than NumPy over a last axis of three
    return np.asarray(cv2.max(cv2.max(red, green), blue))


def _ground_levels(one: Pixels, other: Pixels, covered: Where) -> float:
    """Compare the mean colours of large blocks, as far as both pictures cover them."""
    import cv2

    share, first, second = _reduced(covered, one, other)
    apart = (first - second) * share[..., None]
    blocks = (_GROUND_BLOCK_CELLS, _GROUND_BLOCK_CELLS)
    shares = cv2.blur(share, blocks, borderType=cv2.BORDER_CONSTANT)
    means = _worst_channel(np.abs(cv2.blur(apart, blocks, borderType=cv2.BORDER_CONSTANT)))
    full = shares > _LEAST_COVERED_SHARE
    return float((means[full] / shares[full]).max()) if full.any() else 0.0


def _reduced(covered: Where, *pictures: Pixels) -> list[Floats]:
    """Average cells of 4 x 4 pixels: how much of each is covered, 0-1, and the pictures' levels."""
    return [cells_of(levels) for levels in (covered, *pictures)]


def _composition(one: Pixels, other: Pixels, covered: Where) -> float:
    """Structural similarity at a small size, weighted by what either shows, times that of the colours."""
    import cv2

    height, width = covered.shape
    size = size_with_edge(width, height, _COMPOSITION_EDGE_PX)
    small = [
        cv2.resize(cv2.cvtColor(pixels, cv2.COLOR_RGB2YCrCb), size, interpolation=cv2.INTER_AREA).astype(
            np.float32
        )
        for pixels in (one, other)
    ]
    weights = cv2.resize(covered.astype(np.float32), size, interpolation=cv2.INTER_AREA)
    first, second = small[0][..., 0], small[1][..., 0]
    mean_1, mean_2 = _smooth(first), _smooth(second)
    var_1 = np.maximum(_smooth(first * first) - mean_1**2, 0)
    var_2 = np.maximum(_smooth(second * second) - mean_2**2, 0)
    both = _smooth(first * second) - mean_1 * mean_2
    ssim = (
        (2 * mean_1 * mean_2 + _C1)
        * (2 * both + _C2)
        / ((mean_1**2 + mean_2**2 + _C1) * (var_1 + var_2 + _C2))
    )
    weights = weights * np.sqrt(var_1 + var_2 + 1)
    chroma = np.sqrt(((small[0][..., 1:] - small[1][..., 1:]) ** 2).sum(axis=2))
    structure = max(0.0, float((ssim * weights).sum() / weights.sum()))
    colour = 1 / (1 + (float((chroma * weights).sum() / weights.sum()) / _HALF_CHROMA_LEVELS) ** 2)
    return min(1.0, structure * colour)


def _smooth(levels: Floats) -> Floats:
    import cv2

    return np.asarray(cv2.GaussianBlur(levels, (0, 0), 1.5), np.float32)


def _is_plain(look: Look) -> bool:
    return _spread(look.coarse) < _PLAIN_SPREAD_LEVELS


def _spread(levels: Floats) -> float:
    return float(levels.std())
