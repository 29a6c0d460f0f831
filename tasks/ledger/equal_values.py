"""Equal values kept once: a database hands out thousands of rows, and each has its own copy of every text."""

from collections.abc import Mapping
from functools import lru_cache
from sys import intern
from typing import Any, TypeVar, cast

Text = TypeVar("Text", bound=str | None)

_MAPPINGS = 1_000


def one_text(text: Text) -> Text:
    """Return a text that all equal ones share while any is used."""
    return text if text is None else cast("Text", intern(text))


def one_mapping(mapping: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return a mapping that equal ones share, such as the parameters of a run's orders; never change it.

    A mapping with lists or mappings inside is returned as it is.
    """
    try:  # with the types: 1, 1.0 and True are equal, and no JSON has them as the same
        return _one_mapping(tuple((name, type(value), value) for name, value in mapping.items()))
    except TypeError:
        return mapping


@lru_cache(_MAPPINGS)
def _one_mapping(items: tuple[tuple[str, type, Any], ...]) -> Mapping[str, Any]:
    return {name: value for name, _, value in items}
