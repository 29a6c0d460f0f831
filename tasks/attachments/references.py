"""Reads and checks references, the pictures sent along with an order, before anything is spent.

A file is read once, however often it is used: the result is cached until the file changes. Every file is
checked for completeness (``container.find_damage``), which is fast enough for 10,000 files; pixels are
decoded only where the caller asks for it.
"""

import hashlib
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from tasks.attachments.near_files import near_file
from tasks.errors import PictureError
from tasks.limits import CONVERTED_PX
from tasks.order import Reference
from tasks.pictures.container import HALF, MAX_PX, MEDIA_TYPES, find_damage
from tasks.storage.regular_file import read_regular

MAX_REFERENCES = 16
MAX_REFERENCE_BYTES = 50_000_000
MAX_MASK_BYTES = 4_000_000
"""Source of the limits: docstrings of ``images.edit`` in the openai package 3.54.0, checked 2026-11-22."""

FILES_REMEMBERED = 100_000


class ReferenceFaultError(ValueError):
    """A file cannot be sent as a picture; the message says why."""


class SeenPicture(NamedTuple):
    """A picture file that was read.

    Args:
        reference: What is sent of it.
        format: Of the file: ``png``, ``jpeg``, ``webp`` or ``gif``.
        has_alpha: Whether it has transparency.
        n_bytes: The file's size, bytes.
        is_decoded: Whether its pixels were decoded.
        conversion: What is changed before it is sent, worded to follow its name; empty if nothing is.
        upright_conversion: The same where it is sent upright, because a mask counts its pixels.
    """

    reference: Reference
    format: str
    has_alpha: bool
    n_bytes: int
    is_decoded: bool
    conversion: str
    upright_conversion: str


_looked_at: dict[tuple[str, int, int], SeenPicture] = {}
"""By file, time of its last change in ns, and bytes."""


def read_reference(file: str, *, decodes: bool = False, is_bought: bool = False) -> Reference:
    """Read a picture file's hash, size and type.

    Args:
        file: Absolute path of a png, jpeg or webp under 50 MB.
        decodes: Whether to decode its pixels too: 4 to 24 ms a megapixel. A picture above the limit for
            decoding (``MAX_PX``) is not decoded; the provider accepts some of those.
        is_bought: Whether a provider made it, who may have made a gif, which is sent as a png. People are
            asked for another file instead: theirs may move.

    Raises:
        ReferenceFaultError: The file cannot be read, is too large, truncated or damaged, or is not such a
            picture.
    """
    seen = look_at(file, decodes=decodes)
    if not is_bought and seen.format not in MEDIA_TYPES:
        message = f"{file} is a {seen.format}; only png, jpeg and webp can be sent, so save it as one of them"
        raise ReferenceFaultError(message)
    return seen.reference


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
            seen = _looked_at[key] = _look_at(file, read_regular(file, MAX_REFERENCE_BYTES), decodes=decodes)
    except FileNotFoundError as error:
        message = f"there is no file {file}{near_file(Path(file))}"
        raise ReferenceFaultError(message) from error
    except OSError as error:
        message = f"{file} cannot be read as a picture ({error.strerror or error})"
        raise ReferenceFaultError(message) from error
    return seen


def check_turnable(file: str) -> None:
    """Check that a picture can be turned upright, as the one below a mask must be.

    Raises:
        ReferenceFaultError: It is too large to be turned, or cannot be read.
    """
    from tasks.pictures.sendable import too_large_for

    seen = look_at(file)
    first = seen.reference
    if fault := too_large_for(seen.upright_conversion, first.width, first.height):
        message = f"{file} has a mask, so {fault}"
        raise ReferenceFaultError(message)


def read_mask(file: str, first: Reference) -> Reference:
    """Read a mask: a png that is transparent somewhere, of the first reference's size, under 4 MB.

    Raises:
        ReferenceFaultError: It is not.
    """
    seen = look_at(file)
    mask = seen.reference
    if mask.media_type != "image/png" or not seen.has_alpha:
        message = f"{file} is not a png with transparency"
        raise ReferenceFaultError(message)
    if (mask.width, mask.height) != (first.width, first.height):
        message = (
            f"{file} is {mask.width}x{mask.height} and the first reference {first.width}x{first.height};"
            " they must be equal"
        )
        raise ReferenceFaultError(message)
    if seen.n_bytes >= MAX_MASK_BYTES:
        raise _too_large(file, seen.n_bytes, "mask", MAX_MASK_BYTES)
    if mask.width * mask.height > CONVERTED_PX:
        return mask
    is_clear, n_bytes = _look_at_mask(file, mask.sha256)
    if not is_clear:
        message = f"{file} is nowhere transparent, so nothing would be inpainted; erase the part to inpaint"
        raise ReferenceFaultError(message)
    if n_bytes >= MAX_MASK_BYTES:
        raise _too_large(file, n_bytes, "mask", MAX_MASK_BYTES)
    return mask


def _too_large(file: str, n_bytes: int, noun: str, limit: int) -> ReferenceFaultError:
    return ReferenceFaultError(f"{file} has {n_bytes:,} bytes, a {noun} must have less than {limit:,}")


def _look_at(file: str, content: bytes, *, decodes: bool) -> SeenPicture:
    if (damage := find_damage(content)) is not None:
        message = f"{file} {damage}"
        raise ReferenceFaultError(message)
    from tasks.pictures.sendable import look_at_sendable

    try:
        sent = look_at_sendable(content)
    except PictureError as error:
        message = f"{file} cannot be read as a picture: {error.what}"
        raise ReferenceFaultError(message) from error
    if decodes and sent.width * sent.height <= MAX_PX:
        _require_decodable(file, content)
    digest = hashlib.sha256(content).hexdigest()
    reference = Reference(file, digest, sent.width, sent.height, sent.media_type)
    return SeenPicture(
        reference,
        sent.format,
        sent.has_alpha,
        len(content),
        decodes,
        sent.conversion,
        sent.upright_conversion,
    )


def _require_decodable(file: str, content: bytes) -> None:
    from tasks.pictures.decoding import decode

    try:
        decode(content)
    except PictureError as error:
        message = f"{file} cannot be decoded: {error.what}"
        raise ReferenceFaultError(message) from error


class _SentMask(NamedTuple):
    """What is sent of a mask: whether it is transparent anywhere, and its size in bytes."""

    is_clear: bool
    n_bytes: int


@lru_cache(maxsize=FILES_REMEMBERED)
def _look_at_mask(file: str, sha256: str) -> _SentMask:
    """Decode a mask whose file has this digest."""
    from tasks.pictures.sendable import as_sent, decode_as_sent

    try:
        content = Path(file).read_bytes()
        if hashlib.sha256(content).hexdigest() != sha256:
            message = f"{file} was changed while it was read"
            raise ReferenceFaultError(message)
        alpha = decode_as_sent(content).convert("RGBA").getchannel("A")
        return _SentMask(any(alpha.histogram()[:HALF]), len(as_sent(content, is_upright=True)[0]))
    except (OSError, PictureError) as error:
        what = error.what if isinstance(error, PictureError) else error.strerror
        message = f"{file} cannot be read as a mask: {what}"
        raise ReferenceFaultError(message) from error
