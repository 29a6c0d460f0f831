"""The see-through parts of a picture: how much there is of them, and how people are shown that.

A provider may answer an order for a transparent background with an opaque picture, at worst one on which a
chequerboard is painted. Only the pixels tell. People are shown a chequerboard behind what is see-through, as
in every editor of pictures, because on white a white subject is lost.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
from PIL import Image

from tasks.candidate import Inspection

LEAST_ALPHA_SHARE = 0.005
"""A picture with less than this share of see-through pixels has no transparent background."""

NO_TRANSPARENCY = "no transparency although ordered"

HALF = 128
LIGHT, DARK = (229, 233, 239), (203, 210, 219)


def measure_transparency(picture: Image.Image) -> dict[str, float]:
    """Measure how much of a picture is see-through; a pixel is when its alpha is below half.

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
    """Say of an opaque picture that a transparent one was ordered.

    Args:
        parameters: The order's own fields, as sent.
        seen: What looking at the picture told.
        downgraded: What is known to differ from the order already.

    Returns:
        All that differs, this included; ``None`` when there is nothing new to say: transparency was not
        ordered, is there, could not be measured, or its lack is known.
    """
    share = seen.measurements.get("alpha_share")
    if parameters.get("background") != "transparent" or share is None or share >= LEAST_ALPHA_SHARE:
        return None
    known = downgraded.split("; ") if downgraded else []
    return None if NO_TRANSPARENCY in known else "; ".join((*known, NO_TRANSPARENCY))


def lay_on_chequerboard(picture: Image.Image, cell_px: int) -> Image.Image:
    """Show a picture's see-through parts as people know them.

    Args:
        picture: ``RGB`` or ``RGBA``; left as it is.
        cell_px: The edge of one cell, pixels.

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
