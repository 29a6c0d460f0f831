"""The measurements for docs/scale.md, written to benchmarks/scale.yaml; takes about ten minutes.

Each figure comes from one benchmark: ``ledger_speed``, ``bytes_kept`` (whose two runs also give the CPU
seconds per additional order), ``runners`` and ``inspect_throughput``. The machine should be idle; the load
before and after is recorded with the figures.

    python -m benchmarks.scale
    python -m docs.generate
"""

import os
import platform
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import yaml

from benchmarks.bytes_kept import measure_pictures
from benchmarks.inspect_throughput import pictures_per_cpu_s
from benchmarks.ledger_speed import AS_IT_COMES, a_ledger, bytes_kept, orders_per_second
from benchmarks.runners import rates_by_runner
from benchmarks.workplace import open_prefect_server
from tests.support.postgresql_server import PostgresqlServer, binaries, running

FIGURES = Path(__file__).with_name("scale.yaml")
PROCESSES = (1, 2, 4)
ORDERS_OF_A_PROCESS = 600
PICTURES_OF_RUNS = (400, 1200)
RUNNERS_ORDERS_LATENCY_CONCURRENCY = (600, 1.0, 50)
HEAD = "# Written by `python -m benchmarks.scale`; docs/scale.md is reckoned from it.\n"


def ledger_figures(server: PostgresqlServer | None) -> dict[str, Any]:
    """Measure one database: orders a second by number of processes, and bytes kept of an order."""
    rates = {}
    for n_processes in PROCESSES:
        with a_ledger(server) as home:
            empty = bytes_kept(home)
            rate = orders_per_second(home, n_processes, ORDERS_OF_A_PROCESS, is_one_campaign=True)
            weight = (bytes_kept(home) - empty) / n_processes / ORDERS_OF_A_PROCESS
        rates[n_processes] = round(rate)
    return {"orders_per_s": rates, "bytes_per_order": round(weight)}


def main() -> None:
    """Measure everything and write it down."""
    found = binaries()
    assert found is not None, "PostgreSQL is not installed here"
    before = os.getloadavg()[0]
    with running(found, AS_IT_COMES) as server:
        ledger = {"sqlite": ledger_figures(None), "postgresql": ledger_figures(server)}
    kept, cpu_s = measure_pictures(*PICTURES_OF_RUNS)
    with tempfile.TemporaryDirectory() as folder:
        inspected = pictures_per_cpu_s(Path(folder))
    with tempfile.TemporaryDirectory() as name, open_prefect_server(Path(name) / "server") as prefect:
        runners = list(rates_by_runner(Path(name), prefect, *RUNNERS_ORDERS_LATENCY_CONCURRENCY))
    figures = {
        "measured_on": datetime.now(UTC).date(),
        "machine": f"{os.cpu_count()} cores, Python {platform.python_version()}",
        "load_before_and_after": [round(before, 1), round(os.getloadavg()[0], 1)],
        "ledger": ledger,
        "run": {"cpu_s_per_order": round(cpu_s, 4)},
        "runner_orders_per_s": {runner: round(rate, 1) for runner, rate, _ in runners},
        "inspected_per_cpu_s": round(inspected, 1),
        "bytes_per_picture": {kind: round(weight) for kind, weight in kept.items()},
    }
    FIGURES.write_text(HEAD + yaml.safe_dump(figures, sort_keys=False), encoding="utf-8")
    print(FIGURES.read_text())


if __name__ == "__main__":
    main()
