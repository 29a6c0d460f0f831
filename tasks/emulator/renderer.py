"""The renderer: what a request uses, which pictures it gets, and the answer with them.

Pricing and painting are apart, because a charge stands before a picture does, and because a batch is charged
line by line while its pictures are painted only when somebody downloads them.
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
        settings: Seed, rates and manner of painting.
    """

    def __init__(self, settings: EmulatorSettings) -> None:
        self._settings = settings
        self._replicates = Replicates(settings)
        # A picture in the making weighs a hundred megabytes: no more of them than there are cores.
        self._easels = anyio.CapacityLimiter(max(2, os.cpu_count() or 2))

    def take(self, order: ImagesRequest, caller_id: str | None) -> list[Replicate]:
        """Take the next replicates of a request, one for each of its pictures."""
        return self._replicates.take(order, caller_id)

    def partials(self, order: ImagesRequest, replicate: Replicate) -> int:
        """How many partial pictures a stream really gets: sometimes fewer than asked for."""
        chance = random.Random(replicate.scene_seed)
        if order.partials and chance.random() < self._settings.fewer_partials_rate:
            return chance.randrange(order.partials)
        return order.partials

    def count(self, order: ImagesRequest, partials: int = 0) -> TokenCount:
        """Count what a request uses."""
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
        """Paint a request's pictures and put them into the vendor's answer.

        Args:
            order: What was asked for.
            replicates: One for each picture.
            count: What it used.
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
        """Make the ``index``-th partial picture of a finished one: coarse at first, finer each time.

        Args:
            order: The request.
            picture: The finished picture's bytes.
            index: Which partial picture, from 0.
        """
        return await anyio.to_thread.run_sync(_coarse, order, picture, COARSEST >> index)


def facts_of(order: ImagesRequest, created_at: int) -> dict[str, Any]:
    """What an answer says about its pictures, the pictures apart."""
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
