"""Thumbnails that are gone are drawn again from their pictures.

They are written without waiting for the disk, so a power cut may lose some that the ledger knows.
"""

from collections.abc import Iterable
from pathlib import Path

from tasks.candidate import Candidate
from tasks.errors import PictureError
from tasks.pictures.bought import read_bought
from tasks.pictures.decoding import decode, make_thumbnail
from tasks.storage.atomic import write_atomically


def redraw_thumbnails(folder: Path, candidates: Iterable[Candidate]) -> int:
    """Draw the thumbnails of inspected pictures that are missing; returns how many.

    A picture that is not on this disk, or is other than was bought, is left alone.

    Raises:
        SettingError: The folder cannot be written.
    """
    n_drawn = 0
    for candidate in candidates:
        name = candidate.thumbnail
        if not name or candidate.is_pruned or (folder / name).exists():
            continue
        try:
            content = read_bought(folder / candidate.file, candidate.sha256)
            thumbnail = make_thumbnail(decode(content, candidate.file))
        except PictureError:  # the limits of decoding may be others by now, too
            continue
        write_atomically(folder / name, thumbnail)
        n_drawn += 1
    return n_drawn
