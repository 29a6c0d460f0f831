"""The limit of similarity that fits people's answers about pairs."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

LEAST_ANSWERS = 20


@dataclass(frozen=True, slots=True)
class Answer:
    """What a person said about a pair.

    Args:
        similarity: As measured, 0-1.
        is_same: Whether it is the same picture to this person.
    """

    similarity: float
    is_same: bool


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A limit, and how well it agrees with the answers.

    Args:
        min_similarity: From here on pictures are duplicates, 0-1.
        precision: The share of pairs from the limit on that are the same to people.
        recall: The share of the same pairs that are found.
        n_same: How many answers said the same.
        n_other: How many said not the same.
    """

    min_similarity: float
    precision: float
    recall: float
    n_same: int
    n_other: int


def suggest_limit(answers: Sequence[Answer]) -> Suggestion | None:
    """Find the limit with the best harmonic mean of precision and recall (F1).

    Limits lie halfway between neighbouring similarities. Of equally good ones the highest is taken: a
    duplicate too many is seen twice, another picture that is folded is not seen at all.

    Returns:
        The suggestion; ``None`` below `LEAST_ANSWERS` answers, or when all of them say the same.
    """
    same = [one.similarity for one in answers if one.is_same]
    others = [one.similarity for one in answers if not one.is_same]
    if len(answers) < LEAST_ANSWERS or not same or not others:
        return None
    return max((_measured(limit, same, others) for limit in _limits([*same, *others])), key=_merit)


def _limits(similarities: Sequence[float]) -> list[float]:
    places = sorted(set(similarities))
    between = [(one + other) / 2 for one, other in pairwise(places)]
    return [places[0], *between]


def _measured(limit: float, same: Sequence[float], others: Sequence[float]) -> Suggestion:
    right = sum(one >= limit for one in same)
    called = right + sum(one >= limit for one in others)
    precision = right / called if called else 0.0
    return Suggestion(round(limit, 4), precision, right / len(same), len(same), len(others))


def _merit(one: Suggestion) -> tuple[float, float]:
    both = one.precision + one.recall
    return (2 * one.precision * one.recall / both if both else 0.0, one.min_similarity)
