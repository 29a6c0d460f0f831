"""A picture of how two pictures differ: one in grey, and in red what leaves the other."""

import numpy as np
from PIL import Image

from tasks.pictures.likeness import Likeness, beyond_neighbours, compare, in_one_tone
from tasks.pictures.looks import Look
from tasks.pictures.registration import lay_on

_FULL_RED_LEVELS = 64


def draw_difference(one: Look, other: Look) -> Image.Image | None:
    """Draw where two pictures differ, after they were laid on one another and brought to one tone.

    Args:
        one: The look that is drawn, in grey.
        other: The other one.

    Returns:
        RGB, the size of ``one``; what the other does not cover is left white. ``None`` when they
        cannot be laid on one another.
    """
    likeness = compare(one, other)
    return None if likeness is None else _drawn(one, other, likeness)


def _drawn(one: Look, other: Look, likeness: Likeness) -> Image.Image:
    moved, covered = lay_on(one, other, likeness.registration)
    beyond = beyond_neighbours(*in_one_tone(one.pixels, moved, likeness.tone))
    share = np.clip(beyond.astype(float) / _FULL_RED_LEVELS, 0, 1)[..., None]
    grey = one.pixels.mean(axis=2, keepdims=True) * 0.5 + 120
    levels = grey * (1 - share) + np.array([214, 28, 46]) * share
    levels[~covered] = 255
    return Image.fromarray(np.clip(levels, 0, 255).astype(np.uint8))
