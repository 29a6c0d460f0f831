"""Looks at the pictures of runs, by which they are compared.

A look is made from the picture's thumbnail, or from the picture where that is missing or damaged. With a
store both are fetched. A picture without either cannot be looked at, and is compared by its hashes. Of most
pictures only a glance is kept in memory: it dismisses nearly all others, many at once.
"""

from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from threading import Lock

from flows.evaluation.compared_pairs import ComparedPairs
from flows.runs.lock import fetch_files
from tasks.candidate import Candidate
from tasks.duplicates.comparison import Comparison, compare_seen
from tasks.errors import PictureError
from tasks.pictures.bought import read_bought
from tasks.pictures.container import unsound
from tasks.pictures.decoding import decode
from tasks.pictures.glances import Glance, glance_at
from tasks.pictures.looks import Look, look_at, look_of_thumbnail

MOST_LOOKS = 24
"""How many looks are kept in memory, about 1 MB each: nearly all pairs are dismissed without them."""

MOST_GLANCES = 1_500
"""How many glances are kept, about 25 kB each."""


class Looks:
    """Compares pictures of one or several runs by their looks."""

    def __init__(self, pictures: Mapping[Path, Sequence[Candidate]]) -> None:
        """Take the pictures that may be compared, by the folder of their run; nothing is read yet."""
        self._waiting: dict[Path, list[Candidate]] = {}
        self._folders: dict[str, Path] = {}
        self._candidates: dict[str, Candidate] = {}
        for folder, some in pictures.items():
            self.add(folder, some)
        self._fetching = Lock()
        self._look_at = lru_cache(MOST_LOOKS)(self._read)
        self._glance_at = lru_cache(MOST_GLANCES)(self._glance)

    def add(self, folder: Path, pictures: Sequence[Candidate]) -> None:
        """Take more pictures of a run that may be compared; what was seen of others stays."""
        self._waiting.setdefault(folder, []).extend(pictures)
        self._folders |= {one.candidate_id: folder for one in pictures}
        self._candidates |= {one.candidate_id: one for one in pictures}

    def __contains__(self, one: Candidate) -> bool:
        """Whether a picture was taken before."""
        return one.candidate_id in self._candidates

    def of(self, folder: Path) -> list[Candidate]:
        """List the pictures of a run that were taken."""
        return [one for name, one in self._candidates.items() if self._folders[name] == folder]

    def outside(self, folder: Path) -> list[Candidate]:
        """List the pictures that were taken of other runs."""
        return [one for name, one in self._candidates.items() if self._folders[name] != folder]

    def forget(self) -> None:
        """Forget what was seen, dozens of MB, which would else stay until Python looks for cycles."""
        self._look_at.cache_clear()
        self._glance_at.cache_clear()

    def compare(self, one: Candidate, others: Sequence[Candidate]) -> Iterator[Comparison | None]:
        """Compare a picture with others, one after another and each when it is asked for.

        Args:
            one: A picture.
            others: Other ones.

        Returns:
            A comparison for each; ``None`` when one of the two cannot be looked at.

        Raises:
            SettingError: The store cannot be read.
        """
        known = _compared.of(one.sha256, [other.sha256 for other in others])
        new = self._compare_new(
            one, [other for other, found in zip(others, known, strict=True) if found is None]
        )
        for found in known:
            yield next(new) if found is None else found

    def _compare_new(self, one: Candidate, others: Sequence[Candidate]) -> Iterator[Comparison | None]:
        """Compare a picture with others for the first time; nothing is read before the first is asked for."""
        seen = [other for other in others if self.glance(other)] if self.glance(one) else []
        compared = compare_seen(_Seen(self, one), [_Seen(self, other) for other in seen])
        can_be_seen = {other.candidate_id for other in seen}
        for other in others:
            if other.candidate_id not in can_be_seen:
                yield None
                continue
            found = next(compared)
            _compared.keep(one.sha256, other.sha256, found)
            yield found

    def glance(self, one: Candidate) -> Glance | None:
        """Glance at a picture; ``None`` when it cannot be looked at."""
        return self._glance_at(one.candidate_id)

    def look(self, one: Candidate) -> Look | None:
        """Look at a picture; ``None`` when neither its thumbnail nor its file is left as it was bought."""
        return self._look_at(one.candidate_id)

    def _glance(self, candidate_id: str) -> Glance | None:
        look = self._look_at(candidate_id)
        return None if look is None else glance_at(look)

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
        """Fetch all new thumbnails of a run at once, before any thread reads the first."""
        with self._fetching:
            if pictures := self._waiting.pop(folder, None):
                fetch_files(folder, [one.thumbnail for one in pictures if one.thumbnail])


class _Seen:
    """A picture that can be looked at, as `compare_seen` takes it."""

    def __init__(self, looks: Looks, one: Candidate) -> None:
        self._looks = looks
        self._one = one

    @property
    def glance(self) -> Glance:
        """What dismisses most others."""
        found = self._looks.glance(self._one)
        assert found is not None
        return found

    @property
    def look(self) -> Look:
        """What is compared closely."""
        found = self._looks.look(self._one)
        if found is None:  # its thumbnail was removed between a glance and a look
            raise unsound(self._one.file, "it was removed while pictures were compared")
        return found


_compared = ComparedPairs()
"""What this process compared: a decision about one pair decides about all pairs again."""

_kept: dict[Path, Looks] = {}


def kept_looks(folder: Path) -> Looks:
    """Return the looks that this process keeps while it evaluates a run; at first they are empty.

    Args:
        folder: The run's folder.
    """
    return _kept.setdefault(folder, Looks({}))


def forget_looks(folder: Path) -> None:
    """Forget the looks that were kept of a run."""
    if (looks := _kept.pop(folder, None)) is not None:
        looks.forget()
