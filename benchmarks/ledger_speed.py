"""The number of orders per second that one ledger takes through their life cycle, and the bytes per order.

An order is planned with others, sent (its estimate reserved within three budgets), settled with its picture,
and, fifty pictures at a time, inspected, scored and deduplicated. Each process has fifty orders in flight, as
in a run, and no provider to wait for. Processes do this concurrently on one ledger and in one run, so that
they compete for the same budgets. SQLite is configured as in the product, PostgreSQL by its defaults: both
sync at every commit. The size of a picture's record is that of a photograph. ``--against`` measures the
Runoff of another checkout in turns with this one, and writes both into ``benchmarks/README.md``.

    python -m benchmarks.ledger_speed [--orders 600] [--processes 1 2 4] [--against CHECKOUT]
"""

import argparse
import asyncio
import json
import multiprocessing
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from statistics import median
from typing import NamedTuple

import skimage
import sqlalchemy as sa

from benchmarks.figures import write_figures
from tasks.candidate import Choice, Inspection, Receipt, Score, Standing
from tasks.inspect import inspect_picture
from tasks.ledger import Ledger, Limits, Settlement, open_ledger
from tasks.ledger.database import LEDGER_VARIABLE
from tasks.order import Order, Usage
from tasks.scorers.technical import technical_score
from tests.support.postgresql_server import PostgresqlServer, binaries, running

HERE = Path(__file__).parents[1]
HEAD = (
    "| ledger | processes | orders a second | CPU of an order, ms | kept of it, kB |",
    "|---|---|---|---|---|",
)
ROUNDS = 3
BATCH = 50
IN_FLIGHT = 50
START_LIMIT_S, TIME_LIMIT_S = 120.0, 600.0
PROMPT = "A lighthouse on a rocky coast at sunset, seen from the sea, watercolour on rough paper, no people"
PARAMETERS = {"model": "gpt-image-2.5-flare", "n": 1, "quality": "low", "size": "1024x1024"}
ESTIMATE_USD, COST_USD = Decimal("0.009"), Decimal("0.00546")
USAGE = Usage(text_input_tokens=24, image_input_tokens=0, output_tokens=272)
LIMITS = Limits(Decimal(100_000), Decimal(100_000), Decimal(100_000))
AS_IT_COMES = ("max_connections=100",)

Ended = tuple[float, float, float]
"""When a process began and finished its work, on the machine's one monotonic clock, and its CPU time; all in
seconds."""


def orders_of(process: int, n_orders: int) -> list[Order]:
    """List one process's orders."""
    return [
        Order(
            run_id="20261127-060000-0000", campaign="coast", stage="draft", arm="A",
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
        began, cpu_s = time.monotonic(), time.process_time()
        asyncio.run(live(ledger, orders, seen, score))
        ends.put((began, time.monotonic(), time.process_time() - cpu_s))


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


class Speed(NamedTuple):
    """What one measurement found.

    Args:
        orders_per_s: Orders a second, of all processes together.
        cpu_ms: CPU time for each order in the processes, milliseconds; PostgreSQL's own is not in it.
        bytes_kept: What an order adds to the ledger.
    """

    orders_per_s: float
    cpu_ms: float
    bytes_kept: float


def measure(home: Path, n_processes: int, n_orders: int) -> Speed:
    """Measure processes that begin together, until the last one is done."""
    empty, n_all = bytes_kept(home), n_processes * n_orders
    context = multiprocessing.get_context("fork")
    start, ends = context.Barrier(n_processes, timeout=START_LIMIT_S), context.Queue()
    workers = [
        context.Process(target=work, args=(home, orders_of(k, n_orders), start.wait, ends))
        for k in range(n_processes)
    ]
    for worker in workers:
        worker.start()
    ended: list[Ended] = [ends.get(timeout=TIME_LIMIT_S) for _ in workers]
    for worker in workers:
        worker.join()
    began, finished, cpu_s = zip(*ended, strict=True)
    rate = n_all / (max(finished) - min(began))
    return Speed(rate, 1000 * sum(cpu_s) / n_all, (bytes_kept(home) - empty) / n_all)


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


def measure_at(checkout: Path, server: PostgresqlServer | None, n_processes: int, n_orders: int) -> Speed:
    """Measure the Runoff of a checkout, in a process of its own."""
    with a_ledger(server) as home:
        words = [sys.executable, __file__, "--home", home, "--orders", n_orders, "--processes", n_processes]
        environ = os.environ | {"PYTHONPATH": str(checkout)}
        done = subprocess.run(
            [str(word) for word in words], cwd=checkout, env=environ, check=True, stdout=subprocess.PIPE
        )
    return Speed(*json.loads(done.stdout))


def rows(
    checkouts: Sequence[Path], server: PostgresqlServer | None, processes: Sequence[int], n_orders: int
) -> Iterator[str]:
    """Measure one database, all checkouts in turns, and write a row for each number of processes."""
    for n_processes in processes:
        found: list[list[Speed]] = [[] for _ in checkouts]
        for _ in range(ROUNDS):
            for speeds, checkout in zip(found, checkouts, strict=True):
                speeds.append(measure_at(checkout, server, n_processes, n_orders))
        rates = " / ".join(f"{median(one.orders_per_s for one in some):.0f}" for some in found)
        cpu = " / ".join(f"{median(one.cpu_ms for one in some):.1f}" for some in found)
        name = "SQLite" if server is None else "PostgreSQL"
        row = f"| {name} | {n_processes} | {rates} | {cpu} | {found[-1][-1].bytes_kept / 1000:.1f} |"
        print(row, flush=True)
        yield row


def main() -> None:
    """Measure, print, and write down what was measured against another checkout."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--orders", type=int, default=600, help="of each process")
    parser.add_argument("--processes", type=int, nargs="+", default=[1, 2, 4])
    parser.add_argument("--against", type=Path, help="another checkout, measured in turns")
    parser.add_argument("--home", type=Path, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.home is not None:
        print(json.dumps(measure(asked.home, asked.processes[0], asked.orders)))
        return
    checkouts = [path.resolve() for path in (asked.against, HERE) if path is not None]
    before = os.getloadavg()[0]
    lines = [*HEAD]
    print(*lines, sep="\n")
    lines += rows(checkouts, None, asked.processes, asked.orders)
    found = binaries()
    assert found is not None, "PostgreSQL is not installed here"
    with running(found, AS_IT_COMES) as server:
        lines += rows(checkouts, server, asked.processes, asked.orders)
    if asked.against is not None:
        said = (
            f"{os.cpu_count()} cores, Python {platform.python_version()}, load average {before:.1f} before "
            f"and {os.getloadavg()[0]:.1f} after; {asked.orders} orders a process, the median of {ROUNDS}. "
            f"Before / after:"
        )
        write_figures("benchmarks.ledger_speed", "\n".join([said, "", *lines]))


if __name__ == "__main__":
    main()
