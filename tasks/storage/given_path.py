"""Paths as people give them: ``~`` and links are followed as a shell does, and what leads nowhere stays."""

import os
from pathlib import Path


def expand_home(path: str) -> str:
    """Replace ``~`` or ``~name`` at the start by that home; a name that is no user's stays, as in a shell."""
    try:
        return os.path.expanduser(path)  # noqa: PTH111 - Path.expanduser raises instead
    except ValueError:  # a NUL in a user's name
        return path


def resolve_path(path: Path | str) -> Path:
    """Make a path absolute and follow its links; a link that leads in a circle stays as it is.

    Whoever opens what is there then gets an error of the system's, which can be told.
    """
    return Path(os.path.realpath(path))  # Path.resolve raises a RuntimeError for a circle, until Python 3.13
