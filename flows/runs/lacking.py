"""The pictures of a run whose files are gone, or are other than what was bought."""

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

from tasks.candidate import Candidate
from tasks.money import count_of
from tasks.pictures.bought import find_lack, find_lack_by_size
from tasks.storage.mirror import store_of

_NAMED = 5


def find_lacking(
    folder: Path, candidates: Sequence[Candidate], read: Collection[str] | None = None
) -> dict[str, str]:
    """Find the pictures whose files are not what was bought; those that were pruned were deleted on purpose.

    Args:
        folder: The run's folder.
        candidates: The pictures.
        read: Candidate ids of those to read; of the others only the size is compared, and with a store, whose
            files are fetched when they are needed, nothing. Default: all are read.

    Returns:
        By candidate id, what is wrong with the file, worded to follow its name.
    """
    lacking: dict[str, str] = {}
    has_store = store_of(folder) is not None
    for one in candidates:
        if one.is_pruned:
            continue
        file, lack = folder / one.file, None
        if read is None or one.candidate_id in read:
            lack = find_lack(file, one.sha256)
        elif not has_store:
            lack = find_lack_by_size(file, one.n_bytes)
        if lack:
            lacking[one.candidate_id] = lack
    return lacking


def describe_lacking(candidates: Sequence[Candidate], lacking: Mapping[str, str]) -> list[str]:
    """Name them in a sentence for each thing that is wrong; empty if nothing is."""
    said = []
    for lack in sorted(set(lacking.values())):
        files = [one.file for one in candidates if lacking.get(one.candidate_id) == lack]
        more = f" and {len(files) - _NAMED} more" if len(files) > _NAMED else ""
        what = lack if len(files) == 1 else f"are {lack.removeprefix('is ')}"
        which = f"{', '.join(files[:_NAMED])}{more}"
        said.append(f"{count_of(len(files), 'picture')} {what}: {which}. See: runoff ledger verify")
    return said
