"""Replicates: whether a request's picture is a new scene, a near-duplicate or an exact duplicate.

The API has no seed, so equal requests give different pictures, some of them alike. Replicates of one request
are numbered in order of arrival, and everything about the k-th is determined by the emulator's seed, the
request and k.
"""

import hashlib
import random
from collections import Counter
from dataclasses import dataclass, replace

from tasks.emulator.images_request import ImagesRequest
from tasks.emulator.painting.contents import ErrorKind
from tasks.emulator.settings import EmulatorSettings


@dataclass(frozen=True, slots=True)
class Replicate:
    """What to paint.

    Args:
        scene_seed: Determines the composition.
        shake_seed: Determines the small differences of a near-duplicate; ``None`` for the scene itself.
        drifts: For an edit: whether it loses the reference's composition.
        is_redrawn: For an edit: whether it is moved and toned a little, not only drawn finer.
        planted: The kinds of error planted in it.
    """

    scene_seed: int
    shake_seed: int | None
    drifts: bool
    is_redrawn: bool = False
    planted: tuple[ErrorKind, ...] = ()


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
        return [
            self._with_errors(request.prompt, each) for each in self._plain(request, key, client_request_id)
        ]

    def _plain(self, request: ImagesRequest, key: str, client_request_id: str | None) -> list[Replicate]:
        if client_request_id and self._settings.picture_by_client_request_id:
            base = int.from_bytes(hashlib.sha256(client_request_id.encode()).digest()[:4], "big")
            return [self._of_caller(key, base + index) for index in range(request.n)]
        first = self._counts[key]
        self._counts[key] += request.n
        return [self._numbered(key, first + index) for index in range(request.n)]

    def _with_errors(self, prompt: str, each: Replicate) -> Replicate:
        """Plant the errors of its scene, so that duplicates have the same."""
        planted = [
            rule.kind
            for number, rule in enumerate(self._settings.planted_errors)
            if rule.prompt in prompt and self._chance("planted", each.scene_seed, number).random() < rule.rate
        ]
        return replace(each, planted=tuple(planted)) if planted else each

    def _numbered(self, key: str, number: int) -> Replicate:
        """The ``number``-th replicate; a duplicate of a duplicate is resolved to the scene itself."""
        chance = self._chance("replicate", key, number)
        draw = chance.random()
        drifts = chance.random() < self._settings.edit_drift_rate
        if number and draw < self._settings.exact_copy_rate:
            return self._numbered(key, chance.randrange(number))
        if number and draw < self._settings.exact_copy_rate + self._settings.near_copy_rate:
            original = self._numbered(key, chance.randrange(number))
            return replace(original, shake_seed=self._seed("shake", key, number))
        return self._replicate(self._seed("scene", key, number), None, drifts)

    def _of_caller(self, key: str, number: int) -> Replicate:
        """The replicate of a caller's id; duplicates are of the request's first scene."""
        chance = self._chance("caller", key, number)
        draw = chance.random()
        drifts = chance.random() < self._settings.edit_drift_rate
        first = self._seed("scene", key, 0)
        if draw < self._settings.exact_copy_rate:
            return self._replicate(first, None, drifts)
        if draw < self._settings.exact_copy_rate + self._settings.near_copy_rate:
            return self._replicate(first, self._seed("shake", key, number), drifts)
        return self._replicate(self._seed("scene", key, number), None, drifts)

    def _replicate(self, scene_seed: int, shake_seed: int | None, drifts: bool) -> Replicate:
        return Replicate(scene_seed, shake_seed, drifts, self._settings.edits == "redrawn")

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
