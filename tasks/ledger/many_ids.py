"""Many ids in few statements."""

from collections.abc import Iterator, Sequence

IDS_AT_ONCE = 500
"""Most ids in one statement: databases limit how many values it may have."""


def in_parts(ids: Sequence[str]) -> Iterator[Sequence[str]]:
    """Cut a list of ids into parts for one statement each."""
    for start in range(0, len(ids), IDS_AT_ONCE):
        yield ids[start : start + IDS_AT_ONCE]
