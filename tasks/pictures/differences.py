"""How a picture differs from its order, in the words that the ledger keeps in ``downgraded``.

The parts are joined by semicolons. Some concern only the picture's form, its size and format; a shortage
concerns the other pictures of its order; the rest means that the picture is not what was bought: a cheaper
tier, or no transparency.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

BETWEEN = "; "
_SHORTAGE = re.compile(r"\d+ of \d+ pictures")


class Form(NamedTuple):
    """A picture's format, and its size in pixels; ``None`` where it was not inspected."""

    format: str | None
    width: int | None
    height: int | None


def differences_of_form(parameters: Mapping[str, Any], found: Form) -> list[str]:
    """List how a picture's size and format differ from its order.

    Args:
        parameters: The order's own fields, as sent.
        found: What the picture has.
    """
    differences = []
    asked_size, size = parameters.get("size"), f"{found.width}x{found.height}"
    if asked_size not in (None, "auto", size):
        differences.append(f"{size} instead of {asked_size}")
    asked = parameters.get("output_format", "png")
    if found.format != asked:
        differences.append(f"{found.format} instead of {asked}")
    return differences


def describe_shortage(n_received: int, n_ordered: int) -> str | None:
    """Say that an order has fewer pictures than it asked for; ``None`` if it has them all."""
    return f"{n_received} of {n_ordered} pictures" if n_received < n_ordered else None


def join_differences(parts: Iterable[str | None]) -> str | None:
    """Join the differences that there are; ``None`` without any."""
    return BETWEEN.join(part for part in parts if part) or None


def split_by_form(downgraded: str | None, parameters: Mapping[str, Any], found: Form) -> tuple[str, bool]:
    """Tell a picture's form from what else differs.

    Args:
        downgraded: Its differences from the order, as the ledger keeps them.
        parameters: The order's ``size`` and ``output_format``.
        found: What inspection found.

    Returns:
        The differences of form, joined, empty without any; and whether anything else differs that makes it
        another picture than was ordered.
    """
    if downgraded is None:
        return "", False
    form = differences_of_form(parameters, found) if all(found) else []
    parts = downgraded.split(BETWEEN)
    others = [part for part in parts if part not in form and not _SHORTAGE.fullmatch(part)]
    return BETWEEN.join(part for part in parts if part in form), bool(others)
