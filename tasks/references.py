"""References: the pictures that are sent along with an order, looked at before anything is spent."""

import hashlib
from functools import lru_cache
from pathlib import Path

from tasks.candidate import Reference

MAX_REFERENCE_BYTES = 50_000_000
MAX_MASK_BYTES = 4_000_000
MEDIA_TYPES = {"PNG": "image/png", "JPEG": "image/jpeg", "WEBP": "image/webp"}


class ReferenceFaultError(ValueError):
    """A file that cannot be sent as a picture; its text says why."""


@lru_cache(maxsize=64)
def read_reference(file: str) -> Reference:
    """Look at a picture file: its bytes' hash, its size, its type.

    Args:
        file: Absolute path of a png, jpeg or webp under 50 MB.

    Raises:
        ReferenceFaultError: The file cannot be read, is too large, or is no such picture.
    """
    return _read(file)[0]


def read_mask(file: str, first: Reference) -> Reference:
    """Look at a mask: a png with transparency, of the first reference's size, under 4 MB.

    Raises:
        ReferenceFaultError: It is not.
    """
    mask, has_alpha, n_bytes = _read(file)
    if mask.media_type != "image/png" or not has_alpha:
        message = f"{file} is no png with transparency"
        raise ReferenceFaultError(message)
    if (mask.width, mask.height) != (first.width, first.height):
        message = (
            f"{file} is {mask.width}x{mask.height} and the first reference {first.width}x{first.height};"
            " they must be equal"
        )
        raise ReferenceFaultError(message)
    if n_bytes >= MAX_MASK_BYTES:
        message = f"{file} has {n_bytes:,} bytes, a mask may have {MAX_MASK_BYTES:,}"
        raise ReferenceFaultError(message)
    return mask


def _read(file: str) -> tuple[Reference, bool, int]:
    from PIL import Image, UnidentifiedImageError

    try:
        content = Path(file).read_bytes()
        with Image.open(file) as picture:
            picture_format, (width, height) = picture.format or "", picture.size
            has_alpha = picture.has_transparency_data
    except (OSError, UnidentifiedImageError, Image.DecompressionBombError, ValueError) as error:
        message = f"{file} cannot be read as a picture ({error})"
        raise ReferenceFaultError(message) from error
    if picture_format not in MEDIA_TYPES:
        message = f"{file} is a {picture_format.lower()}; only png, jpeg and webp can be sent"
        raise ReferenceFaultError(message)
    if len(content) >= MAX_REFERENCE_BYTES:
        message = f"{file} has {len(content):,} bytes, a reference may have {MAX_REFERENCE_BYTES:,}"
        raise ReferenceFaultError(message)
    digest = hashlib.sha256(content).hexdigest()
    return Reference(file, digest, width, height, MEDIA_TYPES[picture_format]), has_alpha, len(content)
