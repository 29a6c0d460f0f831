"""The liberties that editing models take: a slight zoom and shift, another light, shapes drawn anew.

Users of every such model report them. A picture that is only drawn finer would hide what a comparison with
the draft has to bear.
"""

import numpy as np
from PIL import Image

ZOOM = 1.01, 1.05
SHIFT_SHARE = 0.012
REDRAWN_SHARE = 0.004
WARMTH_SHARE = -0.03, 0.06
BRIGHTNESS = 0.96, 1.04

_CELLS = 16


def take_liberties(picture: Image.Image, seed: int) -> Image.Image:
    """Zoom, shift, redraw and tone a picture as an editing model would.

    Args:
        picture: ``RGB`` or ``RGBA``; not changed.
        seed: Decides how far each goes.
    """
    chance = np.random.default_rng((seed, 0xED17))
    moved = picture.transform(
        picture.size, Image.Transform.MESH, _mesh(picture.size, chance), Image.Resampling.BICUBIC
    )
    light, warmth = chance.uniform(*BRIGHTNESS), chance.uniform(*WARMTH_SHARE)
    factors = light * (1 + warmth), light, light * (1 - warmth)
    bands = list(moved.split())
    for index, factor in enumerate(factors):
        bands[index] = bands[index].point([min(255, round(level * factor)) for level in range(256)])
    return Image.merge(moved.mode, bands)


def _mesh(
    size: tuple[int, int], chance: np.random.Generator
) -> list[tuple[tuple[int, int, int, int], tuple[float, ...]]]:
    """Say for each cell of the result which quadrilateral of the picture it shows; all lie within it."""
    zoom = chance.uniform(*ZOOM)
    shift = chance.uniform(-SHIFT_SHARE, SHIFT_SHARE, 2)
    corners = np.stack(np.meshgrid(*[np.linspace(0, 1, _CELLS + 1)] * 2), axis=-1)  # rows, columns, (x, y)
    places = 0.5 + (corners - 0.5) / zoom + shift + chance.uniform(-1, 1, corners.shape) * REDRAWN_SHARE
    places = np.clip(places, 0, 1) * size
    edges = [np.linspace(0, length, _CELLS + 1).round().astype(int) for length in size]
    mesh = []
    for row in range(_CELLS):
        for column in range(_CELLS):
            box = (edges[0][column], edges[1][row], edges[0][column + 1], edges[1][row + 1])
            around = ((row, column), (row + 1, column), (row + 1, column + 1), (row, column + 1))
            quad = tuple(float(part) for corner in around for part in places[corner])
            mesh.append((tuple(int(edge) for edge in box), quad))
    return mesh  # type: ignore[return-value]
