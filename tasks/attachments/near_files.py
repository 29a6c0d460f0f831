"""Finds the file that was probably meant by the name of one that is missing."""

from pathlib import Path

from tasks.text import nearest_of


def near_file(path: Path) -> str:
    """Return what is in a missing file's place: where a link leads, or `` (did you mean …?)``, or nothing."""
    if path.is_symlink():
        return f": it is a link to {path.readlink()}, which is not there"
    stems = {}
    if path.parent.is_dir():
        beside = (file for file in path.parent.iterdir() if file.suffix == path.suffix and file.exists())
        stems = {file.stem: file.name for file in beside}
    near = nearest_of(path.stem, stems)
    return f" (did you mean {stems[near]}?)" if near else ""
