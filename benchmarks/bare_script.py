"""A hand-written script for comparison: the official SDK, many requests at once, a file for each picture.

It keeps no ledger, inspects no picture, and loses what was paid for when it is killed. ``whole_run.py`` and
``peers.py`` run it as ``python -m benchmarks.bare_script ORDERS CONCURRENCY FOLDER``.
"""

import asyncio
import base64
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from openai import AsyncOpenAI
from openai.types import ImagesResponse


def request_of(number: int) -> dict[str, Any]:
    """Return what is asked for one picture."""
    manner = ("watercolour", "studio photograph")[number % 2]
    return {
        "model": "gpt-image-2",
        "prompt": f"Picture {number // 2 % 10}, {manner}",
        "quality": "low",
        "size": "1024x1024",
        "output_format": "png",
        "n": 1,
    }


def write_picture(answer: ImagesResponse, number: int, folder: Path) -> None:
    """Write the picture of an answer."""
    assert answer.data is not None
    (folder / f"{number}.png").write_bytes(base64.b64decode(answer.data[0].b64_json or ""))


async def buy_one(client: AsyncOpenAI, number: int, folder: Path) -> None:
    """Buy one picture and write it."""
    write_picture(await client.images.generate(**request_of(number)), number, folder)


async def main(
    n_orders: int,
    concurrency: int,
    folder: Path,
    buy_one: Callable[[AsyncOpenAI, int, Path], Awaitable[None]] = buy_one,
) -> None:
    """Buy that many pictures and write them."""
    client = AsyncOpenAI(max_retries=0)
    places = asyncio.Semaphore(concurrency)

    async def buy(number: int) -> None:
        async with places:
            await buy_one(client, number, folder)

    await asyncio.gather(*(buy(number) for number in range(n_orders)))


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3])))
