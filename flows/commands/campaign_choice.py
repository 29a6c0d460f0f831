"""The campaign file that a command works on: the one that is named, else the only one in this folder."""

import re
from pathlib import Path

import click

ENDINGS = ("*.yaml", "*.yml")
LOOKED_AT_BYTES = 1_000_000
"""Larger files are not looked into."""


def chosen_campaign(file: Path | None, folder: Path) -> Path:
    """Return the file that was named, else the only campaign file of a folder, and say which.

    Raises:
        UsageError: None was named, and there is none or there are several.
    """
    if file is not None:
        return file
    found = campaigns_in(folder)
    if len(found) == 1:
        click.echo(f"Campaign: {found[0].name}", err=True)
        return Path(found[0].name)
    if not found:
        message = "There is no campaign file in this folder. Name one, or write one with: runoff init"
    else:
        message = (
            f"There are several campaign files here: {', '.join(path.name for path in found)}. Name one."
        )
    raise click.UsageError(message)


def campaigns_in(folder: Path) -> list[Path]:
    """List the campaign files of a folder."""
    return [path for ending in ENDINGS for path in sorted(folder.glob(ending)) if _is_campaign(path)]


def _is_campaign(path: Path) -> bool:
    """Return whether a file has a campaign's keys at its left edge; it is not parsed."""
    try:
        if not path.is_file() or path.stat().st_size > LOOKED_AT_BYTES:
            return False
        text = path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return False
    return all(re.search(rf"(?m)^{key}\s*:", text) for key in ("arms", "budget", "provider"))
