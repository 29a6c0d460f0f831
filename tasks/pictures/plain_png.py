"""Plain PNGs, decoded by libvips where it can be loaded, in six tenths of Pillow's time, beside others.

Plain is what both decode alike: 8-bit RGB or RGBA, not interlaced, without any chunk that changes how pixels
are seen. Pillow decides about all others, about whatever libvips refuses, and wherever there is no libvips.
"""

import logging
import zlib
from functools import cache
from importlib import import_module
from types import ModuleType

from PIL import Image

from tasks.pictures.container import png_chunks

_MODES = {2: "RGB", 6: "RGBA"}
"""By the colour type in the header (PNG specification, section 11.2.1)."""
_AS_THEY_ARE = {b"IHDR", b"IDAT", b"IEND", b"caBX"}
"""The picture itself and Content Credentials."""


def decode_plain(data: bytes) -> Image.Image | None:
    """Decode a plain PNG from untrusted bytes.

    Args:
        data: The whole file; its size was checked.

    Returns:
        ``RGB`` or ``RGBA``, the same pixels as Pillow's; ``None`` where Pillow is to decide.
    """
    mode = _mode_of(data)
    vips = _libvips() if mode else None
    if mode is None or vips is None:
        return None
    try:
        opened = vips.Image.pngload_buffer(data, access="sequential", fail_on="error")
        # Not by `Region.fetch`: it takes a time that grows with the square of the height.
        return Image.frombytes(mode, (opened.width, opened.height), opened.write_to_memory())
    except (vips.Error, ValueError):
        return None


def _mode_of(data: bytes) -> str | None:
    """Look at the chunks: ``None`` if any is not plain, or one that libvips does not check is damaged."""
    view = memoryview(data)
    for kind, start, end in png_chunks(data):
        is_sound = kind[:1].isupper() or zlib.crc32(view[start - 4 : end]) == int.from_bytes(
            view[end : end + 4]
        )
        if kind not in _AS_THEY_ARE or not is_sound:
            return None
    bit_depth, colour_type, *methods = data[24:29]
    return _MODES.get(colour_type) if bit_depth == 8 and not any(methods) else None


@cache
def _libvips() -> ModuleType | None:
    """Load libvips; ``None`` where that is not possible."""
    try:
        pyvips = import_module("pyvips")
    except Exception:  # not installed, or the library is missing, too old, or cannot begin
        return None
    logging.getLogger("pyvips").setLevel(logging.ERROR)  # it warns of each damaged file
    pyvips.cache_set_max(0)  # it would keep pictures
    pyvips.concurrency_set(1)  # pictures are decoded in threads already
    return pyvips
