"""Finds what is no text in a campaign's document: NUL characters and halves of characters."""

from collections.abc import Iterator

from tasks.campaign_file.fault import CampaignFault
from tasks.marked_yaml import KeyPath
from tasks.text import escape_unprintable, find_no_text


def find_character_faults(data: object) -> Iterator[CampaignFault]:
    """Find the keys and values that cannot be sent or stored."""
    waiting: list[tuple[KeyPath, object]] = [((), data)]
    seen: set[int] = set()
    while waiting:
        path, part = waiting.pop()
        if isinstance(part, dict | list) and id(part) in seen:  # an alias, perhaps to what it is inside of
            continue
        seen.add(id(part))
        if isinstance(part, str) and (found := find_no_text(part)):
            yield CampaignFault(path, f"holds {found}", "text")
        for key, value in _children(part):
            if found := find_no_text(str(key)):
                yield CampaignFault(path, f"the key {escape_unprintable(str(key))} holds {found}", "text")
            waiting.append(((*path, str(key)), value))


def _children(part: object) -> Iterator[tuple[object, object]]:
    if isinstance(part, dict):
        yield from part.items()
    elif isinstance(part, list):
        yield from enumerate(part)
