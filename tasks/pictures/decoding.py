"""Decoding: bytes that may be anything become pixels, or one `PictureError`.

A decoder may allocate the whole canvas merely to open a file, and Pillow itself only warns about a bomb, so
the size is read from the header first. Whatever the decoder thinks of unsound bytes becomes a `PictureError`.
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
    """Decode a picture that may be anything at all.

    Args:
        source: The whole file, or its path.
        where: What to call it in an error; by default the path.

    Returns:
        All pixels, 8 bits a channel: ``RGBA`` when the picture has transparency, else ``RGB``. Of an
        animation the first frame.

    Raises:
        PictureError: The file is missing, no picture, larger than `MAX_PX` (refused before decoding),
            cut off or damaged.
    """
    if isinstance(source, Path):
        where = where or str(source)
        source = _read(source, where)
    where = where or "the picture"
    header = read_header(source, where)
    _refuse_bomb(where, header.width, header.height)
    if header.format == "png" and not any(kind == b"IEND" for kind, _, _ in png_chunks(source)):
        raise unsound(where, f"the png file is cut off after {len(source):,} bytes")
    try:
        with Image.open(io.BytesIO(source), formats=[_PILLOW_NAMES[header.format]]) as picture:
            _refuse_bomb(where, *picture.size)  # a gif's frame may be larger than its header says
            return _to_eight_bits(picture)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as fault:
        raise unsound(where, f"a bomb: {fault}") from fault
    except (OSError, SyntaxError, ValueError, EOFError, MemoryError, struct.error) as fault:
        raise unsound(where, f"the {header.format} file is cut off or damaged: {fault}") from fault


def _refuse_bomb(where: str, width: int, height: int) -> None:
    if width * height > MAX_PX:
        raise unsound(where, f"{width} x {height} pixels are more than the {MAX_PX:,} that are decoded")


def _read(path: Path, where: str) -> bytes:
    try:
        return path.read_bytes()
    except OSError as fault:
        raise unsound(where, f"the file cannot be read: {fault.strerror}") from fault


def _to_eight_bits(picture: Image.Image) -> Image.Image:
    picture.load()
    if picture.mode.startswith("I"):  # 16 bits of grey: Pillow would clip them, not scale them
        picture = picture.convert("I").point(lambda level: level / 257).convert("L")
    mode = "RGBA" if picture.has_transparency_data else "RGB"
    return picture.convert(mode)


def flatten(picture: Image.Image, background: tuple[int, int, int] = (128, 128, 128)) -> Image.Image:
    """Lay a picture over one colour, so that what hides under full transparency cannot matter.

    Args:
        picture: ``RGB`` or ``RGBA``.
        background: Red, green, blue, 0-255. Middle grey shows white and black subjects alike.

    Returns:
        ``RGB``; the same object when there was no transparency.
    """
    if picture.mode == "RGB":
        return picture
    below = Image.new("RGBA", picture.size, (*background, 255))
    return Image.alpha_composite(below, picture.convert("RGBA")).convert("RGB")


def make_thumbnail(picture: Image.Image, max_edge_px: int = THUMBNAIL_EDGE_PX) -> bytes:
    """Encode a small WebP copy for pages; transparency is kept, credentials are not.

    Args:
        picture: ``RGB`` or ``RGBA``; left as it is.
        max_edge_px: The longer edge at most, pixels. A smaller picture is not enlarged.

    Returns:
        The WebP file.
    """
    stream = io.BytesIO()
    shrink(picture, max_edge_px).save(stream, "WEBP", quality=75, method=0)
    return stream.getvalue()


def shrink(picture: Image.Image, max_edge_px: int) -> Image.Image:
    """Make a smaller copy with the same proportions.

    Args:
        picture: Any mode that Pillow resizes; left as it is.
        max_edge_px: The longer edge at most, pixels. A picture of no more is returned itself; one of more
            than twice as many is reduced by a whole number, five times faster, and may end up to a third
            below the limit.
    """
    factor = -(-max(picture.size) // max_edge_px)
    if factor == 1:
        return picture
    if factor > 2:
        return picture.reduce(factor)
    scale = max_edge_px / max(picture.size)
    width, height = (max(1, round(edge * scale)) for edge in picture.size)
    return picture.resize((width, height), Image.Resampling.LANCZOS)
