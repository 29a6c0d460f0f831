"""A picture's transparency: measuring it, comparing it with the order, and showing it to people.

A provider may answer an order for a transparent background with an opaque picture, even one with a painted
chequerboard; only the pixels show it. People see transparent parts over a chequerboard, as in image editors,
because a white subject is invisible on white.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
from PIL import Image

from tasks.candidate import Inspection
from tasks.pictures.container import HALF
from tasks.pictures.differences import BETWEEN, join_differences

LEAST_ALPHA_SHARE = 0.005
"""A picture with less than this share of transparent pixels has no transparent background."""

NO_TRANSPARENCY = "no transparency although ordered"

LIGHT, DARK = (229, 233, 239), (203, 210, 219)


def measure_transparency(picture: Image.Image) -> dict[str, float]:
    """Measure a picture's transparency; a pixel counts as transparent if its alpha is below half.

    Args:
        picture: ``RGB`` or ``RGBA``, any size.

    Returns:
        ``alpha_share``: share of such pixels, 0-1. ``alpha_border_share``: their share among the outermost
        pixels, 0-1; 1 for a subject that touches no edge. Both 0 for a picture without alpha.
    """
    if "A" not in picture.getbands():
        return {"alpha_share": 0.0, "alpha_border_share": 0.0}
    is_clear = np.asarray(picture.getchannel("A")) < HALF
    is_rim = np.ones_like(is_clear)
    is_rim[1:-1, 1:-1] = False
    return {"alpha_share": float(is_clear.mean()), "alpha_border_share": float(is_clear[is_rim].mean())}


def mark_missing_transparency(
    parameters: Mapping[str, Any], seen: Inspection, downgraded: str | None
) -> str | None:
    """Report an opaque picture where a transparent one was ordered.

    Args:
        parameters: The order's own fields, as sent.
        seen: The picture's inspection.
        downgraded: The differences from the order known already.

    Returns:
        All differences, including this one; ``None`` if there is no new one: transparency was not ordered, is
        there, was not measured, or its absence is known already.
    """
    share = seen.measurements.get("alpha_share")
    if parameters.get("background") != "transparent" or share is None or share >= LEAST_ALPHA_SHARE:
        return None
    known = downgraded.split(BETWEEN) if downgraded else []
    return None if NO_TRANSPARENCY in known else join_differences([*known, NO_TRANSPARENCY])


def lay_on_chequerboard(picture: Image.Image, cell_px: int) -> Image.Image:
    """Lay a picture over a chequerboard, so that its transparent parts are visible.

    Args:
        picture: ``RGB`` or ``RGBA``; not changed.
        cell_px: The edge of one square, pixels.

    Returns:
        ``RGB``; the same object when it had no alpha.
    """
    if picture.mode == "RGB":
        return picture
    rows, columns = (np.arange(edge) // cell_px for edge in (picture.height, picture.width))
    is_dark = (rows[:, None] + columns[None, :]) % 2 == 1
    board = np.where(is_dark[..., None], np.array(DARK), np.array(LIGHT)).astype(np.uint8)
    return Image.alpha_composite(Image.fromarray(board).convert("RGBA"), picture.convert("RGBA")).convert(
        "RGB"
    )
