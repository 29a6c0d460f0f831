"""Pictures as they are sent: the file's own bytes, unless no provider reads them or a mask would not fit.

A provider refuses colours other than RGB and grey, and more than 8 bits; such a picture is converted just
before it is sent. One that EXIF turns is turned only where a mask counts its pixels. The file is not changed.
What is sent follows from the file and from whether it must be upright, so that a request is known by the
file's own digest.
"""

import io
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from PIL import Image, UnidentifiedImageError

from tasks.errors import PictureError
from tasks.limits import CONVERTED_PX
from tasks.pictures.colour import rgb_mode, to_srgb
from tasks.pictures.container import MEDIA_TYPES, read_header, unsound
from tasks.pictures.decoding import as_seen, opened
from tasks.pictures.orientation import is_sideways, turn_needed

_SENT_AS_THEY_ARE = ("RGB", "RGBA", "L", "LA")
_JPEG_QUALITY = 95
_PNG_LEVEL = 2
"""A third of the time of the default, for a few percent more bytes."""
_TURNED = "turned upright"


@dataclass(frozen=True, slots=True)
class Sendable:
    """What will be sent of a picture.

    Args:
        format: Of the file: ``png``, ``jpeg``, ``webp`` or ``gif``.
        media_type: Of what is sent: ``image/png``, ``image/jpeg`` or ``image/webp``.
        width: Pixels, as people see the picture.
        height: Pixels.
        has_alpha: Whether it has transparency.
        conversion: What is changed before it is sent, worded to follow its name; empty if nothing is.
        upright_conversion: The same where it is sent upright, whatever its EXIF says.
    """

    format: str
    media_type: str
    width: int
    height: int
    has_alpha: bool
    conversion: str
    upright_conversion: str


def look_at_sendable(data: bytes, where: str = "the picture") -> Sendable:
    """Find out what will be sent of a picture, without decoding it.

    Args:
        data: The whole file.
        where: What to call it in an error.

    Raises:
        PictureError: It is no picture, cannot be opened, or is too large to be converted.
    """
    header = read_header(data, where)
    with _reading(where), opened(data, header.format) as picture:
        changes = list(_changes(data, header.format, picture))
        width, height = picture.size
        turn = turn_needed(data, header.format, picture)
        if is_sideways(turn):
            width, height = height, width
        has_alpha = picture.has_transparency_data
    upright_conversion = _and(changes if turn is None else [_TURNED, *changes])
    conversion = upright_conversion if changes else ""  # whatever is decoded is turned as well
    if fault := too_large_for(conversion, width, height):
        raise unsound(where, fault)
    kind = _kind_sent(header.format, has_alpha) if changes else header.format
    return Sendable(
        header.format, MEDIA_TYPES[kind], width, height, has_alpha, conversion, upright_conversion
    )


def too_large_for(conversion: str, width: int, height: int) -> str | None:
    """Say why a picture is too large for a conversion, worded to follow its name; ``None`` if it is not."""
    if not conversion or width * height <= CONVERTED_PX:
        return None
    what = f"it must be {conversion} before it is sent, and {width} x {height} pixels are too many"
    return f"{what} for that (at most {CONVERTED_PX:,}); save it so, or smaller"


def _kind_sent(kind: str, has_alpha: bool) -> str:
    """Return the format of a converted picture: a png of 12 megapixels takes seconds to encode."""
    return "jpeg" if kind in ("jpeg", "webp") and not has_alpha else "png"


def as_sent(data: bytes, where: str = "the picture", *, is_upright: bool = False) -> tuple[bytes, str]:
    """Return the bytes to send of a picture, and their media type.

    Args:
        data: The whole file.
        where: What to call it in an error.
        is_upright: Whether its pixels must stand as people see them, because a mask counts them.

    Returns:
        The same bytes if nothing is to be converted; else a jpeg of a jpeg or an opaque webp, and a png of
        anything else.

    Raises:
        PictureError: It cannot be sent.
    """
    seen = look_at_sendable(data, where)
    conversion = seen.upright_conversion if is_upright else seen.conversion
    if not conversion:
        return data, seen.media_type
    if fault := too_large_for(conversion, seen.width, seen.height):
        raise unsound(where, fault)
    with _reading(where), opened(data, seen.format) as picture:
        plain, profile = _converted(data, seen.format, picture)
    kind = _kind_sent(seen.format, seen.has_alpha)
    stream = io.BytesIO()
    if kind == "jpeg":
        plain.save(stream, "JPEG", icc_profile=profile, quality=_JPEG_QUALITY, subsampling=0)
    else:
        plain.save(stream, "PNG", icc_profile=profile, compress_level=_PNG_LEVEL)
    return stream.getvalue(), MEDIA_TYPES[kind]


def _converted(data: bytes, kind: str, picture: Image.Image) -> tuple[Image.Image, bytes | None]:
    """Return upright pixels, ``RGB`` or ``RGBA``, and their profile; inks and greys become sRGB."""
    turn = turn_needed(data, kind, picture)
    profile = picture.info.get("icc_profile") if picture.mode in ("RGB", "RGBA", "P", "PA") else None
    plain = to_srgb(picture) if profile is None else picture.convert(rgb_mode(picture))
    return plain if turn is None else plain.transpose(turn), profile


def decode_as_sent(data: bytes, where: str = "the picture") -> Image.Image:
    """Decode a picture of any size that can be sent, as people see it: upright, in sRGB, ``RGB`` or ``RGBA``.

    Raises:
        PictureError: It cannot be decoded.
    """
    kind = read_header(data, where).format
    with _reading(where), opened(data, kind) as picture:
        return as_seen(data, kind, picture)


def _changes(data: bytes, kind: str, picture: Image.Image) -> Iterator[str]:
    if kind == "gif":
        yield "converted from a gif to a png"
    n_frames = getattr(picture, "n_frames", 1)
    if kind != "jpeg" and n_frames > 1:  # a phone's jpeg may have more pictures behind the first
        yield f"reduced to the first of its {n_frames} frames"
    depth_bits = data[24] if kind == "png" else 8  # Pillow tells it only of some grey pictures
    if picture.mode in ("P", "PA"):
        yield "converted from a palette to RGB"
    elif depth_bits != 8:
        yield f"converted from {depth_bits} to 8 bits"
    elif picture.mode not in _SENT_AS_THEY_ARE:
        yield f"converted from {picture.mode} to RGB"
    elif picture.mode in ("RGB", "L") and "transparency" in picture.info:
        yield "given an alpha channel for its transparent colour"


@contextmanager
def _reading(where: str) -> Iterator[None]:
    """Turn what a decoder raises and warns of into a ``PictureError``, or silence."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of corrupt EXIF, an odd MPO, a large size: viewers ignore them
            yield
    except PictureError:
        raise
    except UnidentifiedImageError as fault:
        raise unsound(where, "its header is damaged") from fault
    except Exception as fault:  # decoders raise anything
        raise unsound(where, f"it cannot be decoded: {fault}") from fault


def _and(parts: list[str]) -> str:
    return " and ".join(filter(None, (", ".join(parts[:-1]), *parts[-1:])))
