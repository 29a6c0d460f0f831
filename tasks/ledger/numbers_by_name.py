"""Numbers by name, such as a picture's measurements: JSON in the database, little memory once they are read.

Each picture has dozens of them under the same names. As a dict they take 7 kB, most of it for names; here
0.5 kB, because all that have the same names share them.
"""

from array import array
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator

_NAMINGS = 1_000
"""How many different lists of names are remembered; those of one scorer are nearly always the same."""


class NumbersByName(Mapping[str, float]):
    """A mapping of names to floats; immutable, and equal to a dict of the same."""

    __slots__ = ("_places", "_values")

    def __init__(self, numbers: Mapping[str, float]) -> None:
        """Take numbers; all are floats."""
        self._places = _places(tuple(numbers))
        self._values = array("d", numbers.values())

    def __getitem__(self, name: str) -> float:
        return self._values[self._places[name]]

    def __iter__(self) -> Iterator[str]:
        return iter(self._places)

    def __len__(self) -> int:
        return len(self._places)

    def __contains__(self, name: object) -> bool:
        return name in self._places

    def __repr__(self) -> str:
        return repr(dict(self))

    def __reduce__(self) -> tuple[type["NumbersByName"], tuple[dict[str, float]]]:
        return NumbersByName, (dict(self),)  # a copy shares the names too


@lru_cache(_NAMINGS)
def _places(names: tuple[str, ...]) -> Mapping[str, int]:
    return {name: place for place, name in enumerate(names)}


class Numbers(TypeDecorator[Mapping[str, float]]):
    """A column of numbers by name."""

    impl = sa.JSON(none_as_null=True)
    cache_ok = True

    def process_bind_param(self, value: Mapping[str, float] | None, dialect: Dialect) -> Any:  # noqa: ANN401, ARG002 - JSON
        """Make a plain mapping of it, which JSON can hold."""
        return None if value is None else dict(value)

    def process_result_value(self, value: Any, dialect: Dialect) -> Mapping[str, float] | None:  # noqa: ANN401, ARG002 - JSON
        """Take little memory; what is not all floats stays as it is."""
        is_plain = isinstance(value, dict) and set(map(type, value.values())) <= {float}
        return NumbersByName(value) if is_plain else value
