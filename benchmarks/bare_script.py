"""A hand-written script for comparison: the official SDK, many requests at once, a file for each picture.

It keeps no ledger, inspects no picture, and loses what was paid for when it is killed. ``whole_run.py`` and
``peers.py`` run it as ``python -m benchmarks.bare_script ORDERS CONCURRENCY FOLDER``.
"""

import asyncio
import base64
import sys
from pathlib import Path

from openai import AsyncOpenAI


async def buy_one(client: AsyncOpenAI, number: int, folder: Path) -> None:
    """Buy one picture and write it."""
    manner = ("watercolour", "studio photograph")[number % 2]
    answer = await client.images.generate(
        model="gpt-image-2",
        prompt=f"Picture {number // 2 % 10}, {manner}",
        quality="low",
        size="1024x1024",
        output_format="png",
        n=1,
    )
    assert answer.data is not None
    (folder / f"{number}.png").write_bytes(base64.b64decode(answer.data[0].b64_json or ""))


async def main(n_orders: int, concurrency: int, folder: Path) -> None:
    """Buy that many pictures and write them."""
    client = AsyncOpenAI(max_retries=0)
    places = asyncio.Semaphore(concurrency)

    async def buy(number: int) -> None:
        async with places:
            await buy_one(client, number, folder)

    await asyncio.gather(*(buy(number) for number in range(n_orders)))


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3])))
