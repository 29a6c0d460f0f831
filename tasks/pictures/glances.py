"""Glances: what tells at once which of many pictures may be the same as one, in some microseconds each.

Comparing two pictures closely takes milliseconds, and nearly all pairs have nothing in common. A glance at a
picture keeps its outlines at 32 px, its colours at 16 px and a copy of 64 px. One picture's outlines are laid
over all others' at once, straight, turned and within borders, by the limits that `tasks.pictures.likeness`
has for a pair; where they agree, its colours are, up to one gain and one offset. What is dismissed here a
close comparison does not find to be the same: ``benchmarks/glances.py``.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from tasks.pictures.composition import SmallCopy, compositions, small_copy, weights_in_place
from tasks.pictures.likeness import (
    FAINT_SPREAD_LEVELS,
    LEAST_QUICK_AGREEMENT,
    LEAST_TURNED_AGREEMENT,
    MOST_OF_OTHERS,
    is_plain,
)
from tasks.pictures.looks import INVERSE_TURNS, TURNS, Grey, Look, Turn, turn_pixels
from tasks.pictures.placements import Floats, Search, Shape, correlations, residuals, spreads
from tasks.pictures.registration import TINY_MARGIN_PX, TINY_ZOOMS, agreement_of

TINT_EDGE_PX = 16

MOST_TINT_RESIDUAL_LEVELS = 11.5
"""What one gain and one offset may leave of the colours of copies at the best place of a coarse grid: it was
10.4 at most on the pictures that it was fitted on."""

_OUTLINES = Search(TINY_ZOOMS, TINY_MARGIN_PX)
_TINTS = Search((1.0, 1 / 1.06, 1.06, 1 / 1.12, 1.12), 2)
_TINT_SMOOTHING_PX = 1.0
_LEAST_OVERLAP_SHARE = 0.6
_CELLS = 16
_CELLS_OF_SHIFT = 2
_NUMBERED_CELLS = np.arange(_CELLS * _CELLS).reshape(_CELLS, _CELLS)
_TURNED_CELLS = np.stack([turn_pixels(_NUMBERED_CELLS, INVERSE_TURNS[turn]).ravel() for turn in TURNS])
_FEWEST_AT_ONCE = 4
"""Fewer pictures are compared one by one: drawing a template everywhere takes as long as that."""

_REVERSED_SLACK = 0.1
"""By how much less outlines may agree that a close comparison lays over one another the other way round."""

_ROUNDING = 1e-4
"""By how much less than a limit still passes: sums in another order are not equal to the last digit."""


@dataclass(frozen=True, slots=True)
class Glance:
    """What is kept of a picture to dismiss others by: 20 kB.

    Args:
        outlines: Outlines of the look at 32 px, float32, shape (height, width).
        tint: Its colours, smoothed, at 16 px: float32, shape (height, width, 3).
        signature: Its outlines in 16 x 16 cells.
        copy: A copy of 64 px, by which compositions are compared.
        is_faint: Whether it has so few outlines that they dismiss nothing.
        is_plain: Whether it shows nothing but a ground of one colour.
        within_borders: The same of what lies within its borders.
        spreads: What `agreements_with` computes of it once, by the shape of the other's outlines.
    """

    outlines: Grey
    tint: Grey
    signature: Grey
    copy: SmallCopy
    is_faint: bool
    is_plain: bool
    within_borders: tuple["Glance", ...] = ()
    spreads: dict[Shape, Floats] = field(default_factory=dict, compare=False)


@dataclass(frozen=True, slots=True)
class Left:
    """What of a close comparison of two pictures a glance left to be done.

    Args:
        as_they_are: Whether they may be the same as they lie.
        turns: How the second may have to be turned to be the same.
        framed: Whether one may be the other with a border.
        has_common: Whether outlines agree so far as they lie that the compositions are worth comparing.
    """

    as_they_are: bool = True
    turns: tuple[Turn, ...] = TURNS
    framed: bool = True
    has_common: bool = True

    @property
    def is_anything(self) -> bool:
        """Whether anything is to be compared closely."""
        return self.as_they_are or self.framed or bool(self.turns)


EVERYTHING = Left()


def glance_at(look: Look) -> Glance:
    """Keep of a look what others are dismissed by."""
    return _glance(look, tuple(map(_glance, look.within_borders)))


def _glance(look: Look, within_borders: tuple[Glance, ...] = ()) -> Glance:
    return Glance(
        outlines=look.tiny_outlines,
        tint=_tint(look),
        signature=look.signature,
        copy=small_copy(look.pixels, look.cells),
        is_faint=float(look.tiny_outlines.std()) < FAINT_SPREAD_LEVELS,
        is_plain=is_plain(look),
        within_borders=within_borders,
    )


def _tint(look: Look) -> Grey:
    import cv2

    return np.asarray(cv2.GaussianBlur(look.cells_at(TINT_EDGE_PX), (0, 0), _TINT_SMOOTHING_PX), np.float32)


@dataclass(frozen=True, slots=True)
class _Chance:
    """One way in which two pictures may be the same.

    Args:
        index: Which of the others it is about.
        upper: The glance that is laid over the other one.
        lower: The other one.
        slack: By how much less than the limit their outlines may agree.
        turn: How the second picture is turned, if it is.
        is_framed: Whether either is taken without its border.
    """

    index: int
    upper: Glance
    lower: Glance
    slack: float = _ROUNDING
    turn: Turn | None = None
    is_framed: bool = False


def what_is_left(one: Glance, others: Sequence[Glance]) -> list[Left]:
    """Dismiss what of a close comparison of a picture with others finds nothing.

    Args:
        one: The first picture of each comparison.
        others: The second ones.
    """
    if not others:
        return []
    agreements = agreements_with(one, others)
    is_left = agreements >= LEAST_QUICK_AGREEMENT - _ROUNDING
    is_left |= np.array([one.is_faint or other.is_faint for other in others], np.bool_)
    straight = (_Chance(index, one, others[index]) for index in np.flatnonzero(is_left).tolist())
    turns: list[list[Turn]] = [[] for _ in others]
    as_they_are, framed = set(), set()
    for chance in _agreeing_in_colour([*straight, *_if_turned(one, others), *_if_framed(one, others)]):
        if not (chance.turn or chance.is_framed):
            as_they_are.add(chance.index)  # its outlines agree
        elif _agree_in_outlines(chance):
            if chance.is_framed:
                framed.add(chance.index)
                if is_left[chance.index]:  # a border may lie outside of what both show
                    as_they_are.add(chance.index)
            elif chance.turn:
                turns[chance.index].append(chance.turn)
    return [
        Left(
            index in as_they_are,
            tuple(turns[index]),
            index in framed,
            bool(agreement >= LEAST_QUICK_AGREEMENT),
        )
        for index, agreement in enumerate(agreements)
    ]


def agreements_with(one: Glance, others: Sequence[Glance]) -> Floats:
    """Tell how well outlines agree at the best of a few sizes and places: -1 to 1, as for a pair.

    Args:
        one: The picture that is laid over the others.
        others: The others.
    """
    found = np.empty(len(others), np.float32)
    for indices in _by_shape([other.outlines for other in others]):
        some = [others[index] for index in indices]
        found[indices] = (
            [agreement_of(one.outlines, other.outlines) for other in some]
            if len(some) < _FEWEST_AT_ONCE
            else correlations(
                one.outlines,
                [each.outlines for each in some],
                [_spreads(each, one) for each in some],
                _OUTLINES,
            )
        )
    return found


def _by_shape(levels: Sequence[Grey]) -> list[list[int]]:
    """Put together what can be computed at once: indices of those of one shape."""
    shapes: dict[tuple[int, ...], list[int]] = {}
    for index, each in enumerate(levels):
        shapes.setdefault(each.shape, []).append(index)
    return list(shapes.values())


def _spreads(other: Glance, one: Glance) -> Floats:
    """Look up the spreads of outlines below others of one's shape; nearly all pictures have the same."""
    shape = one.outlines.shape[0], one.outlines.shape[1]
    if shape not in other.spreads:
        other.spreads[shape] = spreads(other.outlines, shape, _OUTLINES)
    return other.spreads[shape]


def _agreeing_in_colour(chances: Sequence[_Chance]) -> Iterator[_Chance]:
    """Lay colours over one another, all of one picture at once; yield where they agree."""
    for _, some in groupby(chances, key=lambda chance: id(chance.upper)):
        of_one = list(some)
        lower = [_turned(chance.lower.tint, chance.turn) for chance in of_one]
        for indices in _by_shape(lower):
            found = residuals(
                of_one[0].upper.tint, [lower[index] for index in indices], _TINTS, _LEAST_OVERLAP_SHARE
            )
            for index, residual in zip(indices, found, strict=True):
                if residual <= MOST_TINT_RESIDUAL_LEVELS:
                    yield of_one[index]


def _agree_in_outlines(chance: _Chance) -> bool:
    """Lay outlines over one another; faint ones say nothing."""
    if chance.upper.is_faint or chance.lower.is_faint:
        return True
    lower = np.ascontiguousarray(_turned(chance.lower.outlines, chance.turn))
    return agreement_of(chance.upper.outlines, lower) >= LEAST_QUICK_AGREEMENT - chance.slack


def _turned(levels: Grey, turn: Turn | None) -> Grey:
    return levels if turn is None else turn_pixels(levels, turn)


def _if_turned(one: Glance, others: Sequence[Glance]) -> Iterator[_Chance]:
    """Correlate signatures in every turn, within two cells of shift, and yield those that agree."""
    if one.is_faint:
        return
    windows = _shifted(one.signature)
    turned = np.take(windows, _TURNED_CELLS, axis=1, mode="clip").reshape(-1, _CELLS * _CELLS)
    levels = np.stack([other.signature for other in others]).reshape(len(others), -1).T
    lengths = np.linalg.norm(turned, axis=1)[:, None] * np.linalg.norm(levels, axis=0)
    products = turned @ levels
    agreements = np.divide(products, lengths, out=np.full_like(products, -1), where=lengths > 0)
    best = agreements.reshape(len(windows), len(TURNS), len(others)).max(axis=0)
    are_candidates = best >= LEAST_TURNED_AGREEMENT - _ROUNDING
    for place, index in np.argwhere(are_candidates).tolist():
        yield _Chance(index, one, others[index], turn=TURNS[place])


def _shifted(signature: Grey) -> Floats:
    """Move a signature by up to two cells: shape (places, cells)."""
    framed = np.pad(signature, _CELLS_OF_SHIFT)
    return sliding_window_view(framed, (_CELLS, _CELLS)).reshape(-1, _CELLS * _CELLS)


def _if_framed(one: Glance, others: Sequence[Glance]) -> Iterator[_Chance]:
    """Yield what lies within the borders of one, over all others, and within theirs."""
    if not one.is_plain:
        for index, other in enumerate(others):
            for inner in other.within_borders:
                if not inner.is_plain:
                    yield _Chance(index, one, inner, _REVERSED_SLACK, is_framed=True)
    for inner in one.within_borders:
        if not inner.is_plain:
            for index, other in enumerate(others):
                if not other.is_plain:
                    yield _Chance(index, inner, other, is_framed=True)


def compositions_in_place(one: Glance, others: Sequence[Glance]) -> list[float]:
    """Measure how alike looks of one size are as they lie.

    Args:
        one: A glance at one of them.
        others: At others of its size.

    Returns:
        For each 0 to just below the similarity of the same picture, as ``likeness.similarity_in_place`` does.
    """
    if not others:
        return []
    weights = weights_in_place(*one.copy.size)
    found = compositions(one.copy, [other.copy for other in others], weights)
    return [MOST_OF_OTHERS * float(each) for each in found]
