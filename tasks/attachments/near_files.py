"""Finds the file that was probably meant by the name of one that is missing."""

from pathlib import Path

from tasks.text import nearest_of


def near_file(path: Path) -> str:
    """Return `` (did you mean …?)`` with a file of a like name beside a missing one; empty without one."""
    stems = {}
    if path.parent.is_dir():
        stems = {file.stem: file.name for file in path.parent.iterdir() if file.suffix == path.suffix}
    near = nearest_of(path.stem, stems)
    return f" (did you mean {stems[near]}?)" if near else ""
