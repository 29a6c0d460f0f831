"""Temporary files: names for bytes that are being written, and finding what a killed writer left."""

import secrets
from collections.abc import Iterator
from pathlib import Path

PART_PATTERN = ".*.part"
"""The name pattern of temporary files; a killed process may leave some."""


def part_of(path: Path) -> Path:
    """Make up a temporary name for a file, in the same folder."""
    return path.with_name(f".{path.name}.{secrets.token_hex(6)}.part")


def parts_of(folder: Path, name: str) -> Iterator[tuple[Path, str]]:
    """Find temporary files by the names that they were to have.

    Args:
        folder: Their folder; it may be missing.
        name: A name, or a pattern such as ``*.json``.

    Yields:
        Each temporary file and the name that it was to have, sorted.
    """
    for part in sorted(folder.glob(f".{name}.*.part")):
        yield part, part.name[1:].rsplit(".", 2)[0]
