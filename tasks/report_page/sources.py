"""The sources of the page's pictures: embedded while the page stays small, else linked in the run's folder.

Only files inside the run's folder are read, whatever path a row has.
"""

import base64
import io
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

from PIL import Image

from tasks.errors import PictureError
from tasks.pictures.bought import read_bought
from tasks.pictures.decoding import decode, shrink
from tasks.report_page.rows import Row

EMBEDDED_PICTURES = 400
EMBEDDED_BYTES = 7_000_000  # base64 adds a third, so that the page stays below 10 MB
LARGE_PX = 1024
"""The edge of most models' squares, which are then shown as they are: reducing one takes 25 ms."""
_LARGE_QUALITY = 84
_MEDIA_TYPES = {".png": "image/png", ".jpg": "image/jpeg", ".jpeg": "image/jpeg", ".webp": "image/webp"}


def find_inside(folder: Path, name: str | None) -> Path | None:
    """Find a file of the run; ``None`` if it does not exist or is outside the folder."""
    if not name:
        return None
    path = (folder / name).resolve()
    return path if path.is_relative_to(folder.resolve()) and path.is_file() else None


def open_small(folder: Path, row: Row, longest_px: int) -> Image.Image | None:
    """Decode a picture's thumbnail, or the picture itself, scaled down to a limit.

    Args:
        folder: The run's folder.
        row: The picture's report row.
        longest_px: The longest edge of the result, at most, pixels.

    Returns:
        ``None`` if neither can be decoded, or if the picture's file is not what was bought.
    """
    thumbnail = find_inside(folder, row["thumbnail"])
    with suppress(PictureError):
        if thumbnail is not None:
            small = decode(thumbnail)
            # Two fifths of the time of Lanczos, which shows no more at the size of a thumb.
            small.thumbnail((longest_px, longest_px), Image.Resampling.HAMMING)
            return small
    return _open_bought(folder, row, longest_px)


def _open_bought(folder: Path, row: Row, longest_px: int) -> Image.Image | None:
    path = find_inside(folder, row["file"])
    try:
        return None if path is None else shrink(decode(read_bought(path, row["sha256"])), longest_px)
    except PictureError:
        return None


@dataclass(slots=True)
class Sources:
    """The ``src`` attributes of the page's pictures.

    Args:
        folder: The run's folder; the page will be in it.
        is_embedded: Whether thumbnails are embedded in the page.
    """

    folder: Path
    is_embedded: bool
    _seen: dict[str, str | None] = field(default_factory=dict)

    def thumbnail(self, name: str | None) -> str | None:
        """Return the ``src`` of a thumbnail, or ``None`` if there is no such file."""
        if name is None:
            return None
        if name not in self._seen:
            path = find_inside(self.folder, name)
            self._seen[name] = None if path is None else _embed(path) if self.is_embedded else quote(name)
        return self._seen[name]

    def beside(self, name: str) -> str | None:
        """Return the name of a file to link to, or ``None`` if there is no such file."""
        return name if find_inside(self.folder, name) else None

    def large(self, row: Row) -> str | None:
        """Return the ``src`` of a large picture, embedded, at most ``LARGE_PX`` long, with transparency.

        It is the thumbnail if the picture's file is not what was bought.
        """
        picture = _open_bought(self.folder, row, LARGE_PX)
        if not picture:
            return self.thumbnail(row["thumbnail"])
        stream = io.BytesIO()
        if picture.mode == "RGBA":
            picture.save(stream, "WEBP", quality=_LARGE_QUALITY, method=4)
            return _as_data(stream.getvalue(), "image/webp")
        picture.save(stream, "JPEG", quality=_LARGE_QUALITY, optimize=True)
        return _as_data(stream.getvalue(), "image/jpeg")


def choose_sources(folder: Path, thumbnails: list[str]) -> Sources:
    """Embed the thumbnails if they are few and small enough, else link them.

    Args:
        folder: The run's folder.
        thumbnails: Their names relative to it.
    """
    if len(thumbnails) > EMBEDDED_PICTURES:
        return Sources(folder, is_embedded=False)
    paths = [path for name in thumbnails if (path := find_inside(folder, name))]
    return Sources(folder, is_embedded=sum(path.stat().st_size for path in paths) <= EMBEDDED_BYTES)


def _embed(path: Path) -> str:
    return _as_data(path.read_bytes(), _MEDIA_TYPES.get(path.suffix.lower(), "application/octet-stream"))


def _as_data(content: bytes, media_type: str) -> str:
    return f"data:{media_type};base64,{base64.b64encode(content).decode('ascii')}"
