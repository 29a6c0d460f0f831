"""A tall PNG of strips that are drawn one after another, so that the whole of it is never in memory.

Each line is filtered by the pixel on its left or by the one above it, whichever leaves less, and all lines
are compressed as one stream. Pillow tries five filters for each line, which takes twice the time of all this;
its file is smaller only where a sheet is flat.
"""

import io
import struct
import zlib
from collections.abc import Iterable, Iterator

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from PIL.PngImagePlugin import putchunk

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_RGB_OF_8_BITS = (8, 2, 0, 0, 0)
_CHANNELS = 3
_LINES_AT_ONCE = 128
_LEVEL = 1
_BY_LEFT, _BY_ABOVE = 1, 2
"""Types of filters (PNG specification, section 9.2)."""

Lines = NDArray[np.uint8]


def write_strips(strips: Iterable[Image.Image]) -> bytes:
    """Write strips under one another as one PNG.

    Args:
        strips: ``RGB``, of one width; each is used before the next is asked for.
    """
    packer = zlib.compressobj(_LEVEL)
    body, above, height, width = io.BytesIO(), None, 0, 0
    for part in (part for strip in strips for part in _parts(strip)):
        lines = np.asarray(part).reshape(part.height, -1)
        filtered = _filtered(lines, np.zeros_like(lines[:1]) if above is None else above)
        body.write(packer.compress(filtered.data))
        above, height, width = lines[-1:], height + part.height, part.width
    body.write(packer.flush())
    stream = io.BytesIO()
    stream.write(_SIGNATURE)
    putchunk(stream, b"IHDR", struct.pack(">IIBBBBB", width, height, *_RGB_OF_8_BITS))
    putchunk(stream, b"IDAT", body.getvalue())
    putchunk(stream, b"IEND", b"")
    return stream.getvalue()


def _parts(strip: Image.Image) -> Iterator[Image.Image]:
    for top in range(0, strip.height, _LINES_AT_ONCE):
        yield strip.crop((0, top, strip.width, min(top + _LINES_AT_ONCE, strip.height)))


def _filtered(lines: Lines, above: Lines) -> Lines:
    """Return lines as PNG has them before they are compressed.

    Args:
        lines: uint8, shape (lines, channels x width).
        above: The line above the first one.
    """
    by_left = lines.copy()
    by_left[:, _CHANNELS:] -= lines[:, :-_CHANNELS]
    by_above = lines - np.concatenate([above, lines[:-1]])
    is_by_left = _sizes(by_left) < _sizes(by_above)
    found = np.empty((lines.shape[0], lines.shape[1] + 1), np.uint8)
    found[:, 0] = np.where(is_by_left, _BY_LEFT, _BY_ABOVE)
    found[:, 1:] = by_above
    found[is_by_left, 1:] = by_left[is_by_left]
    return found


def _sizes(filtered: Lines) -> NDArray[np.int64]:
    """Sum the differences of each line, of which a byte has -128 to 127."""
    sizes: NDArray[np.int64] = np.minimum(filtered, -filtered).sum(axis=1, dtype=np.int64)
    return sizes
