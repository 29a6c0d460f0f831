"""Decoding: pixels from untrusted bytes as people see them, upright and in sRGB, or a `PictureError`.

A decoder may allocate the whole canvas just to open a file, and Pillow only warns about a decompression bomb,
so the size is read from the header first. Every error of a decoder becomes a `PictureError`.
"""

import io
import zlib
from pathlib import Path

from PIL import Image, UnidentifiedImageError

from tasks.errors import PictureError
from tasks.limits import PICTURE_BYTES
from tasks.pictures.colour import to_srgb
from tasks.pictures.container import MAX_PX, png_chunks, read_header, unsound
from tasks.pictures.orientation import turn_needed
from tasks.pictures.plain_png import decode_plain
from tasks.storage.regular_file import read_regular

THUMBNAIL_EDGE_PX = 384


_TEXT_CHUNKS = (b"tEXt", b"zTXt", b"iTXt")
_MOST_PROFILE_BYTES = 1_000_000
"""Pillow refuses a whole PNG for text or a profile that is larger when unpacked."""

_PILLOW_NAMES = {"png": "PNG", "jpeg": "JPEG", "webp": "WEBP", "gif": "GIF"}


def decode(source: bytes | Path, where: str | None = None) -> Image.Image:
    """Decode a picture from untrusted bytes.

    Args:
        source: The whole file, or its path.
        where: What to call it in an error; by default the path.

    Returns:
        The pixels as people see them: turned upright by their EXIF, in sRGB by their ICC profile, 8 bits per
        channel; ``RGBA`` when the picture has transparency, else ``RGB``; of an animation, the first frame.

    Raises:
        PictureError: The file is missing, not a picture, larger than `MAX_PX` (checked before decoding),
            truncated or damaged.
    """
    if isinstance(source, Path):
        where = where or str(source)
        source = read_picture(source, where)
    where = where or "the picture"
    header = read_header(source, where)
    _check_size(where, header.width, header.height)
    if header.format == "png" and not any(kind == b"IEND" for kind, _, _ in png_chunks(source)):
        raise unsound(where, f"the png file is truncated after {len(source):,} bytes")
    try:
        if header.format == "png" and (plain := decode_plain(_without_texts(source))):
            return plain
        with opened(source, header.format) as picture:
            _check_size(where, *picture.size)  # a gif's frame may be larger than its header says
            return as_seen(source, header.format, picture)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as fault:
        raise unsound(where, f"it is a decompression bomb: {fault}") from fault
    except UnidentifiedImageError as fault:
        raise unsound(where, f"the header of the {header.format} file is damaged") from fault
    except PictureError:
        raise
    except Exception as fault:  # decoders raise anything: Pillow an AssertionError for a missing palette
        why = str(fault) or type(fault).__name__
        raise unsound(where, f"the {header.format} file is truncated or damaged: {why}") from fault


def _check_size(where: str, width: int, height: int) -> None:
    if width * height > MAX_PX:
        raise unsound(where, f"{width} x {height} pixels are more than the limit of {MAX_PX:,}")


def read_picture(path: Path, where: str | None = None) -> bytes:
    """Read a picture's file.

    Args:
        path: The file.
        where: What to call it in an error; by default the path.

    Raises:
        PictureError: It is missing, no regular file, or larger than a picture may be.
    """
    try:
        return read_regular(path, PICTURE_BYTES)
    except OSError as fault:
        raise unsound(where or str(path), f"the file cannot be read: {fault.strerror or fault}") from fault


def opened(data: bytes, kind: str) -> Image.Image:
    """Open a picture with Pillow, without the texts of a PNG, whatever their size.

    Args:
        data: The whole file.
        kind: Its format, as ``container.detect_format`` names it.

    Returns:
        The picture, whose pixels are not decoded yet; it is also a context manager.

    Raises:
        OSError: It cannot be opened; Pillow raises other errors too.
    """
    source = _without_texts(data) if kind == "png" else data
    return Image.open(io.BytesIO(source), formats=[_PILLOW_NAMES[kind]])


def _without_texts(data: bytes) -> bytes:
    chunks = list(png_chunks(data))
    kept = [
        (start, end)
        for kind, start, end in chunks
        if not (kind in _TEXT_CHUNKS or (kind == b"iCCP" and _is_oversized(data[start:end])))
    ]
    if len(kept) == len(chunks):
        return data  # nearly all: a picture is not copied
    return b"".join([data[:8], *(data[start - 8 : end + 4] for start, end in kept)])


def _is_oversized(content: bytes) -> bool:
    packed = content[content.find(b"\0") + 2 :]
    try:
        return len(zlib.decompressobj().decompress(packed, _MOST_PROFILE_BYTES)) == _MOST_PROFILE_BYTES
    except zlib.error:
        return True


def as_seen(data: bytes, kind: str, picture: Image.Image) -> Image.Image:
    """Decode an open picture to what people see: upright, in sRGB.

    Args:
        data: The whole file.
        kind: Its format, as ``container.detect_format`` names it.
        picture: The same file, from ``opened``.

    Returns:
        ``RGBA`` when it has transparency, else ``RGB``, 8 bits per channel.
    """
    turn = turn_needed(data, kind, picture)
    plain = to_srgb(picture)
    return plain if turn is None else plain.transpose(turn)


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
