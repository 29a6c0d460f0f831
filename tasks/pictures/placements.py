"""Placements: one small picture at every place of many others at once, by matrix products.

A template is drawn at each place into an empty frame of the others' size, once. Its sums of products with all
of them are one matrix product then, which takes a hundredth of the time of as many calls for one pair.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Shape = tuple[int, int]

_PLAIN_SQUARE = 1e-6


def _views(template: Floats, shape: Shape, margin_px: int) -> NDArray[np.float32]:
    """View a template at each place of a frame whose margin is cut off: (rows, columns, [channels,] y, x)."""
    (height, width), (own_height, own_width) = shape, template.shape[:2]
    top, left = max(0, height + margin_px - own_height), max(0, width + margin_px - own_width)
    room = max(top + margin_px + height, top + own_height), max(left + margin_px + width, left + own_width)
    canvas = np.zeros(room + template.shape[2:], np.float32)
    canvas[top : top + own_height, left : left + own_width] = template
    first_row, first_column = top - (height + margin_px - own_height), left - (width + margin_px - own_width)
    n_places = top + margin_px + 1 - first_row, left + margin_px + 1 - first_column
    down, across, *deep = canvas.strides
    return np.ndarray(  # sliding_window_view takes 0.1 ms for each
        (*n_places, *template.shape[2:], *shape), np.float32, canvas,
        first_row * down + first_column * across, (down, across, *deep, down, across),
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Search:
    """Where a template is looked for in frames of one shape.

    Args:
        zooms: At which sizes.
        margin_px: How far the template may reach beyond a frame on every side.
    """

    zooms: tuple[float, ...]
    margin_px: int

    def sizes(self, template_shape: Shape, shape: Shape) -> list[Shape]:
        """List the heights and widths of the template, none larger than a frame with its margins."""
        room = [edge + 2 * self.margin_px for edge in shape]
        own_height, own_width = template_shape
        return [(min(round(own_height * z), room[0]), min(round(own_width * z), room[1])) for z in self.zooms]

    def drawn(self, templates: Sequence[Floats], shape: Shape) -> Floats:
        """Draw a template, given at each size, at every place of a frame whose margin is cut off.

        Args:
            templates: float32, shape (height, width) or (height, width, channels), at each size.
            shape: Height and width of the frame.

        Returns:
            float32, shape (places, channels x height x width); 0 where the template is not.
        """
        views = [_views(each, shape, self.margin_px) for each in templates]
        n_places = [each.shape[0] * each.shape[1] for each in views]
        found = np.empty((sum(n_places), math.prod(views[0].shape[2:])), np.float32)
        begin = 0
        for each, count in zip(views, n_places, strict=True):
            found[begin : begin + count].reshape(each.shape)[...] = each
            begin += count
        return found


@lru_cache(maxsize=64)
def _covered(search: Search, template_shape: Shape, shape: Shape) -> Floats:
    """Tell which pixels of a frame a template covers at each place: 0 or 1, shape (places, pixels)."""
    sizes = search.sizes(template_shape, shape)
    return search.drawn([np.ones(size, np.float32) for size in sizes], shape)


@lru_cache(maxsize=64)
def _areas_px(search: Search, template_shape: Shape, shape: Shape) -> Floats:
    """Tell how many pixels a template has at each place, those beyond the frame included."""
    sizes = search.sizes(template_shape, shape)
    counts = [
        (height + 2 * search.margin_px - own[0] + 1) * (width + 2 * search.margin_px - own[1] + 1)
        for own in sizes
        for height, width in [shape]
    ]
    return np.repeat(np.array([own[0] * own[1] for own in sizes], np.float32), counts)


def _zoomed(template: Floats, size: Shape) -> Floats:
    import cv2

    if template.shape[:2] == size:
        return template
    found: Any = cv2.resize(template, size[::-1], interpolation=cv2.INTER_LINEAR)
    return np.asarray(found, np.float32)


def spreads(ground: Floats, template_shape: Shape, search: Search) -> Floats:
    """Measure how far a ground's levels spread below a template, at every place: shape (places,).

    Args:
        ground: float32, shape (height, width); beyond it everything is 0.
        template_shape: Height and width of the template.
        search: Where it is looked for.

    Returns:
        The root of the sum of squares around the mean; 0 where the ground is plain.
    """
    shape = ground.shape[0], ground.shape[1]
    levels = ground.ravel()
    within = _covered(search, template_shape, shape)
    sums, squares = within @ levels, within @ (levels * levels)
    found = np.maximum(squares - sums * sums / _areas_px(search, template_shape, shape), 0)
    return np.sqrt(np.where(found > _PLAIN_SQUARE * levels.size, found, 0))


def correlations(
    template: Floats, grounds: Sequence[Floats], ground_spreads: Sequence[Floats], search: Search
) -> Floats:
    """Correlate a template with many grounds at a few sizes and every place; the best of each.

    The same as OpenCV's ``matchTemplate`` with ``TM_CCOEFF_NORMED`` on grounds with a margin of zeros.

    Args:
        template: float32, shape (height, width).
        grounds: float32, all of one shape (height, width).
        ground_spreads: `spreads` of each below this template.
        search: Where the template is looked for.

    Returns:
        float32, -1 to 1, one for each ground; -1 where either is plain.
    """
    shape = grounds[0].shape[0], grounds[0].shape[1]
    own_shape = template.shape[0], template.shape[1]
    scaled = [_zoomed(template, size) for size in search.sizes(own_shape, shape)]
    centred = [each - each.mean() for each in scaled]
    own = np.array([np.linalg.norm(each) for each in centred], np.float32)
    drawn = search.drawn([each / max(norm, 1e-6) for each, norm in zip(centred, own, strict=True)], shape)
    found = drawn @ np.stack(grounds).reshape(len(grounds), -1).T
    lengths = np.stack(ground_spreads, axis=1)
    agreements = np.divide(found, lengths, out=np.full_like(found, -1), where=lengths > 0)
    best: Floats = agreements.max(axis=0)
    return best


def residuals(
    template: Floats, grounds: Sequence[Floats], search: Search, least_overlap_share: float
) -> Floats:
    """Lay a template in colour on many grounds and measure what no single gain and offset explains.

    Args:
        template: float32, shape (height, width, channels).
        grounds: float32, all of one shape (height, width, channels).
        search: Where the template is looked for.
        least_overlap_share: The part of a ground that must be covered at a place that counts.

    Returns:
        float32, one for each ground: the least root mean square over all sizes and places, in levels of the
        one with more contrast; infinite when the template covers too little everywhere.
    """
    height, width, channels = grounds[0].shape
    own_shape = template.shape[0], template.shape[1]
    within = _covered(search, own_shape, (height, width))
    count = channels * within.sum(axis=1, keepdims=True)
    counts = count[:, 0] >= least_overlap_share * channels * height * width
    if not counts.any():
        return np.full(len(grounds), np.inf, np.float32)
    sizes = search.sizes(own_shape, (height, width))
    drawn = search.drawn([_zoomed(template, size) for size in sizes], (height, width))[counts]
    within, count = within[counts], count[counts]
    own_mean = drawn.sum(axis=1, keepdims=True) / count
    own_variance = np.maximum(np.einsum("pl,pl->p", drawn, drawn)[:, None] / count - own_mean**2, 0)
    many = np.stack(grounds).transpose(0, 3, 1, 2).reshape(len(grounds), channels, -1)
    mean = within @ many.sum(axis=1).T / count
    variance = np.maximum(within @ np.einsum("ncp,ncp->np", many, many).T / count - mean**2, 0)
    shared = np.maximum(drawn @ many.reshape(len(grounds), -1).T / count - own_mean * mean, 0)
    explained = np.minimum(shared**2 / np.maximum(own_variance * variance, 1e-9), 1)
    found: Floats = np.sqrt((np.maximum(own_variance, variance) * (1 - explained)).min(axis=0))
    return found
