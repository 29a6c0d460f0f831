"""Likeness: how much two pictures show the same, as an eye would say.

One look is laid on the other (`tasks.pictures.registration`), one gain and one offset are taken out as far as
an edit of brightness or contrast would go, and then the whole of both is compared. A pixel differs by what
leaves the other picture's levels within 3 x 3 pixels, so an edge may lie a pixel off; the mean of that over
5 x 5 pixels counts where it is largest, so that a letter, an eye or a logo is not averaged away. Grounds are
compared by the mean colour of large blocks, where compression and noise leave next to nothing.

The limits, and how they were found: ``benchmarks/deduplication.py``.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tasks.pictures.composition import compositions, small_copy, small_weights
from tasks.pictures.looks import TURNS, Look, Pixels, Turn, cells_of
from tasks.pictures.registration import (
    LEAST_AGREEMENT,
    Registration,
    find_starts,
    lay_on,
    middle_agreement,
    quick_agreement,
    registrations,
    unmoved,
)
from tasks.pictures.tone import (
    LEAST_COVERED_SHARE,
    PLAIN_RANGE_LEVELS,
    Tone,
    in_one_tone,
    range_levels,
    tones,
)

DETAIL_LIMIT_LEVELS = 32.0
"""Most that a block of 5 x 5 pixels may differ in the same picture."""

DETAIL_LIMIT_SHARE = 0.4
"""The same in shares of the range of levels, of a dark or pale picture."""

LEAST_DETAIL_LIMIT_LEVELS = 8.0
"""What noise and compression may do whatever the range."""

GROUND_LIMIT_LEVELS = 20.0
"""Most that the mean colour of a block of 32 x 32 may: a ground that brightening clipped differs by 18."""

PLAIN_LIMIT_LEVELS = 3.0
"""The same between pictures of one colour each, from which no brightening is taken out."""

NEAR_SIMILARITY = 0.75
"""From this similarity on two pictures are the same: it is where the limits above lie."""

LEAST_QUICK_AGREEMENT = 0.3
"""Copies of photographs agree by 0.46 and more, different photographs by 0.36 at most, two texts by 0.9."""

LEAST_MIDDLE_AGREEMENT = 0.5
"""The same for outlines of 64 px: those of copies agree by 0.65 and more."""

LEAST_TURNED_AGREEMENT = 0.4
"""The same for outlines of 16 x 16 cells, by which turned pictures are dismissed."""

FAINT_SPREAD_LEVELS = 3.0
"""Outlines at 32 px that spread by less say nothing: standard deviation, levels."""

MOST_OF_OTHERS = NEAR_SIMILARITY - 1e-4
"""The similarity of two pictures that differ, though their composition agrees in everything."""

_DETAIL_BLOCK_PX = 5
_GROUND_BLOCK_CELLS = 8
_CLEARLY_SAME = 0.4
_ALIKE_LEVELS = 8.0
_LEAST_LOOK_PX = 16
_CLEARLY_OTHER = 3.5
_MOST_STRETCH_UNMOVED = 1.02
_3_BY_3 = np.ones((3, 3), np.uint8)

Floats = NDArray[np.float32]
Where = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Likeness:
    """How much two pictures show the same.

    Args:
        detail_levels: The largest difference in any block of 5 x 5 pixels of a look, 0-255 levels.
        range_levels: How far apart the darkest and the lightest place of either lie, the lesser of both.
        ground_levels: The largest difference of the mean colours of any block of 32 x 32 pixels.
        composition: Agreement of what both show at 64 px, where either shows something: 0-1.
        is_plain: Whether neither shows anything but a ground of one colour.
        registration: How the first lies on the second.
        tone: The edit of brightness that was taken out.
    """

    detail_levels: float
    range_levels: float
    ground_levels: float
    composition: float
    is_plain: bool
    registration: Registration
    tone: Tone

    @property
    def difference(self) -> float:
        """How far they differ in shares of what the same picture may: up to 1 they are the same."""
        ground_limit = PLAIN_LIMIT_LEVELS if self.is_plain else GROUND_LIMIT_LEVELS
        most = min(DETAIL_LIMIT_SHARE * self.range_levels, DETAIL_LIMIT_LEVELS)
        detail_limit = max(most, LEAST_DETAIL_LIMIT_LEVELS)
        return max(self.detail_levels / detail_limit, self.ground_levels / ground_limit)

    @property
    def similarity(self) -> float:
        """One figure in [0, 1]: from `NEAR_SIMILARITY` on the same picture, below by its composition."""
        if self.difference <= 1:
            return 1 - (1 - NEAR_SIMILARITY) * self.difference
        return MOST_OF_OTHERS * self.composition


def compare(one: Look, other: Look) -> Likeness | None:
    """Compare two looks, moved and scaled onto one another as far as an edit would go.

    Args:
        one: A look.
        other: Another one.

    Returns:
        The likeness at the registration under which they differ least; ``None`` for proportions so unlike
        that neither can be laid on the other, and for strips, of which too little is left within the edges.
    """
    if _is_strip(one) or _is_strip(other):
        return None
    best = _in_place(one, other)
    return best if _is_clear(best) else _moved(one, other, best)


def compare_if_alike(one: Look, other: Look) -> Likeness | None:
    """Compare two looks, unless they neither lie alike nor have outlines in common."""
    if _is_strip(one) or _is_strip(other):
        return None
    best = _in_place(one, other) if _lie_alike(one, other) else None
    if _is_clear(best):
        return best
    if not may_be_alike(one, other):
        return None
    return _moved(one, other, best or _in_place(one, other))


def _is_strip(look: Look) -> bool:
    return bool(min(look.pixels.shape[:2]) < _LEAST_LOOK_PX)


def _lie_alike(one: Look, other: Look) -> bool:
    """Tell in a hundredth of the time whether two looks are worth comparing as they lie."""
    if one.cells.shape != other.cells.shape:
        return False
    return float(np.abs(one.cells - other.cells).mean()) <= _ALIKE_LEVELS


def _in_place(one: Look, other: Look) -> Likeness | None:
    in_place = unmoved(one, other)
    return likeness_at(one, other, in_place) if in_place.is_within_bounds else None


def _is_clear(in_place: Likeness | None) -> bool:
    return (
        in_place is not None
        and in_place.difference <= _CLEARLY_SAME
        and in_place.registration.stretch <= _MOST_STRETCH_UNMOVED
    )


def _moved(one: Look, other: Look, best: Likeness | None) -> Likeness | None:
    """Find the registration under which two looks differ least; ``best`` is the likeness as they lie."""
    for registration in registrations(one, other):
        found = likeness_at(one, other, registration)
        if best is None or found.difference < best.difference:
            best = found
        if not _CLEARLY_SAME < best.difference < _CLEARLY_OTHER:
            break
    return best


def may_be_alike(one: Look, other: Look) -> bool:
    """Dismiss cheaply what has nothing in common; no pair that `compare` finds near is dismissed.

    A picture that is nearly plain has no outlines to go by, and is always compared; a strip never is.
    """
    if _is_strip(one) or _is_strip(other):
        return False
    if min(_spread(look.tiny_outlines) for look in (one, other)) < FAINT_SPREAD_LEVELS:
        return True
    if quick_agreement(one, other) < LEAST_QUICK_AGREEMENT:
        return False
    if middle_agreement(one, other) < LEAST_MIDDLE_AGREEMENT:
        return False
    return find_starts(one, other)[0].agreement >= LEAST_AGREEMENT


def similarity_in_place(one: Look, other: Look) -> float | None:
    """Measure the similarity of pictures that `may_be_alike` dismissed, by their composition as they lie.

    Returns:
        0 to just below `NEAR_SIMILARITY`; ``None`` for pictures that have nothing in common.
    """
    in_place = unmoved(one, other)
    if (
        _is_strip(one)
        or _is_strip(other)
        or quick_agreement(one, other) < LEAST_QUICK_AGREEMENT
        or not in_place.is_within_bounds
    ):
        return None
    moved, covered = lay_on(one, other, in_place)
    return MOST_OF_OTHERS * _composition(one.pixels, moved, covered)


def find_turn(one: Look, other: Look, turns: Sequence[Turn] = TURNS) -> tuple[Turn, Likeness] | None:
    """Find how ``other`` must be turned or mirrored to be the same picture as ``one``.

    Args:
        one: A look.
        other: Another one.
        turns: Those that are tried.

    Returns:
        The turn and the likeness after it; ``None`` when no turn makes them the same. Nor for a plain
        picture, of which every turn is the same.
    """
    if _spread(one.tiny_outlines) < FAINT_SPREAD_LEVELS:
        return None
    for turn in turns:
        if other.agreement_if_turned(turn, one) < LEAST_TURNED_AGREEMENT:
            continue
        turned = other.turned(turn)
        likeness = compare(one, turned) if may_be_alike(one, turned) else None
        if likeness and likeness.difference <= 1:
            return turn, likeness
    return None


def find_framed(one: Look, other: Look) -> tuple[Look, Look, Likeness] | None:
    """Find out whether one of two pictures is the other with a border round it.

    Returns:
        What lies within the border, the whole other picture, and their likeness; ``None`` when neither has
        a border, or they differ.
    """
    for framed, plain in ((one, other), (other, one)):
        for inner in framed.within_borders:
            if is_plain(inner) or is_plain(plain) or not may_be_alike(inner, plain):
                continue
            whole = plain.reduced_to(inner.drawn_edge_px)
            likeness = compare(inner, whole)
            if likeness and likeness.difference <= 1:
                return inner, whole, likeness
    return None


def likeness_at(one: Look, other: Look, registration: Registration) -> Likeness:
    """Compare two looks under one registration.

    Args:
        one: A look.
        other: Another one.
        registration: How ``one`` lies on it.
    """
    moved, covered = lay_on(one, other, registration)
    whole = cells_of(covered) == 1
    best: Likeness | None = None
    for tone in tones(one.pixels, moved, covered):
        first, second = in_one_tone(one.pixels, moved, tone)
        found = Likeness(
            detail_levels=_detail_levels(first, second, covered),
            range_levels=min(range_levels(cells_of(each)[whole]) for each in (first, second)),
            ground_levels=_ground_levels(first, second, covered),
            composition=_composition(first, second, covered),
            is_plain=is_plain(one) and is_plain(other),
            registration=registration,
            tone=tone,
        )
        if best is None or found.difference < best.difference:
            best = found
        if best.difference <= _CLEARLY_SAME:
            break
    assert best is not None
    return best


def _detail_levels(one: Pixels, other: Pixels, covered: Where) -> float:
    """Return the largest mean difference of any small block, beyond what neighbouring pixels explain."""
    import cv2

    beyond = beyond_neighbours(one, other)
    beyond[~covered] = 0
    return float(cv2.blur(beyond.astype(np.float32), (_DETAIL_BLOCK_PX, _DETAIL_BLOCK_PX)).max())


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
    full = shares > LEAST_COVERED_SHARE
    return float((means[full] / shares[full]).max()) if full.any() else 0.0


def _reduced(covered: Where, *pictures: Pixels) -> list[Floats]:
    """Average cells of 4 x 4 pixels: how much of each is covered, 0-1, and the pictures' levels."""
    return [cells_of(levels) for levels in (covered, *pictures)]


def _composition(one: Pixels, other: Pixels, covered: Where) -> float:
    return float(compositions(small_copy(one), [small_copy(other)], small_weights(covered))[0])


def is_plain(look: Look) -> bool:
    """Whether a look shows nothing but a ground of one colour."""
    return range_levels(look.cells.reshape(-1, 3)) < PLAIN_RANGE_LEVELS


def _spread(levels: Floats) -> float:
    return float(levels.std())
