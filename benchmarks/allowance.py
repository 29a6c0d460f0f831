"""The cost of sharing a provider's rate limit, in pictures a minute, through the ledger.

One buyer buys drafts from an emulator in another process, 50 in flight, alternately with its own window and
with one in the ledger, on SQLite and on PostgreSQL. The limit is never reached, so no time is spent waiting
for it.

    python -m benchmarks.allowance [--orders 300] [--latency 1.0] [--rounds 4]
"""

import argparse
import asyncio
import os
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

from benchmarks.workplace import MODEL, open_provider
from tasks.catalogue import load_catalogue
from tasks.catalogue.providers import Provider
from tasks.images_api.buyer import Buyer
from tasks.images_api.client import connect
from tasks.images_api.rate_limiter.limiter import LedgerWindow, MemoryWindow, RateLimiter
from tasks.images_api.terms import Terms
from tasks.ledger import Limits, open_ledger
from tasks.ledger.database import LEDGER_VARIABLE
from tests.support.builders import NOON, RUN_ID, an_order
from tests.support.postgresql_server import PostgresqlServer, binaries, running

CONCURRENCY = 50
PER_MINUTE = 1_000_000


def buy(url: str, n_orders: int, *, is_shared: bool) -> tuple[float, float]:
    """Buy drafts in a new ledger; returns wall and processor seconds."""
    provider = Provider(name="bench", base_url=url, images_per_minute=PER_MINUTE, concurrency=CONCURRENCY)
    terms = Terms(provider, load_catalogue(), {})
    parameters = {"model": MODEL, "n": 1, "quality": "low", "size": "1024x1024"}
    orders = [an_order(k, parameters=parameters, provider="bench") for k in range(n_orders)]
    with tempfile.TemporaryDirectory() as name, open_ledger(Path(name), os.environ) as ledger:
        ledger.runs.start(RUN_ID, campaign="otters", provider="bench", now=NOON)
        ledger.orders.plan(orders)

        async def run() -> None:
            window = LedgerWindow(ledger, "benchmark") if is_shared else MemoryWindow()
            async with connect(terms) as client:
                buyer = Buyer(
                    client=client, terms=terms, ledger=ledger, folder=Path(name), limits=Limits(),
                    rate_limiter=RateLimiter(PER_MINUTE, window),
                )  # fmt: skip
                await asyncio.gather(*(buyer.buy(order) for order in orders))

        began_s, cpu_s = time.monotonic(), time.process_time()
        asyncio.run(run())
        return time.monotonic() - began_s, time.process_time() - cpu_s


def compare(url: str, n_orders: int, n_rounds: int, server: PostgresqlServer | None) -> None:
    """Buy alternately with an own and with a shared window, and print the means and their ratio."""
    sums = {False: [0.0, 0.0], True: [0.0, 0.0]}
    for number in range(2 * n_rounds + 1):
        if server is not None:
            os.environ[LEDGER_VARIABLE] = server.new_database()
        is_shared = number % 4 in (1, 2)
        wall_s, cpu_s = buy(url, n_orders, is_shared=is_shared)
        if number:  # the first one only warms up
            sums[is_shared] = [sums[is_shared][0] + wall_s, sums[is_shared][1] + cpu_s]
    for is_shared, what in ((False, "own window"), (True, "shared window")):
        wall_s, cpu_s = (part / n_rounds for part in sums[is_shared])
        print(
            f"  {what:14} {n_orders / wall_s:6.1f} orders/s, processor {1000 * cpu_s / n_orders:4.1f} ms each"
        )
    wall, cpu = (shared / own for shared, own in zip(sums[True], sums[False], strict=True))
    print(f"  {'ratio':14} {wall:6.3f} x wall, {cpu:.3f} x processor")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--orders", type=int, default=300)
    parser.add_argument("--latency", type=float, default=1.0, help="seconds per answer")
    parser.add_argument("--rounds", type=int, default=4, help="an even number")
    asked = parser.parse_args()
    with ExitStack() as stack:
        url = stack.enter_context(open_provider(asked.latency)).url
        print("SQLite")
        compare(url, asked.orders, asked.rounds, None)
        if (folder := binaries()) is not None:
            print("PostgreSQL")
            compare(url, asked.orders, asked.rounds, stack.enter_context(running(folder)))


if __name__ == "__main__":
    main()
