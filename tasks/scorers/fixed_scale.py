"""The scales at which technical figures are taken: a fixed one, half of it, and full scale in a window."""

import numpy as np
from numpy.typing import NDArray
from PIL import Image

EDGE_PX = 512

Levels = NDArray[np.uint8]
Plane = NDArray[np.float32]
Mask = NDArray[np.bool_]


def plain(picture: Image.Image) -> Image.Image:
    """Make a picture ``RGBA`` if it has transparency, else ``RGB``."""
    mode = "RGBA" if picture.has_transparency_data else "RGB"
    return picture if picture.mode == mode else picture.convert(mode)


def shrunk(picture: Image.Image) -> Image.Image:
    """Average down to the fixed scale; by a whole factor first, which is five times as fast."""
    whole = max(picture.size) // EDGE_PX
    if whole > 1:
        picture = picture.reduce(whole)
    scale = min(1.0, EDGE_PX / max(picture.size))
    size = (max(1, round(picture.width * scale)), max(1, round(picture.height * scale)))
    return picture if size == picture.size else picture.resize(size, Image.Resampling.BOX)


def window_of(picture: Image.Image) -> Image.Image:
    """Cut out the centre at full scale, on JPEG's grid."""
    left = max(0, (picture.width - EDGE_PX) // 2) // 8 * 8
    top = max(0, (picture.height - EDGE_PX) // 2) // 8 * 8
    return picture.crop((left, top, min(picture.width, left + EDGE_PX), min(picture.height, top + EDGE_PX)))


def halve(plane: Levels | Plane | Mask) -> Plane:
    """Average 2 x 2 px, which halves the noise."""
    import cv2

    height, width = (edge // 2 for edge in plane.shape)
    whole = plane.astype(np.float32)
    if not height or not width:
        return whole
    even = whole[: 2 * height, : 2 * width]
    return np.asarray(cv2.resize(even, (width, height), interpolation=cv2.INTER_AREA), np.float32)


def every_other(colours: Levels) -> Levels:
    """Take every second pixel of every second line."""
    import cv2

    height, width = colours.shape[:2]
    even = cv2.copyMakeBorder(colours, 0, height % 2, 0, width % 2, cv2.BORDER_REPLICATE)
    size = (width + 1) // 2, (height + 1) // 2
    return np.asarray(cv2.resize(even, size, interpolation=cv2.INTER_NEAREST), np.uint8)
