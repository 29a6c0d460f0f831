"""Registration: how one picture must be moved and scaled to lie on another, within bounds.

Hashes and windows of structure compare what lies at the same place. A crop, or an editing model that redraws
a picture, moves everything by a few pixels. Outlines are laid over one another at a few sizes to find where
to begin; from there the enhanced correlation coefficient is followed uphill, coarse to fine, over affine maps
(G. Evangelidis and E. Psarakis 2008, "Parametric image alignment using enhanced correlation coefficient
maximization"; OpenCV's ``findTransformECC``). It does not see brightness and contrast. A map outside the
bounds is none: two pictures that can only be laid on one another by more are other pictures.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from tasks.pictures.looks import (
    COARSE_EDGE_PX,
    FINE_EDGE_PX,
    MIDDLE_EDGE_PX,
    TINY_EDGE_PX,
    Grey,
    Look,
    Pixels,
)

MAX_ZOOM = 1.14
"""Most enlargement or reduction in any direction."""

MAX_SHIFT_SHARE = 0.08
"""Most movement of the middle, in shares of the longest edge."""

MAX_ROTATION_DEGREES = 5.0

LEAST_OVERLAP_SHARE = 0.72
"""The least part of a picture that the other must cover: a crop of 5 % from each side leaves 0.81."""

LEAST_AGREEMENT = 0.6
"""Least correlation of outlines to begin from: that of copies is 0.70 and more, even of cropped ones."""

LEAST_CORRELATION = 0.55
"""Least correlation of coarse copies to go on from: that of copies is 0.71 and more."""

_ZOOMS = (1.0, 1 / 1.05, 1.05, 1 / 1.1, 1.1, 1 / 1.025, 1.025, 1 / 1.075, 1.075)
_SEARCHED_SHARE = 0.1 + 0.06
"""Room for the shift searched and for the largest zoom, which grows to both sides."""

TINY_ZOOMS = (1.0, 1 / 1.08, 1.08)
TINY_MARGIN_PX = round(TINY_EDGE_PX * _SEARCHED_SHARE)
"""Sizes and room when outlines of 32 px are laid over one another."""

_COARSE_STEPS, _FINE_STEPS = 30, 8
_LEAST_GAIN = 1e-4
_SMOOTHING_PX = 5

Matrix = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Registration:
    """How one look lies on another.

    Args:
        matrix: float32, shape (2, 3): where a pixel (x, y) of the first lies on the second, pixels of looks.
        zoom: How much larger the second shows things than the first: 1 is equal.
        stretch: The larger of its zooms in two directions by the smaller; 1 is none.
        rotation_degrees: Clockwise.
        shift_x_share: How far the middle moves to the right, in shares of the longest edge.
        shift_y_share: And down.
        overlap_share: The part of the first that the second covers, 0-1.
    """

    matrix: Matrix
    zoom: float
    stretch: float
    rotation_degrees: float
    shift_x_share: float
    shift_y_share: float
    overlap_share: float

    @property
    def shift_share(self) -> float:
        """How far the middle moves, in shares of the longest edge."""
        return math.hypot(self.shift_x_share, self.shift_y_share)

    @property
    def is_within_bounds(self) -> bool:
        """Whether it is no more than an edit or a redrawing would do."""
        widest, narrowest = self.zoom * math.sqrt(self.stretch), self.zoom / math.sqrt(self.stretch)
        return (
            max(widest, 1 / narrowest) <= MAX_ZOOM
            and self.shift_share <= MAX_SHIFT_SHARE
            and abs(self.rotation_degrees) <= MAX_ROTATION_DEGREES
            and self.overlap_share >= LEAST_OVERLAP_SHARE
        )


@dataclass(frozen=True, slots=True)
class Start:
    """Where outlines lie on one another at one of a few sizes.

    Args:
        agreement: Correlation of the outlines there, -1 to 1.
        matrix: The map, in pixels of the coarse copies.
    """

    agreement: float
    matrix: Matrix


def registrations(one: Look, other: Look, n_starts: int = 3) -> Iterator[Registration]:
    """Yield every registration within the bounds that is found, the likeliest first.

    Args:
        one: A look.
        other: Another one.
        n_starts: How many of the places where outlines agree best are tried.
    """
    begun = [
        start.matrix for start in find_starts(one, other)[:n_starts] if start.agreement >= LEAST_AGREEMENT
    ]
    climbed = [(*_climb(one.coarse, other.coarse, matrix, _COARSE_STEPS), matrix) for matrix in begun]
    for correlation, coarse, start in sorted(climbed, key=lambda one: -one[0]):
        refined = _refine(one, other, coarse) if correlation >= LEAST_CORRELATION else None
        for matrix in (refined, _to_looks(start, COARSE_EDGE_PX, one)):
            registration = matrix is not None and describe(matrix, one, other)
            if registration and registration.is_within_bounds:
                yield registration
                break


def unmoved(one: Look, other: Look) -> Registration:
    """Lay one look on another frame on frame, which is stretched where their proportions differ."""
    (height, width), (other_height, other_width) = one.pixels.shape[:2], other.pixels.shape[:2]
    x, y = other_width / width, other_height / height
    return describe(np.array([[x, 0, (x - 1) / 2], [0, y, (y - 1) / 2]], np.float32), one, other)


def describe(matrix: Matrix, one: Look, other: Look) -> Registration:
    """Describe an affine map from one look to another.

    Args:
        matrix: float32, shape (2, 3), pixels of looks.
        one: The look it maps from.
        other: The look it maps to.
    """
    linear = matrix[:, :2].astype(float)
    wide, narrow = np.linalg.svd(linear, compute_uv=False)
    (height, width), (other_height, other_width) = one.pixels.shape[:2], other.pixels.shape[:2]
    middle = np.array([(width - 1) / 2, (height - 1) / 2])
    shift = linear @ middle + matrix[:, 2] - [(other_width - 1) / 2, (other_height - 1) / 2]
    edge = max(height, width)
    return Registration(
        matrix=matrix,
        zoom=math.sqrt(wide * narrow),
        stretch=wide / max(narrow, 1e-9),
        rotation_degrees=math.degrees(math.atan2(linear[1, 0] - linear[0, 1], linear[0, 0] + linear[1, 1])),
        shift_x_share=float(shift[0]) / edge,
        shift_y_share=float(shift[1]) / edge,
        overlap_share=float(_covered(matrix, one, other).mean()),
    )


def lay_on(one: Look, other: Look, registration: Registration) -> tuple[Pixels, NDArray[np.bool_]]:
    """Draw ``other`` as it lies on ``one``.

    Args:
        one: The look whose frame is drawn.
        other: The look that is moved.
        registration: How ``one`` lies on it.

    Returns:
        The moved pixels in the frame of ``one``, and where they are ``other``'s own: bool, shape (height,
        width), two pixels in from its edge.
    """
    import cv2

    height, width = one.pixels.shape[:2]
    moved = cv2.warpAffine(
        other.pixels, registration.matrix, (width, height),
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP, borderMode=cv2.BORDER_REPLICATE,
    )  # fmt: skip
    covered = _covered(registration.matrix, one, other).astype(np.uint8)
    inner = cv2.erode(covered, np.ones((5, 5), np.uint8), borderType=cv2.BORDER_CONSTANT, borderValue=0)
    return moved.astype(np.uint8), inner > 0


def _covered(matrix: Matrix, one: Look, other: Look) -> NDArray[np.bool_]:
    height, width = one.pixels.shape[:2]
    other_height, other_width = other.pixels.shape[:2]
    across, down = np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32)[:, None]
    x = matrix[0, 0] * across + matrix[0, 1] * down + matrix[0, 2]
    y = matrix[1, 0] * across + matrix[1, 1] * down + matrix[1, 2]
    found: NDArray[np.bool_] = (
        (x >= -0.5) & (x <= other_width - 0.5) & (y >= -0.5) & (y <= other_height - 0.5)
    )
    return found


@lru_cache(maxsize=4)  # a pair is looked at twice: at a glance, and then closely
def find_starts(one: Look, other: Look) -> tuple[Start, ...]:
    """Lay the outlines of one look over another's at a few sizes; the best agreement first."""
    padded = _padded(other.outlines, COARSE_EDGE_PX)
    found = [_best_place(one.outlines, padded, zoom) for zoom in _ZOOMS]
    return tuple(sorted(found, key=lambda start: -start.agreement))


def quick_agreement(one: Look, other: Look) -> float:
    """Tell how well outlines of 32 px agree at the best of a few sizes and places, -1 to 1.

    It takes a tenth of a millisecond, and dismisses pictures that have nothing in common.
    """
    return agreement_of(one.tiny_outlines, other.tiny_outlines)


def agreement_of(one: Grey, other: Grey) -> float:
    """Tell the same of outlines that are at hand."""
    padded = _padded(other, TINY_EDGE_PX)
    return max(_best_place(one, padded, zoom).agreement for zoom in TINY_ZOOMS)


def middle_agreement(one: Look, other: Look) -> float:
    """Tell how well outlines of 64 px agree at the best size and place that `find_starts` tries, -1 to 1.

    It takes a third of the time, and dismisses nearly all pictures that are not the same.
    """
    padded = _padded(other.middle_outlines, MIDDLE_EDGE_PX)
    return max(_best_place(one.middle_outlines, padded, zoom).agreement for zoom in _ZOOMS)


def _padded(outlines: Grey, edge_px: int) -> tuple[Grey, int]:
    import cv2

    margin = round(edge_px * _SEARCHED_SHARE)
    return cv2.copyMakeBorder(outlines, margin, margin, margin, margin, cv2.BORDER_CONSTANT, value=0).astype(
        np.float32
    ), margin


def _best_place(outlines: Grey, padded: tuple[Grey, int], zoom: float) -> Start:
    import cv2

    ground, margin = padded
    height, width = (
        min(round(edge * zoom), room) for edge, room in zip(outlines.shape, ground.shape, strict=True)
    )
    scaled = cv2.resize(outlines, (width, height), interpolation=cv2.INTER_LINEAR)
    agreements = cv2.matchTemplate(ground, scaled, cv2.TM_CCOEFF_NORMED)
    agreements[~np.isfinite(agreements)] = -1  # a plain picture has no outlines to agree
    _, best, _, (left, top) = cv2.minMaxLoc(agreements)
    x, y = left - margin + (zoom - 1) / 2, top - margin + (zoom - 1) / 2
    return Start(min(1.0, best), np.array([[zoom, 0, x], [0, zoom, y]], np.float32))


def _refine(one: Look, other: Look, coarse: Matrix) -> Matrix | None:
    if not describe(_to_looks(coarse, COARSE_EDGE_PX, one), one, other).is_within_bounds:
        return None
    begun = _at_other_size(coarse, FINE_EDGE_PX / COARSE_EDGE_PX)
    correlation, fine = _climb(one.fine, other.fine, begun, _FINE_STEPS)
    return _to_looks(fine if correlation > 0 else begun, FINE_EDGE_PX, one)


def _climb(one: Grey, other: Grey, matrix: Matrix, most_steps: int) -> tuple[float, Matrix]:
    """Follow the correlation uphill; gives it and the map, or -1 where there is no way up."""
    import cv2

    until = (cv2.TERM_CRITERIA_COUNT | cv2.TERM_CRITERIA_EPS, most_steps, _LEAST_GAIN)
    try:
        correlation, found = cv2.findTransformECC(
            one, other, matrix.copy(), cv2.MOTION_AFFINE, until, None, _SMOOTHING_PX
        )  # type: ignore[call-overload]
    except cv2.error:  # nothing agrees, or a picture is plain
        return -1.0, matrix
    return float(correlation), np.asarray(found, np.float32)


def _to_looks(matrix: Matrix, edge_px: int, one: Look) -> Matrix:
    return _at_other_size(matrix, max(one.pixels.shape[:2]) / edge_px)


def _at_other_size(matrix: Matrix, factor: float) -> Matrix:
    """Convert a map between pictures into the map between the same pictures, larger by a factor."""
    linear, half = matrix[:, :2], (factor - 1) / 2
    moved = factor * matrix[:, 2] + half - linear @ np.array([half, half], np.float32)
    return np.column_stack([linear, moved]).astype(np.float32)
