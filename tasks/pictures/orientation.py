"""Orientation: how the camera was held, as EXIF notes it, and the pixels turned upright.

Source: EXIF 2.32 (CIPA DC-008-2019), section 4.6.4, tag 0x0112.
"""

import warnings
from threading import Lock

from PIL import ExifTags, Image

from tasks.pictures.container import png_chunks

_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_SIDEWAYS = (5, 6, 7, 8)
_warnings_lock = Lock()


def turn_needed(data: bytes, kind: str, picture: Image.Image) -> Image.Transpose | None:
    """Read how a picture must be turned to stand upright; ``None`` if it does already.

    Args:
        data: The whole file.
        kind: Its format, as ``container.detect_format`` names it.
        picture: The same file, opened; its pixels need not be decoded.
    """
    if not _has_exif(data, kind, picture):
        return None
    try:
        with _warnings_lock, warnings.catch_warnings():  # filters belong to the process, not to a thread
            warnings.simplefilter("ignore")  # viewers ignore corrupt EXIF
            noted = picture.getexif().get(ExifTags.Base.Orientation)
    except Exception:
        return None
    return _TURNS.get(noted) if isinstance(noted, int) else None


def is_sideways(turn: Image.Transpose | None) -> bool:
    """Whether a turn exchanges width and height."""
    return any(turn is _TURNS[orientation] for orientation in _SIDEWAYS)


def _has_exif(data: bytes, kind: str, picture: Image.Image) -> bool:
    # In a PNG, EXIF may stand behind the pixels, and Pillow decodes all of them to look for it.
    if kind == "png":
        return any(name == b"eXIf" for name, _, _ in png_chunks(data))
    return "exif" in picture.info
