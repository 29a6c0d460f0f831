"""What pairs of pictures were compared, and what was found, in 12 bytes a pair.

Comparing goes on while drafts come in, and a decision about one pair decides about all pairs again: what was
compared once need not be compared again. Nothing of it is kept when the process ends.
"""

import math
from array import array
from collections.abc import Sequence
from threading import Lock

from tasks.duplicates.comparison import Comparison

MOST_PAIRS = 2_000_000
"""How many are remembered, 24 MB; beyond that all are forgotten and compared again when they are needed."""


class ComparedPairs:
    """Comparisons by the bytes of both pictures; threads may share it."""

    def __init__(self, most_pairs: int = MOST_PAIRS) -> None:
        """Remember nothing yet, and at most so many pairs."""
        self._most_pairs = most_pairs
        self._lock = Lock()
        self._forget()

    def _forget(self) -> None:
        self._n_pairs = 0
        self._numbers: dict[str, int] = {}
        self._compared: dict[int, tuple[array[int], array[float]]] = {}
        self._altered: dict[tuple[int, int], Comparison] = {}

    def of(self, one: str, others: Sequence[str]) -> list[Comparison | None]:
        """Look up what comparing a picture with others found.

        Args:
            one: The SHA-256 of the first picture of each comparison.
            others: Those of the second ones.

        Returns:
            A comparison for each; ``None`` where the two were not compared.
        """
        with self._lock:
            number = self._numbers.get(one)
            if number is None or number not in self._compared:
                return [None] * len(others)
            similarities = dict(zip(*self._compared[number], strict=True))
            return [self._found(number, self._numbers.get(other), similarities) for other in others]

    def _found(self, one: int, other: int | None, similarities: dict[int, float]) -> Comparison | None:
        if other is None or other not in similarities:
            return None
        similarity = similarities[other]
        return self._altered.get((one, other)) or Comparison(None if math.isnan(similarity) else similarity)

    def keep(self, one: str, other: str, found: Comparison) -> None:
        """Remember a comparison.

        Args:
            one: The SHA-256 of the first picture.
            other: That of the second one.
            found: What was found.
        """
        with self._lock:
            if self._n_pairs >= self._most_pairs:
                self._forget()
            first = self._numbers.setdefault(one, len(self._numbers))
            second = self._numbers.setdefault(other, len(self._numbers))
            numbers, similarities = self._compared.setdefault(first, (array("I"), array("d")))
            numbers.append(second)
            similarities.append(math.nan if found.similarity is None else found.similarity)
            if found.altered:
                self._altered[first, second] = found
            self._n_pairs += 1
