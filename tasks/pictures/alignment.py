"""Alignment: a final with the zoom, the shift and the change of tone against its draft undone.

What the final no longer shows at its rim is taken from the draft, enlarged.
"""

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from tasks.pictures.looks import LOOK_EDGE_PX
from tasks.pictures.redrawing import Redrawing, Tone

_FEATHER_SHARE = 0.006


def align(draft: Image.Image, final: Image.Image, found: Redrawing) -> Image.Image:
    """Lay a final on its draft and give it the draft's tone.

    Args:
        draft: ``RGB``.
        final: ``RGB``, of the same proportions; not changed.
        found: How the draft's look lies on the final's.

    Returns:
        ``RGB``, in the final's size.
    """
    import cv2

    matrix = _in_pixels(found.registration.matrix, max(final.size) / LOOK_EDGE_PX)
    pixels = _untoned(np.asarray(final), found.tone)
    flags = cv2.WARP_INVERSE_MAP
    laid = cv2.warpAffine(
        pixels, matrix, final.size, flags=flags | cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE
    )
    inner = np.zeros(pixels.shape[:2], np.float32)
    inner[1:-1, 1:-1] = 1
    covered = cv2.warpAffine(inner, matrix, final.size, flags=flags | cv2.INTER_NEAREST)
    feather = max(1.0, _FEATHER_SHARE * max(final.size))
    size = 2 * round(2 * feather) + 1
    shrunk = cv2.erode(
        np.asarray(covered), np.ones((size, size), np.uint8), borderType=cv2.BORDER_CONSTANT, borderValue=1
    )
    share = cv2.GaussianBlur(np.asarray(shrunk, np.float32), (0, 0), feather, borderType=cv2.BORDER_REPLICATE)
    below = np.asarray(draft.resize(final.size, Image.Resampling.LANCZOS), np.float32)
    mixed = below + (np.asarray(laid, np.float32) - below) * np.asarray(share, np.float32)[..., None]
    return Image.fromarray(np.rint(np.clip(mixed, 0, 255)).astype(np.uint8))


def _in_pixels(matrix: NDArray[np.float32], factor: float) -> NDArray[np.float64]:
    """Convert a map between looks into one between pictures that are larger by a factor."""
    half = (factor - 1) / 2
    to_picture = np.array([[factor, 0, half], [0, factor, half], [0, 0, 1]])
    whole = to_picture @ np.vstack([matrix, [0, 0, 1]]) @ np.linalg.inv(to_picture)
    found: NDArray[np.float64] = whole[:2]
    return found


def _untoned(pixels: NDArray[np.uint8], tone: Tone) -> NDArray[np.uint8]:
    gains = tuple(1 / gain for gain in tone.gains)
    offsets = tuple(-offset / gain for gain, offset in zip(tone.gains, tone.offsets_levels, strict=True))
    return Tone((gains[0], gains[1], gains[2]), (offsets[0], offsets[1], offsets[2])).applied(pixels)
