"""The container of a picture: what its bytes say before anything is decoded.

What the provider sent is never changed: re-encoding would destroy the Content Credentials inside. Bytes are
not trusted, and their size is read from the header by hand, before any decoder is started.
"""

import hashlib
import struct
from collections.abc import Iterator
from dataclasses import dataclass

from tasks.errors import PictureError

MAX_PX = 4 * 8_294_400
"""Largest picture decoded, in pixels: four times the largest that the vendor makes (3840 x 2160).

Source: https://developers.openai.com/api/docs/guides/image-generation, checked 2026-11-22.
"""

MAX_REFERENCE_BYTES = 50_000_000
"""A reference must be smaller than this.

Source: docstring of ``images.edit`` in the openai package 3.54.0, checked 2026-11-22.
"""

REFERENCE_FORMATS = ("png", "jpeg", "webp")

_PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_JPEG_WITHOUT_LENGTH = {0x01, *range(0xD0, 0xD9)}
_JPEG_FRAME = {*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC}


@dataclass(frozen=True, slots=True)
class Header:
    """What a container says before anything is decoded.

    Args:
        format: ``png``, ``jpeg``, ``webp`` or ``gif``.
        width: Pixels, 1 or more.
        height: Pixels, 1 or more.
    """

    format: str
    width: int
    height: int


def sha256_of(data: bytes) -> str:
    """Return the SHA-256 of ``data`` as 64 hex digits."""
    return hashlib.sha256(data).hexdigest()


def detect_format(data: bytes) -> str | None:
    """Tell a picture's format from its first bytes: png, jpeg, webp, gif; ``None`` for anything else."""
    if data.startswith(_PNG_SIGNATURE):
        return "png"
    if data.startswith(b"\xff\xd8\xff"):
        return "jpeg"
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "webp"
    if data[:6] in (b"GIF87a", b"GIF89a"):
        return "gif"
    return None


def read_header(data: bytes, where: str = "the picture") -> Header:
    """Read format and size from a container without decoding the picture.

    Args:
        data: The whole file.
        where: What to call it in an error.

    Raises:
        PictureError: The bytes are no picture, end before the size is told, or tell an empty size.
    """
    kind = detect_format(data)
    if kind is None:
        raise unsound(where, _name_stranger(data))
    try:
        width, height = _READERS[kind](data)
    except (struct.error, IndexError, StopIteration) as fault:
        raise unsound(where, f"the {kind} file ends before its size is told ({len(data):,} bytes)") from fault
    if width < 1 or height < 1:
        raise unsound(where, f"the {kind} file says it is {width} x {height} pixels")
    return Header(kind, width, height)


def _name_stranger(data: bytes) -> str:
    if not data:
        return "the file is empty"
    start = data[:512].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if start.startswith((b"<!doctype html", b"<html")):
        return "the bytes are an HTML page, no picture"
    if start.startswith((b"<svg", b"<?xml")):
        return "the bytes are an SVG or XML text, which is not decoded here"
    if start.startswith((b"{", b"[")):
        return "the bytes are JSON text, no picture"
    return f"the bytes are no picture (they start with {data[:8].hex(' ')})"


def unsound(where: str, what: str) -> PictureError:
    """Make the error about bytes that are no sound picture."""
    # Whether these bytes were paid for is known by whoever holds the order.
    return PictureError(where=where, what=what, accepted="a whole PNG, JPEG, WebP or GIF picture", money="")


def _png_size(data: bytes) -> tuple[int, int]:
    width, height = struct.unpack_from(">II", data, 16)
    return width, height


def _gif_size(data: bytes) -> tuple[int, int]:
    width, height = struct.unpack_from("<HH", data, 6)
    return width, height


def _jpeg_size(data: bytes) -> tuple[int, int]:
    start = next(start for marker, start, _ in _jpeg_segments(data) if marker in _JPEG_FRAME)
    height, width = struct.unpack_from(">HH", data, start + 1)
    return width, height


def _webp_size(data: bytes) -> tuple[int, int]:
    kind = data[12:16]
    if kind == b"VP8X":
        width, height = (int.from_bytes(data[at : at + 3], "little") + 1 for at in (24, 27))
        return (width, height) if len(data) >= 30 else (_past_end(), 0)
    if kind == b"VP8L":
        (packed,) = struct.unpack_from("<I", data, 21)
        return (packed & 0x3FFF) + 1, (packed >> 14 & 0x3FFF) + 1
    width, height = struct.unpack_from("<HH", data, 26)
    return width & 0x3FFF, height & 0x3FFF


def _past_end() -> int:
    raise IndexError


_READERS = {"png": _png_size, "gif": _gif_size, "jpeg": _jpeg_size, "webp": _webp_size}


def has_c2pa(data: bytes) -> bool | None:
    """Tell whether a picture's container carries Content Credentials (C2PA), valid or not.

    The manifest store sits in a PNG chunk ``caBX``, in JPEG APP11 segments that hold a JUMBF box, or in a
    WebP chunk ``C2PA``. Presence only: nothing is verified.

    Args:
        data: The whole file.

    Returns:
        ``None`` for a format whose container is not looked into here (GIF) and for bytes that are no picture.

    Source: C2PA Technical Specification, "Embedding manifests", https://spec.c2pa.org, checked 2026-11-22.
    """
    match detect_format(data):
        case "png":
            return any(kind == b"caBX" for kind, _, _ in png_chunks(data))
        case "webp":
            return any(kind == b"C2PA" for kind in _riff_chunks(data))
        case "jpeg":
            return any(
                marker == 0xEB and data[start : start + 2] == b"JP" and b"jumb" in data[start:end]
                for marker, start, end in _jpeg_segments(data)
            )
    return None


def png_chunks(data: bytes) -> Iterator[tuple[bytes, int, int]]:
    """Yield every whole chunk: its kind, and where its content starts and ends."""
    at = 8
    while at + 12 <= len(data):
        (length,) = struct.unpack_from(">I", data, at)
        if at + 12 + length > len(data):
            return
        yield data[at + 4 : at + 8], at + 8, at + 8 + length
        at += 12 + length


def _riff_chunks(data: bytes) -> Iterator[bytes]:
    at = 12
    while at + 8 <= len(data):
        yield data[at : at + 4]
        (length,) = struct.unpack_from("<I", data, at + 4)
        at += 8 + length + length % 2


def _jpeg_segments(data: bytes) -> Iterator[tuple[int, int, int]]:
    """Yield every segment before the pixels: its marker, and where its content starts and ends."""
    at = 2
    while at + 4 <= len(data) and data[at] == 0xFF:
        marker = data[at + 1]
        if marker == 0xFF or marker in _JPEG_WITHOUT_LENGTH:
            at += 1 if marker == 0xFF else 2
            continue
        (length,) = struct.unpack_from(">H", data, at + 2)
        yield marker, at + 4, at + 2 + length
        if marker == 0xDA:
            return
        at += 2 + length
