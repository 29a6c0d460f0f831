"""Pictures as a judging model is shown them: no larger than asked for, and a mask as black and white."""

import io

from PIL import Image, ImageOps

from tasks.pictures.container import MEDIA_TYPES
from tasks.pictures.sendable import decode_as_sent

_JPEG_QUALITY = 92


def shrink(data: bytes, size: tuple[int, int]) -> tuple[bytes, str]:
    """Shrink a picture until it fits; returns the bytes, a png if it has transparency, and the media type.

    Args:
        data: The whole file.
        size: The most width and height, px.

    Raises:
        PictureError: It cannot be decoded.
    """
    picture = decode_as_sent(data)
    picture.thumbnail(size, Image.Resampling.LANCZOS)
    return _encoded(picture, "PNG" if picture.mode == "RGBA" else "JPEG")


def draw_mask(data: bytes, size: tuple[int, int]) -> tuple[bytes, str]:
    """Draw a mask for a model that sees no transparency: white where it is transparent, else black.

    Args:
        data: The whole file.
        size: The most width and height, px.

    Raises:
        PictureError: It cannot be decoded.
    """
    kept = decode_as_sent(data).convert("RGBA").getchannel("A")
    changed = ImageOps.invert(kept)
    changed.thumbnail(size, Image.Resampling.LANCZOS)
    return _encoded(changed, "PNG")


def _encoded(picture: Image.Image, kind: str) -> tuple[bytes, str]:
    stream = io.BytesIO()
    picture.save(stream, kind, quality=_JPEG_QUALITY)
    return stream.getvalue(), MEDIA_TYPES[kind.lower()]
