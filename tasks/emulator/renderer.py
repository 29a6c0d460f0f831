"""The renderer: counts a request's tokens, chooses its replicates and builds its answer.

Pricing and painting are separate, because a request is charged before its picture exists, and because a batch
is charged line by line while its pictures are painted only when downloaded.
"""

import base64
import io
import os
import random
from typing import Any

import anyio
from PIL import Image

from tasks.emulator.images_request import ImagesRequest
from tasks.emulator.painter import encode, paint
from tasks.emulator.replicates import Replicate, Replicates
from tasks.emulator.settings import EmulatorSettings
from tasks.emulator.tokens import TokenCount, count_tokens

COARSEST = 32


class Renderer:
    """Prices requests and paints their pictures.

    Args:
        settings: Seed, rates and kind of painting.
    """

    def __init__(self, settings: EmulatorSettings) -> None:
        self._settings = settings
        self._replicates = Replicates(settings)
        # Painting one picture needs a hundred megabytes of memory: at most one per core.
        self._easels = anyio.CapacityLimiter(max(2, os.cpu_count() or 2))

    def take(self, order: ImagesRequest, caller_id: str | None) -> list[Replicate]:
        """Take the next replicates of a request, one for each of its pictures."""
        return self._replicates.take(order, caller_id)

    def partials(self, order: ImagesRequest, replicate: Replicate) -> int:
        """Return how many partial pictures a stream gets: sometimes fewer than requested."""
        chance = random.Random(replicate.scene_seed)
        if order.partials and chance.random() < self._settings.fewer_partials_rate:
            return chance.randrange(order.partials)
        return order.partials

    def count(self, order: ImagesRequest, partials: int = 0) -> TokenCount:
        """Count a request's tokens."""
        return count_tokens(
            order.model,
            prompt=order.prompt,
            n=order.n,
            tier=order.tier,
            size=order.size,
            references=[upload.size for upload in order.references],
            high_fidelity=order.high_fidelity,
            is_edit=order.endpoint == "edits",
            partials=partials,
        )

    async def paint(
        self, order: ImagesRequest, replicates: list[Replicate], count: TokenCount, created_at: int
    ) -> dict[str, Any]:
        """Paint a request's pictures and build the vendor's answer.

        Args:
            order: The request.
            replicates: One for each picture.
            count: The tokens it used.
            created_at: The answer's time, seconds since 1970.
        """
        pictures = []
        for replicate in replicates:
            data = await anyio.to_thread.run_sync(
                paint, order, replicate, self._settings.paint, limiter=self._easels
            )
            pictures.append({"b64_json": base64.b64encode(data).decode()})
        return facts_of(order, created_at) | {"data": pictures, "usage": count.as_wire()}

    async def sketch(self, order: ImagesRequest, picture: bytes, index: int) -> bytes:
        """Derive the ``index``-th partial picture from a finished one: coarse at first, finer each time.

        Args:
            order: The request.
            picture: The finished picture's bytes.
            index: Which partial picture, from 0.
        """
        return await anyio.to_thread.run_sync(_coarse, order, picture, COARSEST >> index)


def facts_of(order: ImagesRequest, created_at: int) -> dict[str, Any]:
    """The fields of an answer other than the pictures."""
    return {
        "created": created_at,
        "background": "transparent" if order.transparent else "opaque",
        "output_format": order.format,
        "quality": order.tier,
        "size": order.size_text,
    }


def _coarse(order: ImagesRequest, picture: bytes, factor: int) -> bytes:
    with Image.open(io.BytesIO(picture)) as whole:
        plain = whole.convert("RGBA" if order.transparent else "RGB")
    small = plain.resize((max(1, plain.width // factor), max(1, plain.height // factor)))
    return encode(small.resize(plain.size), order.format, order.compression)
