"""Looks at the pictures of runs, by which they are compared.

A look is made from the picture's thumbnail, or from the picture where that is missing or damaged. With a
store both are fetched. A picture without either cannot be looked at, and is compared by its hashes.
"""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from threading import Lock

from flows.runs.lock import fetch_files
from tasks.candidate import Candidate
from tasks.duplicates.comparison import Comparison, compare_looks
from tasks.errors import PictureError
from tasks.pictures.bought import read_bought
from tasks.pictures.decoding import decode
from tasks.pictures.looks import Look, look_at, look_of_thumbnail

MOST_LOOKS = 256
"""How many looks are kept in memory, about 1 MB each."""

MOST_COMPARISONS = 200_000


class Looks:
    """Compares pictures of one or several runs by their looks."""

    def __init__(self, pictures: Mapping[Path, Sequence[Candidate]]) -> None:
        """Take the pictures that may be compared, by the folder of their run; nothing is read yet."""
        self._waiting = dict(pictures)
        self._folders = {one.candidate_id: folder for folder, some in pictures.items() for one in some}
        self._candidates = {one.candidate_id: one for some in pictures.values() for one in some}
        self._fetching = Lock()
        self._look_at = lru_cache(MOST_LOOKS)(self._read)

    def add(self, folder: Path, pictures: Sequence[Candidate]) -> None:
        """Take more pictures of a run that may be compared."""
        self._folders |= {one.candidate_id: folder for one in pictures}
        self._candidates |= {one.candidate_id: one for one in pictures}

    def compare(self, one: Candidate, other: Candidate) -> Comparison | None:
        """Compare two pictures; ``None`` when one of them cannot be looked at.

        Raises:
            SettingError: The store cannot be read.
        """
        key = one.sha256, other.sha256
        if key not in _compared:
            first, second = self.look(one), self.look(other)
            if first is None or second is None:
                return None
            if len(_compared) >= MOST_COMPARISONS:
                _compared.clear()
            _compared[key] = compare_looks(first, second)
        return _compared[key]

    def look(self, one: Candidate) -> Look | None:
        """Look at a picture; ``None`` when neither its thumbnail nor its file is left as it was bought."""
        return self._look_at(one.candidate_id)

    def _read(self, candidate_id: str) -> Look | None:
        one, folder = self._candidates[candidate_id], self._folders[candidate_id]
        self._fetch(folder)
        try:
            if one.thumbnail:
                return look_of_thumbnail(folder / one.thumbnail)
        except PictureError:  # it was written without waiting for the disk, and can be made again
            pass
        if one.is_pruned:
            return None
        fetch_files(folder, [one.file])
        try:
            return look_at(decode(read_bought(folder / one.file, one.sha256), one.file))
        except PictureError:
            return None

    def _fetch(self, folder: Path) -> None:
        """Fetch all thumbnails of a run at once, before any thread reads the first."""
        with self._fetching:
            pictures = self._waiting.pop(folder, ())
            fetch_files(folder, [one.thumbnail for one in pictures if one.thumbnail])


_compared: dict[tuple[str, str], Comparison] = {}
"""Comparisons made by this process: a decision about one pair decides about all pairs again."""
