"""Replicates: whether a request's picture is a new scene, a near-duplicate or an exact duplicate.

The API has no seed, so equal requests give different pictures, some of them alike. Replicates of one request
are numbered in order of arrival, and everything about the k-th is determined by the emulator's seed, the
request and k.
"""

import hashlib
import random
from collections import Counter
from dataclasses import dataclass

from tasks.emulator.images_request import ImagesRequest
from tasks.emulator.settings import EmulatorSettings


@dataclass(frozen=True, slots=True)
class Replicate:
    """What to paint.

    Args:
        scene_seed: Determines the composition.
        shake_seed: Determines the small differences of a near-duplicate; ``None`` for the scene itself.
        drifts: For an edit: whether it loses the reference's composition.
    """

    scene_seed: int
    shake_seed: int | None
    drifts: bool


class Replicates:
    """Numbers replicates and determines each of them.

    Args:
        settings: Seed and rates.
    """

    def __init__(self, settings: EmulatorSettings) -> None:
        self._settings = settings
        self._counts: Counter[str] = Counter()

    def take(self, request: ImagesRequest, client_request_id: str | None) -> list[Replicate]:
        """Take the next replicates of a request, one for each of its pictures."""
        key = _identity(request)
        if client_request_id and self._settings.picture_by_client_request_id:
            base = int.from_bytes(hashlib.sha256(client_request_id.encode()).digest()[:4], "big")
            return [self._of_caller(key, base + index) for index in range(request.n)]
        first = self._counts[key]
        self._counts[key] += request.n
        return [self._numbered(key, first + index) for index in range(request.n)]

    def _numbered(self, key: str, number: int) -> Replicate:
        """The ``number``-th replicate; a duplicate of a duplicate is resolved to the scene itself."""
        shake = None
        chance = self._chance("replicate", key, number)
        draw = chance.random()
        drifts = chance.random() < self._settings.edit_drift_rate
        if number and draw < self._settings.exact_copy_rate:
            return self._numbered(key, chance.randrange(number))
        if number and draw < self._settings.exact_copy_rate + self._settings.near_copy_rate:
            shake = self._seed("shake", key, number)
            original = self._numbered(key, chance.randrange(number))
            return Replicate(original.scene_seed, shake, original.drifts)
        return Replicate(self._seed("scene", key, number), shake, drifts)

    def _of_caller(self, key: str, number: int) -> Replicate:
        """The replicate of a caller's id; duplicates are of the request's first scene."""
        chance = self._chance("caller", key, number)
        draw = chance.random()
        drifts = chance.random() < self._settings.edit_drift_rate
        first = self._seed("scene", key, 0)
        if draw < self._settings.exact_copy_rate:
            return Replicate(first, None, drifts)
        if draw < self._settings.exact_copy_rate + self._settings.near_copy_rate:
            return Replicate(first, self._seed("shake", key, number), drifts)
        return Replicate(self._seed("scene", key, number), None, drifts)

    def _chance(self, *parts: object) -> random.Random:
        return random.Random(self._seed(*parts))

    def _seed(self, *parts: object) -> int:
        text = repr((self._settings.seed, *parts))
        return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big")


def _identity(request: ImagesRequest) -> str:
    pictures = [hashlib.sha256(upload.data).hexdigest() for upload in request.references]
    parts = (
        request.endpoint, request.model.id, request.prompt, request.tier, request.size, request.format,
        request.compression, request.transparent, pictures,
        request.mask and hashlib.sha256(request.mask.data).hexdigest(),
    )  # fmt: skip
    return hashlib.sha256(repr(parts).encode()).hexdigest()
