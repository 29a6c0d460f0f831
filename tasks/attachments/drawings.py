"""Pictures that Runoff draws to send along: masks, and drafts fitted to a final's proportions.

Planning needs only a picture's digest, so it keeps the drawing, a few numbers, and discards the bytes, which
are drawn again just before the order is bought. A drawn file is named by its digest: the same picture gives
the same file and the same order, whenever it is drawn.
"""

import hashlib
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from tasks.attachments.references import FILES_REMEMBERED, MAX_REFERENCE_BYTES
from tasks.catalogue.sizes import Size
from tasks.errors import RunError
from tasks.order import Drawing, Reference
from tasks.storage.atomic import write_atomically
from tasks.storage.regular_file import read_regular


class Drawn(NamedTuple):
    """What is kept of a drawn picture once its bytes are discarded."""

    sha256: str
    n_bytes: int


@lru_cache(maxsize=FILES_REMEMBERED)
def look_at_drawing(drawing: Drawing) -> Drawn:
    """Draw a picture to get its digest and size; nothing is written.

    Raises:
        ReferenceFaultError: It cannot be drawn.
        OSError: A picture that it is drawn from is gone.
    """
    content = drawing.draw()
    return Drawn(hashlib.sha256(content).hexdigest(), len(content))


def reference_to(drawing: Drawing, size: Size, folder: Path) -> Reference:
    """Return a reference to a drawn png; the file is written by ``write_drawn``.

    Args:
        drawing: How it is drawn.
        size: Its size.
        folder: Where drawn pictures are stored.

    Raises:
        ReferenceFaultError: It cannot be drawn.
        OSError: A picture that it is drawn from is gone.
    """
    digest = look_at_drawing(drawing).sha256
    file = str(folder / f"{digest[:20]}.png")
    return Reference(file, digest, size.width, size.height, "image/png", drawing)


def picture_bytes(picture: Reference) -> bytes:
    """Read a picture that is sent along, drawing it if it is not on disk.

    Raises:
        OSError: Its file is missing.
    """
    if picture.drawing is not None:
        return picture.drawing.draw()
    return read_regular(picture.file, MAX_REFERENCE_BYTES)


def write_drawn(pictures: Iterable[Reference]) -> None:
    """Write the drawn pictures that are not on disk yet. Call it before they are sent.

    Args:
        pictures: Of orders that are about to be bought.

    Raises:
        RunError: The picture that one is drawn from was changed since planning. Nothing was bought.
        SettingError: The folder cannot be written.
    """
    drawn = {picture.file: picture for picture in pictures if picture.drawing is not None}
    for file, picture in drawn.items():
        if not Path(file).exists():
            write_atomically(Path(file), _draw_as_planned(picture))


def _draw_as_planned(picture: Reference) -> bytes:
    try:
        content = picture_bytes(picture)
        is_same = hashlib.sha256(content).hexdigest() == picture.sha256
        what = "" if is_same else "what it is drawn from was changed after the run was planned"
    except (OSError, ValueError) as error:
        what = f"it cannot be drawn any more ({error})"
    if what:
        raise RunError(
            where=picture.file,
            what=what,
            money="The order was not sent; what was bought before stays.",
            next_step="Put the picture back as it was, or run the campaign again as it is now.",
        )
    return content
