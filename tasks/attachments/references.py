"""Reads and checks references, the pictures sent along with an order, before anything is spent.

A file is read once, however often it is used: the result is cached until the file changes. Every file is
checked for completeness (``container.find_damage``), which is fast enough for 10,000 files; pixels are
decoded only where the caller asks for it.
"""

import hashlib
import io
from pathlib import Path
from typing import NamedTuple

from tasks.errors import PictureError
from tasks.order import Reference
from tasks.pictures.container import MAX_PX, find_damage

MAX_REFERENCES = 16
MAX_REFERENCE_BYTES = 50_000_000
MAX_MASK_BYTES = 4_000_000
"""Source of the limits: docstrings of ``images.edit`` in the openai package 3.54.0, checked 2026-11-22."""

MEDIA_TYPES = {"PNG": "image/png", "JPEG": "image/jpeg", "MPO": "image/jpeg", "WEBP": "image/webp"}
"""By Pillow's format names. An MPO is a JPEG with further pictures after its end, as phones write it."""
FILES_REMEMBERED = 100_000


class ReferenceFaultError(ValueError):
    """A file cannot be sent as a picture; the message says why."""


class SeenPicture(NamedTuple):
    """A picture file that was read: its reference, whether it has an alpha channel, and its size in bytes."""

    reference: Reference
    has_alpha: bool
    n_bytes: int
    is_decoded: bool


_looked_at: dict[tuple[str, int, int], SeenPicture] = {}
"""By file, time of its last change in ns, and bytes."""


def read_reference(file: str, *, decodes: bool = False) -> Reference:
    """Read a picture file's hash, size and type.

    Args:
        file: Absolute path of a png, jpeg or webp under 50 MB.
        decodes: Whether to decode its pixels too: 4 to 24 ms a megapixel. A picture above the limit for
            decoding (``MAX_PX``) is not decoded; the provider accepts some of those.

    Raises:
        ReferenceFaultError: The file cannot be read, is too large, truncated or damaged, or is not such a
            picture.
    """
    return look_at(file, decodes=decodes).reference


def look_at(file: str, *, decodes: bool = False) -> SeenPicture:
    """Read a picture file that is to be sent; see ``read_reference``."""
    try:
        status = Path(file).stat()
        if status.st_size >= MAX_REFERENCE_BYTES:
            raise _too_large(file, status.st_size, "reference", MAX_REFERENCE_BYTES)
        key = file, status.st_mtime_ns, status.st_size
        seen = _looked_at.get(key)
        if seen is None or (decodes and not seen.is_decoded):
            if len(_looked_at) >= FILES_REMEMBERED:
                _looked_at.clear()
            seen = _looked_at[key] = _look_at(file, Path(file).read_bytes(), decodes=decodes)
    except OSError as error:
        message = f"{file} cannot be read as a picture ({error.strerror or error})"
        raise ReferenceFaultError(message) from error
    return seen


def read_mask(file: str, first: Reference) -> Reference:
    """Read a mask: a png with transparency, of the first reference's size, under 4 MB.

    Raises:
        ReferenceFaultError: It is not.
    """
    mask, has_alpha, n_bytes, _ = look_at(file)
    if mask.media_type != "image/png" or not has_alpha:
        message = f"{file} is not a png with transparency"
        raise ReferenceFaultError(message)
    if (mask.width, mask.height) != (first.width, first.height):
        message = (
            f"{file} is {mask.width}x{mask.height} and the first reference {first.width}x{first.height};"
            " they must be equal"
        )
        raise ReferenceFaultError(message)
    if n_bytes >= MAX_MASK_BYTES:
        raise _too_large(file, n_bytes, "mask", MAX_MASK_BYTES)
    return mask


def _too_large(file: str, n_bytes: int, noun: str, limit: int) -> ReferenceFaultError:
    return ReferenceFaultError(f"{file} has {n_bytes:,} bytes, a {noun} must have less than {limit:,}")


def _look_at(file: str, content: bytes, *, decodes: bool) -> SeenPicture:
    from PIL import Image, UnidentifiedImageError

    if (damage := find_damage(content)) is not None:
        message = f"{file} {damage}"
        raise ReferenceFaultError(message)
    try:
        with Image.open(io.BytesIO(content)) as picture:
            picture_format, (width, height) = picture.format or "", picture.size
            has_alpha = picture.has_transparency_data
    except (OSError, UnidentifiedImageError, Image.DecompressionBombError, ValueError, SyntaxError) as error:
        message = f"{file} cannot be read as a picture ({error})"
        raise ReferenceFaultError(message) from error
    if picture_format not in MEDIA_TYPES:
        message = f"{file} is a {picture_format.lower()}; only png, jpeg and webp can be sent"
        raise ReferenceFaultError(message)
    if decodes and width * height <= MAX_PX:
        _require_decodable(file, content)
    digest = hashlib.sha256(content).hexdigest()
    reference = Reference(file, digest, width, height, MEDIA_TYPES[picture_format])
    return SeenPicture(reference, has_alpha, len(content), decodes)


def _require_decodable(file: str, content: bytes) -> None:
    from tasks.pictures.decoding import decode

    try:
        decode(content)
    except PictureError as error:
        message = f"{file} cannot be decoded: {error.what}"
        raise ReferenceFaultError(message) from error
