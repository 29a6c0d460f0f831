"""Plain pictures: cheap mosaics of the right size and format, for tests and benchmarks.

For each size a PNG is compressed once; each picture then only gets its own palette, in microseconds.
"""

import io
import random
import struct
import zlib
from functools import lru_cache

from PIL import Image

from tasks.emulator.picture_note import NOTE_KEY, note_for

GRID = 8


def mosaic(
    seed: int,
    shake: int | None,
    size: tuple[int, int],
    format: str,
    compression: int,
    transparent: bool,
    note: str = "",
) -> bytes:
    """Make a mosaic of 8 x 8 colours.

    Args:
        seed: Determines the colours.
        shake: Determines small differences of brightness, or ``None``.
        size: Width and height in pixels.
        format: ``png``, ``jpeg`` or ``webp``.
        compression: Quality of jpeg and webp, 0-100.
        transparent: Whether the four corner tiles are transparent.
        note: Text for its metadata, ASCII; empty for none.
    """
    chance = random.Random(seed)
    levels = [chance.randrange(16, 240) for _ in range(3 * GRID * GRID)]
    if shake is not None:
        step = random.Random(shake).choice((-3, -2, -1, 1, 2, 3))
        levels = [level + step for level in levels]
    alphas = [255] * (GRID * GRID)
    if transparent:
        for corner in (0, GRID - 1, GRID * (GRID - 1), GRID * GRID - 1):
            alphas[corner] = 0
    if format == "png":
        return _png(size, bytes(levels), bytes(alphas) if transparent else b"", note)
    tiles = Image.frombytes("RGB", (GRID, GRID), bytes(levels))
    if transparent:
        tiles.putalpha(Image.frombytes("L", (GRID, GRID), bytes(alphas)))
    stream = io.BytesIO()
    picture = tiles.resize(size, Image.Resampling.NEAREST)
    more = note_for(format, note) | ({"method": 0} if format == "webp" else {})
    picture.save(stream, format.upper(), quality=min(compression, 90), **more)
    return stream.getvalue()


def _png(size: tuple[int, int], palette: bytes, alphas: bytes, note: str) -> bytes:
    head, body = png_parts(size)
    if note:
        head += png_chunk(b"tEXt", NOTE_KEY.encode() + b"\0" + note.encode())
    return head + png_chunk(b"PLTE", palette) + (png_chunk(b"tRNS", alphas) if alphas else b"") + body


@lru_cache(maxsize=64)
def png_parts(size: tuple[int, int]) -> tuple[bytes, bytes]:
    """The parts before and after the palette."""
    tiles = Image.frombytes("L", (GRID, GRID), bytes(range(GRID * GRID)))
    pixels = tiles.resize(size, Image.Resampling.NEAREST).tobytes()
    width, height = size
    rows = b"".join(b"\0" + pixels[row * width : (row + 1) * width] for row in range(height))
    header = struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0)
    head = b"\x89PNG\r\n\x1a\n" + png_chunk(b"IHDR", header)
    return head, png_chunk(b"IDAT", zlib.compress(rows, 6)) + png_chunk(b"IEND", b"")


def png_chunk(name: bytes, content: bytes) -> bytes:
    """Write one chunk of a PNG file: length, name, content, checksum."""
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))
