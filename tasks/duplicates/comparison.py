"""A comparison of two pictures: at a glance, then laid on one another, without borders, then turned."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from tasks.candidate import Candidate
from tasks.duplicates.rule import Altered
from tasks.pictures.glances import EVERYTHING, Glance, Left, compositions_in_place, what_is_left
from tasks.pictures.likeness import (
    NEAR_SIMILARITY,
    compare_if_alike,
    find_framed,
    find_turn,
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


Comparer = Callable[[Candidate, Sequence[Candidate]], Iterator[Comparison | None]]
"""Compares a picture with others, one after another and each when it is asked for.

It gives ``None`` when one of the two cannot be looked at.
"""


class Seen(Protocol):
    """A picture that can be compared: at a glance, and closely."""

    @property
    def glance(self) -> Glance: ...  # noqa: D102
    @property
    def look(self) -> Look: ...  # noqa: D102


def compare_seen(one: Seen, others: Sequence[Seen]) -> Iterator[Comparison]:
    """Compare a picture with others: with all of them at a glance, and closely with those that are left.

    Args:
        one: A picture.
        others: Other ones; a look at one is taken only if a glance did not dismiss it.
    """
    glances = [other.glance for other in others]
    all_left = what_is_left(one.glance, glances)
    in_place = _in_place(one, others, [left.has_common for left in all_left])
    for other, left, similarity in zip(others, all_left, in_place, strict=True):
        found = _compare_closely(one.look, other.look, left) if left.is_anything else None
        yield found or Comparison(similarity)


def _in_place(one: Seen, others: Sequence[Seen], have_common: Sequence[bool]) -> list[float | None]:
    """Measure the similarity of those that have something in common, as they lie."""
    found: list[float | None] = [None] * len(others)
    at_once = []
    for index, other in enumerate(others):
        if have_common[index] and one.glance.copy.size == other.glance.copy.size:
            at_once.append(index)
        elif have_common[index]:
            found[index] = similarity_in_place(one.look, other.look)
    measured = compositions_in_place(one.glance, [others[index].glance for index in at_once])
    for index, similarity in zip(at_once, measured, strict=True):
        found[index] = similarity
    return found


def compare_looks(one: Look, other: Look) -> Comparison:
    """Compare two looks without a glance at them first.

    Args:
        one: A look.
        other: Another one.
    """
    return _compare_closely(one, other, EVERYTHING) or Comparison(similarity_in_place(one, other))


def _compare_closely(one: Look, other: Look, left: Left) -> Comparison | None:
    """Compare what is left to be compared; ``None`` where their outlines have too little in common."""
    likeness = compare_if_alike(one, other) if left.as_they_are else None
    if likeness and likeness.similarity >= NEAR_SIMILARITY:
        return Comparison(likeness.similarity)
    framed = find_framed(one, other) if left.framed else None
    if framed is not None:
        return Comparison(framed[2].similarity, is_framed=True)
    turned = find_turn(one, other, left.turns)
    if turned is not None:
        return Comparison(turned[1].similarity, turned[0])
    return Comparison(likeness.similarity) if likeness else None
