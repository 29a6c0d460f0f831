"""A comparison of two pictures: at a glance, then laid on one another, then turned."""

from collections.abc import Callable
from dataclasses import dataclass

from tasks.candidate import Candidate
from tasks.duplicates.rule import SIMILAR_SIMILARITY
from tasks.pictures.likeness import compare, find_turn, may_be_alike, similarity_in_place
from tasks.pictures.looks import Look, Turn


@dataclass(frozen=True, slots=True)
class Comparison:
    """What a comparison of two pictures found.

    Args:
        similarity: 0-1; ``None`` for pictures that have so little in common that it was not measured.
        turn: How the second must be turned to become the first; ``None`` when it need not.
    """

    similarity: float | None
    turn: Turn | None = None


Comparer = Callable[[Candidate, Candidate], Comparison | None]
"""Compares two pictures; gives ``None`` when one of them cannot be looked at."""


def compare_looks(one: Look, other: Look) -> Comparison:
    """Compare two looks.

    Args:
        one: A look.
        other: Another one.
    """
    likeness = compare(one, other) if may_be_alike(one, other) else None
    if likeness and likeness.similarity >= SIMILAR_SIMILARITY:
        return Comparison(likeness.similarity)
    turned = find_turn(one, other)
    if turned is not None:
        return Comparison(turned[1].similarity, turned[0])
    return Comparison(likeness.similarity if likeness else similarity_in_place(one, other))
