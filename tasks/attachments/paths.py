"""Paths as people write them in a campaign: relative to its file or a home, or templates over a row."""

import re
from functools import cache
from pathlib import Path

from tasks.attachments.references import ReferenceFaultError
from tasks.campaign import Row
from tasks.campaign.prompts import PromptFaultError, PromptTemplate
from tasks.storage.given_path import expand_home

_TEMPLATE = re.compile(r"\{[{%#]")
_ADDRESS = re.compile(r"(?:^|/)((?:data:|[a-z][a-z0-9+.-]*://).*)", re.IGNORECASE | re.DOTALL)
_SHOWN_CHARACTERS = 80


def is_template(text: str) -> bool:
    """Return whether a path or an edge of a box depends on the row."""
    return _TEMPLATE.search(text) is not None


def absolute_path(folder: Path, name: str) -> str:
    """Make a path or a path template absolute; ``~`` is the user's home, and an address stays one.

    Braces in the names of folders above are kept literally.
    """
    if find_address(name) or name.startswith(("/", "{% raw %}/")):
        return name
    start, _, rest = name.partition("/")
    home = expand_home(start)
    above, below = (str(folder), name) if home == start else (home, rest)
    return f"{{% raw %}}{above}{{% endraw %}}/{below}" if is_template(above) else f"{above}/{below}"


def find_address(path: str) -> str | None:
    """Find a web or data address in what should be a path.

    Returns:
        What is wrong with it, in a sentence without its end; ``None`` for a path.
    """
    found = _ADDRESS.search(path)
    if found is None:
        return None
    address = found[1] if len(found[1]) <= _SHOWN_CHARACTERS else f"{found[1][:_SHOWN_CHARACTERS]}…"
    return f"{address} is an address, and addresses are not fetched: download it and name the file"


@cache
def _template(text: str) -> PromptTemplate:
    return PromptTemplate(text)


def fill_template(text: str, row: Row) -> str:
    """Fill the template of a path, or of an edge of a box.

    Raises:
        ReferenceFaultError: It cannot be filled.
    """
    try:
        return _template(text).render(row)
    except PromptFaultError as error:
        raise ReferenceFaultError(str(error)) from error


def fill_path(text: str, row: Row) -> str:
    """Fill a path's template; a path from the row that is absolute or begins with ``~`` replaces the folder.

    Raises:
        ReferenceFaultError: The template cannot be filled, or names no file on this machine.
    """
    path = fill_template(text, row) if is_template(text) else text
    if address := find_address(path):
        raise ReferenceFaultError(address)
    if not is_template(text):
        return text
    before, is_doubled, own = path.rpartition("//")
    path = f"/{own}" if is_doubled else before + own
    _, is_home, own = path.rpartition("/~/")
    path = expand_home(f"~/{own}") if is_home else path
    if path.endswith("/"):
        message = f"{path} does not name a file"
        raise ReferenceFaultError(message)
    return path
