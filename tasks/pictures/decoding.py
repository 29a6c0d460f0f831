"""Decoding: pixels from untrusted bytes, or a `PictureError`.

A decoder may allocate the whole canvas just to open a file, and Pillow only warns about a decompression bomb,
so the size is read from the header first. Every error of a decoder becomes a `PictureError`.
"""

import io
import struct
from pathlib import Path

from PIL import Image

from tasks.pictures.container import (
    MAX_PX,
    png_chunks,
    read_header,
    unsound,
)

THUMBNAIL_EDGE_PX = 384


_PILLOW_NAMES = {"png": "PNG", "jpeg": "JPEG", "webp": "WEBP", "gif": "GIF"}


def decode(source: bytes | Path, where: str | None = None) -> Image.Image:
    """Decode a picture from untrusted bytes.

    Args:
        source: The whole file, or its path.
        where: What to call it in an error; by default the path.

    Returns:
        The pixels, 8 bits per channel: ``RGBA`` when the picture has transparency, else ``RGB``; of an
        animation, the first frame.

    Raises:
        PictureError: The file is missing, not a picture, larger than `MAX_PX` (checked before decoding),
            truncated or damaged.
    """
    if isinstance(source, Path):
        where = where or str(source)
        source = _read(source, where)
    where = where or "the picture"
    header = read_header(source, where)
    _check_size(where, header.width, header.height)
    if header.format == "png" and not any(kind == b"IEND" for kind, _, _ in png_chunks(source)):
        raise unsound(where, f"the png file is truncated after {len(source):,} bytes")
    try:
        with Image.open(io.BytesIO(source), formats=[_PILLOW_NAMES[header.format]]) as picture:
            _check_size(where, *picture.size)  # a gif's frame may be larger than its header says
            return _to_eight_bits(picture)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as fault:
        raise unsound(where, f"it is a decompression bomb: {fault}") from fault
    except (OSError, SyntaxError, ValueError, EOFError, MemoryError, struct.error) as fault:
        raise unsound(where, f"the {header.format} file is truncated or damaged: {fault}") from fault


def _check_size(where: str, width: int, height: int) -> None:
    if width * height > MAX_PX:
        raise unsound(where, f"{width} x {height} pixels are more than the limit of {MAX_PX:,}")


def _read(path: Path, where: str) -> bytes:
    try:
        return path.read_bytes()
    except OSError as fault:
        raise unsound(where, f"the file cannot be read: {fault.strerror}") from fault


def _to_eight_bits(picture: Image.Image) -> Image.Image:
    picture.load()
    if picture.mode.startswith("I"):  # 16-bit grey: Pillow would clip it, not scale it
        picture = picture.convert("I").point(lambda level: level / 257).convert("L")
    mode = "RGBA" if picture.has_transparency_data else "RGB"
    return picture.convert(mode)


def flatten(picture: Image.Image, background: tuple[int, int, int] = (128, 128, 128)) -> Image.Image:
    """Lay a picture over one colour, so that colours under full transparency have no effect.

    Args:
        picture: ``RGB`` or ``RGBA``.
        background: Red, green, blue, 0-255. On middle grey both white and black subjects are visible.

    Returns:
        ``RGB``; the same object when there was no transparency.
    """
    if picture.mode == "RGB":
        return picture
    below = Image.new("RGBA", picture.size, (*background, 255))
    return Image.alpha_composite(below, picture.convert("RGBA")).convert("RGB")


def make_thumbnail(picture: Image.Image, max_edge_px: int = THUMBNAIL_EDGE_PX) -> bytes:
    """Encode a WebP thumbnail for pages; transparency is kept, credentials are not.

    Args:
        picture: ``RGB`` or ``RGBA``; not changed.
        max_edge_px: The longest edge allowed, pixels. A smaller picture is not enlarged.

    Returns:
        The WebP file.
    """
    stream = io.BytesIO()
    shrink(picture, max_edge_px).save(stream, "WEBP", quality=75, method=0)
    return stream.getvalue()


def shrink(picture: Image.Image, max_edge_px: int) -> Image.Image:
    """Scale a picture down, keeping its proportions.

    Args:
        picture: Any mode that Pillow resizes; not changed.
        max_edge_px: The longest edge allowed, pixels. A picture within it is returned as it is. One of more
            than twice the limit is reduced by a whole factor, which is five times faster; the result may
            be up to a third below the limit.
    """
    factor = -(-max(picture.size) // max_edge_px)
    if factor == 1:
        return picture
    if factor > 2:
        return picture.reduce(factor)
    scale = max_edge_px / max(picture.size)
    width, height = (max(1, round(edge * scale)) for edge in picture.size)
    return picture.resize((width, height), Image.Resampling.LANCZOS)
