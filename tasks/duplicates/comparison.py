"""A comparison of two pictures: at a glance, then laid on one another, without borders, then turned."""

from collections.abc import Callable
from dataclasses import dataclass

from tasks.candidate import Candidate
from tasks.duplicates.rule import Altered
from tasks.pictures.likeness import (
    NEAR_SIMILARITY,
    compare,
    find_framed,
    find_turn,
    may_be_alike,
    similarity_in_place,
)
from tasks.pictures.looks import Look, Turn


@dataclass(frozen=True, slots=True)
class Comparison:
    """What a comparison of two pictures found.

    Args:
        similarity: 0-1; ``None`` for pictures that have so little in common that it was not measured.
        turn: How the second must be turned to become the first; ``None`` when it need not.
        is_framed: Whether one is the other with a border round it.
    """

    similarity: float | None
    turn: Turn | None = None
    is_framed: bool = False

    @property
    def alteration(self) -> str | None:
        """The same in more detail: the turn, or ``framed``."""
        return "framed" if self.is_framed else self.turn

    @property
    def altered(self) -> Altered | None:
        """How one was altered to become the other; ``None`` for what is compared as it is."""
        if self.is_framed:
            return "framed"
        return "mirrored" if self.turn else None


Comparer = Callable[[Candidate, Candidate], Comparison | None]
"""Compares two pictures; gives ``None`` when one of them cannot be looked at."""


def compare_looks(one: Look, other: Look) -> Comparison:
    """Compare two looks.

    Args:
        one: A look.
        other: Another one.
    """
    likeness = compare(one, other) if may_be_alike(one, other) else None
    if likeness and likeness.similarity >= NEAR_SIMILARITY:
        return Comparison(likeness.similarity)
    framed = find_framed(one, other)
    if framed is not None:
        return Comparison(framed[2].similarity, is_framed=True)
    turned = find_turn(one, other)
    if turned is not None:
        return Comparison(turned[1].similarity, turned[0])
    return Comparison(likeness.similarity if likeness else similarity_in_place(one, other))
