"""The number of orders per second that one ledger takes through their life cycle, and the bytes per order.

An order is planned with others, sent (its estimate reserved within three budgets), settled with its picture,
and, fifty pictures at a time, inspected, scored and deduplicated. Processes do this concurrently on one
ledger, either all in one campaign, so that they compete for the same budgets, or each in its own, with only
the whole ledger's month shared. SQLite is configured as in the product, PostgreSQL by its defaults: both sync
at every commit. The size of a picture's record is that of a photograph.

    python -m benchmarks.ledger_speed [--orders 600] [--processes 1 2 4]
"""

import argparse
import asyncio
import multiprocessing
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import skimage
import sqlalchemy as sa

from tasks.candidate import Choice, Inspection, Receipt, Score, Standing
from tasks.inspect import inspect_picture
from tasks.ledger import Ledger, Limits, Settlement, open_ledger
from tasks.ledger.database import LEDGER_VARIABLE
from tasks.order import Order, Usage
from tasks.scorers.technical import technical_score
from tests.support.postgresql_server import PostgresqlServer, binaries, running

BATCH = 50
IN_FLIGHT = 50
START_LIMIT_S, TIME_LIMIT_S = 120.0, 600.0
PROMPT = "A lighthouse on a rocky coast at sunset, seen from the sea, watercolour on rough paper, no people"
PARAMETERS = {"model": "gpt-image-2.5-flare", "n": 1, "quality": "low", "size": "1024x1024"}
ESTIMATE_USD, COST_USD = Decimal("0.009"), Decimal("0.00546")
USAGE = Usage(text_input_tokens=24, image_input_tokens=0, output_tokens=272)
LIMITS = Limits(Decimal(100_000), Decimal(100_000), Decimal(100_000))
AS_IT_COMES = ("max_connections=100",)

Ended = tuple[float, float]
"""When a process began and finished its work, on the machine's one monotonic clock, seconds."""


def orders_of(process: int, n_orders: int, *, is_one_campaign: bool) -> list[Order]:
    """List one process's orders."""
    owner = 0 if is_one_campaign else process
    return [
        Order(
            run_id=f"20261127-060000-{owner:04d}", campaign=f"coast-{owner}", stage="draft", arm="A",
            row=process, replicate=number, attempt=0, prompt=PROMPT, provider="openai",
            endpoint="generations", parameters=PARAMETERS, estimate_usd=ESTIMATE_USD,
        )
        for number in range(n_orders)
    ]  # fmt: skip


async def live(ledger: Ledger, orders: list[Order], seen: Inspection, score: Score) -> None:
    """Take orders through their whole lives, as many at once as are in flight in a run."""
    waiting, received = iter(orders), list[str]()

    async def buy() -> None:
        for order in waiting:
            await move(ledger, "send", order, LIMITS, datetime.now(UTC))
            settlement = Settlement(
                "received", cost_usd=COST_USD, usage=USAGE, latency_s=7.5,
                vendor_request_id=f"req_{order.order_id:>032}",
            )  # fmt: skip
            receipt = _receipt(order)
            await move(ledger, "settle", order.order_id, settlement, [receipt])
            received.append(receipt.candidate_id)
            if len(received) >= BATCH:
                ids, received[:] = received[:], []
                await asyncio.to_thread(evaluate, ledger, ids, seen, score)

    await asyncio.gather(*(buy() for _ in range(IN_FLIGHT)))
    evaluate(ledger, received, seen, score)


async def move(ledger: Ledger, kind: str, *facts: object) -> None:
    """Move an order as the buyer does; that of an earlier version called a thread."""
    begin = getattr(ledger.orders, f"begin_{kind}", None)
    if begin is not None:
        await asyncio.wrap_future(begin(*facts))
    else:
        await asyncio.to_thread(getattr(ledger.orders, kind), *facts)


def evaluate(ledger: Ledger, ids: list[str], seen: Inspection, score: Score) -> None:
    """Write down what the steps find out about pictures."""
    ledger.candidates.record_inspections(dict.fromkeys(ids, seen))
    ledger.candidates.record_scores({one: {"technical": score} for one in ids}, dict.fromkeys(ids, 0.8))
    ledger.candidates.record_standings({one: Standing("survivor", cluster=one) for one in ids})
    ledger.candidates.record_choices({one: Choice(1, False, "below the finalists", "rule") for one in ids})


def _receipt(order: Order) -> Receipt:
    name = order.file_stem()
    return Receipt(
        order.order_id, 0, order.replicate, f"drafts/{name}.png", f"{order.order_id:>064}", 10**6, None
    )


def work(
    home: Path, orders: list[Order], wait_for_all: Callable[[], object], ends: "multiprocessing.Queue[Ended]"
) -> None:
    """Work as one process, from the moment when all are ready."""
    seen, score = look_at_a_photograph()
    with open_ledger(home, os.environ) as ledger:
        begin_run(ledger, orders[0])
        ledger.orders.plan(orders)
        wait_for_all()
        began = time.monotonic()
        asyncio.run(live(ledger, orders, seen, score))
        ends.put((began, time.monotonic()))


def begin_run(ledger: Ledger, order: Order) -> None:
    """Record the run that the orders belong to."""
    now = datetime.now(UTC)
    ledger.runs.start(order.run_id, campaign=order.campaign, provider=order.provider, now=now, warnings=())


def look_at_a_photograph() -> tuple[Inspection, Score]:
    """Inspect a real picture, so that its record has a real size."""
    with tempfile.TemporaryDirectory() as folder:
        data = (Path(skimage.__file__).parent / "data" / "coffee.png").read_bytes()
        (Path(folder) / "coffee.png").write_bytes(data)
        seen = inspect_picture(Path(folder), "coffee.png", "A-000-000.webp")
    return seen, technical_score(seen.measurements)


def orders_per_second(home: Path, n_processes: int, n_orders: int, *, is_one_campaign: bool) -> float:
    """Measure processes that begin together, until the last one is done."""
    open_ledger(home, os.environ).close()
    context = multiprocessing.get_context("fork")
    start, ends = context.Barrier(n_processes, timeout=START_LIMIT_S), context.Queue()
    workers = [
        context.Process(
            target=work,
            args=(home, orders_of(k, n_orders, is_one_campaign=is_one_campaign), start.wait, ends),
        )
        for k in range(n_processes)
    ]
    for worker in workers:
        worker.start()
    ended: list[Ended] = [ends.get(timeout=TIME_LIMIT_S) for _ in workers]
    for worker in workers:
        worker.join()
    return n_processes * n_orders / (max(end for _, end in ended) - min(begin for begin, _ in ended))


def bytes_kept(home: Path) -> int:
    """Measure the size of the ledger; SQLite's log is in its file once nobody has it open."""
    with open_ledger(home, os.environ) as ledger:
        if ledger.database.url.get_backend_name() == "postgresql":
            with ledger.database.read() as connection:
                return int(
                    connection.execute(sa.text("SELECT pg_database_size(current_database())")).scalar_one()
                )
    return (home / "ledger.db").stat().st_size


@contextmanager
def a_ledger(server: PostgresqlServer | None) -> Iterator[Path]:
    """Make a home with a new ledger: a file in it, or a database of the server."""
    with tempfile.TemporaryDirectory() as folder:
        if server is not None:
            os.environ[LEDGER_VARIABLE] = server.new_database()
        try:
            open_ledger(Path(folder), os.environ).close()
            yield Path(folder)
        finally:
            os.environ.pop(LEDGER_VARIABLE, None)


def measure(name: str, server: PostgresqlServer | None, processes: list[int], n_orders: int) -> None:
    """Print one database's figures."""
    for n_processes in processes:
        rates = []
        for is_one_campaign in (True, False):
            with a_ledger(server) as home:
                empty = bytes_kept(home)
                rates.append(orders_per_second(home, n_processes, n_orders, is_one_campaign=is_one_campaign))
                weight = (bytes_kept(home) - empty) / n_processes / n_orders
        print(
            f"| {name} | {n_processes} | {rates[0]:.0f} | {rates[1]:.0f} | {weight / 1000:.1f} kB |",
            flush=True,
        )


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--orders", type=int, default=600, help="of each process")
    parser.add_argument("--processes", type=int, nargs="+", default=[1, 2, 4])
    asked = parser.parse_args()
    print("| ledger | processes | orders/s, one campaign | each its own | kept of an order |")
    print("|---|---|---|---|---|")
    measure("SQLite", None, asked.processes, asked.orders)
    found = binaries()
    if found is None:
        print("PostgreSQL is not installed here.")
        return
    with running(found, AS_IT_COMES) as server:
        measure("PostgreSQL", server, asked.processes, asked.orders)


if __name__ == "__main__":
    main()
