"""Colour: the pixels of an open picture in sRGB, the colours in which it is shown, compared and scored.

A picture's numbers mean colours only together with its ICC profile: in Adobe RGB and in a phone's Display P3
the same numbers are stronger colours than in sRGB. A profile comes from outside like every other byte: its
size is bounded, the parts of it that can keep a processor busy for minutes are left out, and one that cannot
be used is ignored, as browsers do.

Source: ICC.1:2022, sections 7.2 (header), 7.3 (tag table), 9.2.8 (D2B0).
"""

import io
from functools import lru_cache

import numpy as np
from PIL import Image, ImageCms

MAX_PROFILE_BYTES = 4_000_000
"""Profiles of cameras and displays have 0.5 to 60 kB, those of printing presses up to 3 MB."""

_HEADER_BYTES, _ENTRY_BYTES, _MOST_ENTRIES = 128, 12, 100
_SPACES = {"RGB": b"RGB ", "RGBA": b"RGB ", "L": b"GRAY", "CMYK": b"CMYK"}
_UNBOUNDED_WORK = (b"D2B0", b"D2B1", b"D2B2", b"D2B3")
"""Chains of any number of operations, as an alternative to the tables; browsers do not use them."""
_SAME_LEVELS = 1
_PROBE_LEVELS = 9
_PROFILE = "icc_profile"
_OF_THE_FILE = (_PROFILE, "exif", "xmp", "transparency", "gamma", "chromaticity", "srgb")
_FAULTS = (ImageCms.PyCMSError, OSError, ValueError, TypeError)


def to_srgb(picture: Image.Image) -> Image.Image:
    """Decode an open picture to sRGB.

    Args:
        picture: An open picture of any mode, decoded or not.

    Returns:
        ``RGBA`` when it has transparency, else ``RGB``, 8 bits per channel, with neither a profile nor EXIF;
        the same object where it was so already. Without a usable profile its numbers are taken for sRGB.
    """
    picture.load()
    profile = picture.info.get(_PROFILE)
    if picture.mode.startswith("I"):
        picture = _to_eight_bits(picture)
    plain = None if profile is None else _by_profile(profile, picture, rgb_mode(picture))
    if plain is None:
        plain = as_rgb(picture)
    for name in _OF_THE_FILE:
        plain.info.pop(name, None)
    return plain


def as_rgb(picture: Image.Image) -> Image.Image:
    """Make a picture ``RGBA`` when it has transparency, else ``RGB``; the same object where it is so already.

    Args:
        picture: A decoded picture of any mode; its numbers are taken as they are.
    """
    mode = rgb_mode(picture)
    return picture if picture.mode == mode else picture.convert(mode)  # which would copy it


def rgb_mode(picture: Image.Image) -> str:
    """Return ``RGBA`` for a picture with transparency, else ``RGB``."""
    return "RGBA" if picture.has_transparency_data else "RGB"


def _to_eight_bits(deep: Image.Image) -> Image.Image:
    """Scale 16-bit grey to 8 bits, which Pillow would clip."""
    levels = np.asarray(deep)
    clear = deep.info.get("transparency")
    grey = Image.fromarray((levels.astype(np.float32) / 257 + 0.5).astype(np.uint8))
    if clear is None:
        return grey
    opaque = Image.fromarray(np.where(levels == clear, 0, 255).astype(np.uint8))
    return Image.merge("LA", (grey, opaque))


def _by_profile(profile: object, picture: Image.Image, mode: str) -> Image.Image | None:
    """Convert to sRGB; ``None`` if the numbers are sRGB already, or the profile is of no use."""
    described = {"LA": "L", "L": "L", "CMYK": "CMYK"}.get(picture.mode, mode)
    transform = _find_transform(profile, described)
    if transform is None:
        return None
    plain = transform.apply(picture if picture.mode == described else picture.convert(described))
    if mode == "RGBA" and described != "RGBA":
        plain.putalpha(picture.convert("RGBA").getchannel("A"))
    return plain


def _find_transform(profile: object, mode: str) -> ImageCms.ImageCmsTransform | None:
    if not isinstance(profile, bytes) or not _HEADER_BYTES < len(profile) <= MAX_PROFILE_BYTES:
        return None
    if mode not in _SPACES or profile[16:20] != _SPACES[mode] or profile[36:40] != b"acsp":
        return None
    return _transform_of(profile, mode)


@lru_cache(maxsize=16)
def _transform_of(profile: bytes, mode: str) -> ImageCms.ImageCmsTransform | None:
    output = "RGBA" if mode == "RGBA" else "RGB"
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(_bounded(profile)))
        transform = ImageCms.buildTransform(source, ImageCms.createProfile("sRGB"), mode, output)
        return None if _changes_nothing(transform, mode) else transform
    except _FAULTS:
        return None


def _bounded(profile: bytes) -> bytes:
    """Rename the tags whose work has no bound, so that the tables beside them are used."""
    data = bytearray(profile)
    count = int.from_bytes(data[_HEADER_BYTES : _HEADER_BYTES + 4], "big")
    for index in range(min(count, _MOST_ENTRIES)):
        at = _HEADER_BYTES + 4 + index * _ENTRY_BYTES
        if bytes(data[at : at + 4]) in _UNBOUNDED_WORK:
            data[at : at + 4] = b"skip"
    return bytes(data)


def _changes_nothing(transform: ImageCms.ImageCmsTransform, mode: str) -> bool:
    """Whether a profile is sRGB by another name: then pixels need no work, and keep their exact numbers."""
    if mode == "CMYK":
        return False
    steps = np.linspace(0, 255, _PROBE_LEVELS).round().astype(np.uint8)
    colours = np.stack(np.meshgrid(steps, steps, steps), axis=-1).reshape(1, -1, 3)
    probe = Image.fromarray(colours).convert(mode)
    before, after = (np.asarray(one.convert("RGB"), np.int16) for one in (probe, transform.apply(probe)))
    return bool(np.abs(after - before).max() <= _SAME_LEVELS)
