"""The loop of the vendor's cookbook, for comparison: one client, one request after another, or in threads.

``peers.py`` runs it as ``python -m benchmarks.cookbook_loop ORDERS THREADS FOLDER``; with one thread it is
the plain loop.
"""

import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from openai import OpenAI

from benchmarks.bare_script import request_of, write_picture


def main(n_orders: int, n_threads: int, folder: Path) -> None:
    """Buy that many pictures and write them."""
    client = OpenAI(max_retries=0)

    def buy(number: int) -> None:
        write_picture(client.images.generate(**request_of(number)), number, folder)

    if n_threads == 1:
        for number in range(n_orders):
            buy(number)
        return
    with ThreadPoolExecutor(n_threads) as pool:
        list(pool.map(buy, range(n_orders)))


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3]))
