"""Pages of a list, as in the vendor's API: ``after`` is the last id seen, ``limit`` the page length."""

# ruff: noqa: EM101 - the literals are names of fields, not messages

from collections.abc import Mapping, Sequence
from typing import Protocol, TypeVar

from tasks.emulator import refusals


class Named(Protocol):
    """An object with an id."""

    id: str


NamedT = TypeVar("NamedT", bound=Named)


def page_of(
    all: Sequence[NamedT], query: Mapping[str, str], usual: int, most: int
) -> tuple[Sequence[NamedT], bool]:
    """Return one page of a list.

    Args:
        all: The whole list, in order.
        query: The request's ``after`` and ``limit``.
        usual: Length of a page without a limit.
        most: The largest limit.

    Returns:
        The page, and whether more follow.

    Raises:
        Refusal: The limit is not valid, or ``after`` is not in the list.
    """
    limit = query.get("limit", str(usual))
    if not limit.isdecimal() or not 1 <= int(limit) <= most:
        raise refusals.invalid("limit", f"Invalid 'limit': expected an integer from 1 to {most}.")
    start = 0
    if after := query.get("after"):
        ids = [item.id for item in all]
        if after not in ids:
            raise refusals.invalid("after", f"Invalid 'after': there is no '{after}'.")
        start = ids.index(after) + 1
    end = start + int(limit)
    return all[start:end], end < len(all)
