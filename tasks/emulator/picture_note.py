"""The note in a painted picture's metadata that says what it shows.

It travels with the bytes through any process and restart: a PNG's text, a JPEG's comment, a WebP's XMP. A
picture that somebody re-encoded has none, and is only measured.
"""

import io
from typing import Any

from PIL import Image, PngImagePlugin

from tasks.emulator.painting.contents import Contents, contents_of_json

NOTE_KEY = "runoff-emulator"


def note_for(format: str, note: str) -> dict[str, Any]:
    """Return what ``Image.save`` needs to write a note.

    Args:
        format: ``png``, ``jpeg`` or ``webp``.
        note: ASCII text; empty for none.
    """
    if not note:
        return {}
    if format == "png":
        text = PngImagePlugin.PngInfo()
        text.add_text(NOTE_KEY, note)
        return {"pnginfo": text}
    return {"comment" if format == "jpeg" else "xmp": f"{NOTE_KEY}:{note}".encode()}


def read_note(data: bytes) -> Contents | None:
    """Return what a picture shows by its note; ``None`` without one, or if it is no picture."""
    try:
        with Image.open(io.BytesIO(data)) as picture:
            found = picture.info.get(NOTE_KEY) or picture.info.get("comment") or picture.info.get("xmp") or ""
    except (OSError, ValueError, Image.DecompressionBombError):
        return None
    text = found.decode(errors="replace") if isinstance(found, bytes) else str(found)
    return contents_of_json(text.removeprefix(f"{NOTE_KEY}:"))
