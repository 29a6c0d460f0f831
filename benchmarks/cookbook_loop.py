"""The loop of the vendor's cookbook, for comparison: one client, one request after another, or in threads.

``peers.py`` runs it as ``python -m benchmarks.cookbook_loop ORDERS THREADS FOLDER``; with one thread it is
the plain loop.
"""

import base64
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from openai import OpenAI


def main(n_orders: int, n_threads: int, folder: Path) -> None:
    """Buy that many pictures and write them."""
    client = OpenAI(max_retries=0)

    def buy(number: int) -> None:
        manner = ("watercolour", "studio photograph")[number % 2]
        answer = client.images.generate(
            model="gpt-image-2",
            prompt=f"Picture {number // 2 % 10}, {manner}",
            quality="low",
            size="1024x1024",
            output_format="png",
            n=1,
        )
        assert answer.data is not None
        (folder / f"{number}.png").write_bytes(base64.b64decode(answer.data[0].b64_json or ""))

    if n_threads == 1:
        for number in range(n_orders):
            buy(number)
        return
    with ThreadPoolExecutor(n_threads) as pool:
        list(pool.map(buy, range(n_orders)))


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3]))
