"""The number of orders per second of one run in its own process, and over one and two Dask workers.

The same campaign of drafts, the installed command, an emulator in another process that answers after a fixed
time, and a running Prefect server. The concurrency applies to each process, so two workers should buy twice
as fast as one as long as there are enough cores. Orders per second are counted from the first order sent to
the last answer. With ``prefect-dask`` installed, the cost of a batch by Prefect's task runner and by direct
calls is measured too.

    python -m benchmarks.runners [--orders 300] [--latency 1.0] [--concurrency 10]
"""

import argparse
import asyncio
import importlib
import importlib.util
import os
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path
from typing import Any

from benchmarks.workplace import (
    COMMAND,
    environ_of,
    open_prefect_server,
    open_provider,
    run_timed,
    write_campaign,
    write_home,
)
from tasks.ledger import open_ledger
from tests.support.dask_setup import dask_setup

N_BATCHES = 20


def bought_per_s(home: Path) -> float:
    """Return how many orders a second the only run of a home bought."""
    with open_ledger(home, os.environ) as ledger:
        (run,) = ledger.runs.all()
        records = ledger.orders.of_run(run.run_id, "received")
    spans = [
        (record.sent_at, record.sent_at + timedelta(seconds=record.settlement.latency_s or 0))
        for record in records
        if record.sent_at is not None and record.settlement is not None
    ]
    took = max(ended for _, ended in spans) - min(began for began, _ in spans)
    return len(spans) / took.total_seconds()


RUNNERS: Mapping[str, tuple[str, ...]] = {
    "in its own process": (),
    "over one Dask worker": ("one",),
    "over two Dask workers": ("one", "two"),
}


def rates_by_runner(
    folder: Path, prefect: str, n_orders: int, latency_s: float, concurrency: int
) -> Iterator[tuple[str, float, float]]:
    """Run one campaign in one process, over one worker and over two.

    Yields:
        The runner, orders a second, and how long the whole run took, seconds.
    """
    with open_provider(latency_s) as provider:
        campaign = write_campaign(folder, n_orders)
        for runner, workers in RUNNERS.items():
            home = folder / f"home{len(workers)}"
            write_home(home, concurrency)
            environ = environ_of(home, provider, prefect)
            with ExitStack() as stack:
                if workers:
                    team = dask_setup(folder / f"dask{len(workers)}", environ, *workers)
                    environ = environ | {"RUNOFF_DASK": stack.enter_context(team).address}
                timed = run_timed(COMMAND, "run", campaign, environ=environ, cwd=home.parent)
            yield runner, bought_per_s(home), timed.wall_s


def compare(n_orders: int, latency_s: float, concurrency: int) -> None:
    """Print what each runner makes, and what a batch costs."""
    with tempfile.TemporaryDirectory() as name, open_prefect_server(Path(name) / "server") as prefect:
        folder, alone = Path(name), 0.0
        for runner, rate, wall_s in rates_by_runner(folder, prefect, n_orders, latency_s, concurrency):
            alone = alone or rate
            print(
                f"{runner:22} {rate:5.1f} orders/s  {rate / alone:.2f} x  whole run {wall_s:.1f} s",
                flush=True,
            )
        if importlib.util.find_spec("prefect_dask"):
            with dask_setup(folder / "batches", environ_of(folder, None, prefect), "one", "two") as team:
                os.environ["PREFECT_API_URL"] = prefect
                compare_runners(team.address)


def nothing(number: int) -> int:
    """Do a batch of nothing."""
    return number


def compare_runners(address: str) -> None:
    """Print what a batch of nothing costs by Prefect's runner for Dask and by direct calls."""
    from distributed import Client
    from prefect import flow, task
    from prefect.cache_policies import NO_CACHE

    runner = importlib.import_module("prefect_dask").DaskTaskRunner(address=address)
    as_task = task(cache_policy=NO_CACHE, persist_result=False)

    @flow(task_runner=runner)
    def by_runner() -> float:
        submitted: Any = as_task(nothing)
        submitted.submit(0).result()  # the first one loads what a worker needs
        began_s = time.monotonic()
        for future in [submitted.submit(k) for k in range(N_BATCHES)]:
            future.result()
        return time.monotonic() - began_s

    @flow
    async def directly() -> float:
        async with Client(address, asynchronous=True, set_as_default=False) as client:

            async def ask(number: int) -> int:
                answer: int = await client.submit(nothing, number, pure=False)
                return answer

            asked: Any = as_task(ask)
            await asked(0)
            began_s = time.monotonic()
            await asyncio.gather(*(asked(k) for k in range(N_BATCHES)))
            return time.monotonic() - began_s

    runner_s, direct_s = by_runner() / N_BATCHES, asyncio.run(directly()) / N_BATCHES
    print(
        f"a batch of nothing: {1000 * runner_s:.0f} ms by DaskTaskRunner, {1000 * direct_s:.0f} ms directly"
    )


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--orders", type=int, default=300, help="a multiple of 20")
    parser.add_argument("--latency", type=float, default=1.0, help="seconds per answer")
    parser.add_argument("--concurrency", type=int, default=10, help="of each process")
    asked = parser.parse_args()
    compare(asked.orders, asked.latency, asked.concurrency)


if __name__ == "__main__":
    main()
