"""The measurements for docs/scale.md, written to benchmarks/scale.yaml; takes about ten minutes.

Each figure comes from one benchmark: ``ledger_speed``, ``bytes_kept`` (whose two runs also give the CPU
seconds per additional order), ``runners`` and ``inspect_throughput``. The machine should be idle; the load
before and after is recorded with the figures. ``--ledger`` measures the ledgers alone, and leaves the other
figures as they were.

    python -m benchmarks.scale [--ledger]
    python -m docs.generate
"""

import argparse
import os
import platform
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import yaml

from benchmarks.bytes_kept import measure_pictures
from benchmarks.inspect_throughput import pictures_per_cpu_s
from benchmarks.ledger_speed import AS_IT_COMES, a_ledger, measure
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
            speed = measure(home, n_processes, ORDERS_OF_A_PROCESS)
        rates[n_processes] = round(speed.orders_per_s)
    return {"orders_per_s": rates, "bytes_per_order": round(speed.bytes_kept)}


def measured(since: float) -> dict[str, Any]:
    """Say when figures were measured and how busy the machine was.

    Args:
        since: The load average when measuring began.
    """
    return {
        "measured_on": datetime.now(UTC).date(),
        "machine": f"{os.cpu_count()} cores, Python {platform.python_version()}",
        "load_before_and_after": [round(since, 1), round(os.getloadavg()[0], 1)],
    }


def measure_ledgers() -> dict[str, Any]:
    """Measure both databases."""
    found = binaries()
    assert found is not None, "PostgreSQL is not installed here"
    before = os.getloadavg()[0]
    with running(found, AS_IT_COMES) as server:
        figures = {"sqlite": ledger_figures(None), "postgresql": ledger_figures(server)}
    return {**measured(before), **figures}


def measure_runs() -> dict[str, Any]:
    """Measure runs, inspection and storage."""
    before = os.getloadavg()[0]
    kept, cpu_s = measure_pictures(*PICTURES_OF_RUNS)
    with tempfile.TemporaryDirectory() as folder:
        inspected = pictures_per_cpu_s(Path(folder))
    with tempfile.TemporaryDirectory() as name, open_prefect_server(Path(name) / "server") as prefect:
        runners = list(rates_by_runner(Path(name), prefect, *RUNNERS_ORDERS_LATENCY_CONCURRENCY))
    return {
        **measured(before),
        "run": {"cpu_s_per_order": round(cpu_s, 4)},
        "runner_orders_per_s": {runner: round(rate, 1) for runner, rate, _ in runners},
        "inspected_per_cpu_s": round(inspected, 1),
        "bytes_per_picture": {kind: round(weight) for kind, weight in kept.items()},
    }


def main() -> None:
    """Measure and write it down."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--ledger", action="store_true", help="only the ledgers")
    is_ledger_only = parser.parse_args().ledger
    figures = yaml.safe_load(FIGURES.read_text(encoding="utf-8"))
    figures["ledger"] = measure_ledgers()
    if not is_ledger_only:
        figures |= measure_runs()
    FIGURES.write_text(HEAD + yaml.safe_dump(figures, sort_keys=False), encoding="utf-8")
    print(FIGURES.read_text())


if __name__ == "__main__":
    main()
