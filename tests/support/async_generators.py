"""Asynchronous generators that were begun and never ended: what a garbage collector would have to end."""

import sys
from types import AsyncGeneratorType
from typing import Any

Begun = list[AsyncGeneratorType[Any, Any]]


def hold_generators(begun: Begun) -> None:
    """Hold every asynchronous generator that the running loop begins from now on.

    One that is held is not collected, and the loop, which is not told of it, does not end it when it closes:
    it stays as it was left.
    """
    sys.set_asyncgen_hooks(firstiter=begun.append)  # type: ignore[arg-type]


def left_open(begun: Begun) -> list[str]:
    """Return the names of those that were neither read to their end nor closed."""
    return [generator.__qualname__ for generator in begun if generator.ag_frame is not None]
