"""Proposals: which pictures of a large scope are worth a comparison, found by both hashes and the colours.

One hash alone, within a radius that proposes few others, misses a tenth to a fifth of heavily edited copies.
The two hashes seldom fail together: their distances are added, colours that differ in any part dismiss a
picture, and of the rest the nearest are proposed, so that the cost of a picture is bounded.
"""

import numpy as np

from tasks.duplicates.scope import Scope
from tasks.pictures.fingerprint import distances_bits

MOST_BITS = 40
"""The most of 128 bits, of both hashes, in which pictures worth a comparison differ."""

MOST_COLOUR_LEVELS = 24.0
"""The most that the colours of any cell of their grids may differ, 8-bit levels of Cb and Cr."""

MOST_PROPOSED = 32
"""How many pictures are proposed for one at most, the nearest ones."""


class Proposals:
    """The representatives so far, searched for what is near a picture."""

    def __init__(self, scope: Scope) -> None:
        """Take the pictures; none is a representative yet."""
        n_pictures = len(scope.ranked)
        self._scope = scope
        self._is_hashed = np.array(
            [
                place >= 0 and other is not None
                for place, other in zip(scope.places, scope.others, strict=True)
            ]
        )
        self._hashes = np.zeros((n_pictures, 2), np.uint64)
        for index, (place, other) in enumerate(zip(scope.places, scope.others, strict=True)):
            if place >= 0 and other is not None:
                self._hashes[index] = scope.values[place], other
        self._leaders = np.zeros(n_pictures, np.int64)
        self._leading = np.zeros((n_pictures, 2), np.uint64)
        self._count = 0

    def add(self, index: int) -> None:
        """Make a picture a representative, if it has hashes to be found by."""
        if self._is_hashed[index]:
            self._leaders[self._count] = index
            self._leading[self._count] = self._hashes[index]
            self._count += 1

    def near(self, index: int) -> list[int]:
        """List the representatives worth comparing with a picture, the nearest first."""
        if not self._is_hashed[index]:
            return []
        bits = distances_bits(self._leading[: self._count], self._hashes[index]).sum(axis=1)
        found = np.flatnonzero(bits <= MOST_BITS)
        leaders = self._leaders[found]
        colours = self._scope.colours
        away = np.abs(colours[leaders] - colours[index])
        # Colours that were not measured dismiss nothing: a comparison decides.
        is_near = ~(away > MOST_COLOUR_LEVELS).any(axis=1)
        nearest = np.argsort(bits[found][is_near], kind="stable")[:MOST_PROPOSED]
        nearby: list[int] = leaders[is_near][nearest].tolist()
        return nearby
