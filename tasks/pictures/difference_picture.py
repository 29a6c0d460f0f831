"""A picture of how two pictures differ: one in grey, and in red what leaves the other."""

import numpy as np
from PIL import Image

from tasks.pictures.likeness import Likeness, beyond_neighbours, compare, find_framed, find_turn
from tasks.pictures.looks import Look
from tasks.pictures.registration import lay_on
from tasks.pictures.tone import in_one_tone

_FULL_RED_LEVELS = 64


def draw_difference(one: Look, other: Look) -> Image.Image | None:
    """Draw where two pictures differ, after they were laid on one another and brought to one tone.

    Args:
        one: The look that is drawn, in grey.
        other: The other one.

    Returns:
        RGB; what the other does not cover is left white. A copy is turned first, or taken out of its border.
        ``None`` when they cannot be laid on one another.
    """
    likeness = compare(one, other)
    if likeness is None or likeness.difference > 1:
        if framed := find_framed(one, other):
            return _drawn(*framed)
        if turned := find_turn(one, other):
            return _drawn(one, other.turned(turned[0]), turned[1])
    return None if likeness is None else _drawn(one, other, likeness)


def _drawn(one: Look, other: Look, likeness: Likeness) -> Image.Image:
    moved, covered = lay_on(one, other, likeness.registration)
    beyond = beyond_neighbours(*in_one_tone(one.pixels, moved, likeness.tone))
    share = np.clip(beyond.astype(float) / _FULL_RED_LEVELS, 0, 1)[..., None]
    grey = one.pixels.mean(axis=2, keepdims=True) * 0.5 + 120
    levels = grey * (1 - share) + np.array([214, 28, 46]) * share
    levels[~covered] = 255
    return Image.fromarray(np.clip(levels, 0, 255).astype(np.uint8))
