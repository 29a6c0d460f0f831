"""The time until a Prefect server answers, for several ways to start it.

Medians of the wall time and of the CPU time that the server and its starter took together. Each round starts
every variant once, alternately, so that other load on the machine affects them equally. Writes its table into
``benchmarks/README.md``.

    python -m benchmarks.engine_start [rounds]
"""

import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.figures import write_figures

OURS = """
import sys
from pathlib import Path
from flows.engine import start_engine
with start_engine(Path(sys.argv[1]), str) as engine:
    import prefect
    engine.wait_ready()
"""
PREFECTS = """
import asyncio, sys
from prefect.client.orchestration import get_client
async def ask():
    async with get_client() as client:
        await client.hello()
asyncio.run(ask())
"""
SILENT = {
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "DO_NOT_TRACK": "1",
    "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "120",
}


def measure(program: str, home: Path) -> tuple[float, float]:
    """Run a program that ends when a server has answered; return its wall and processor seconds."""
    environment = {name: value for name, value in os.environ.items() if name != "PREFECT_API_URL"}
    began_s, before = time.perf_counter(), os.times()
    subprocess.run(
        [sys.executable, "-c", program, str(home)],
        env=environment | SILENT | {"PREFECT_HOME": str(home / "prefect")}, check=True,
    )  # fmt: skip
    wall_s, after = time.perf_counter() - began_s, os.times()
    cpu_s = after.children_user + after.children_system - before.children_user - before.children_system
    return wall_s, cpu_s


def main(rounds: int = 3) -> None:
    """Measure, print and write."""
    figures: dict[str, list[tuple[float, float]]] = {}
    for _ in range(rounds):
        for name, program in (("flows.engine", OURS), ("Prefect's own", PREFECTS)):
            with tempfile.TemporaryDirectory() as home:
                for state in ("fresh home", "used home"):
                    figures.setdefault(f"{name}, {state}", []).append(measure(program, Path(home)))
    lines = [
        f"`python -m benchmarks.engine_start`: from start to stop, median of {rounds}.",
        "",
        "| | wall | processor |",
        "|---|---|---|",
    ]
    for name, pairs in figures.items():
        wall_s, cpu_s = (statistics.median(column) for column in zip(*pairs, strict=True))
        lines.append(f"| {name} | {wall_s:.1f} s | {cpu_s:.1f} s |")
    print("\n".join(lines))
    write_figures("benchmarks.engine_start", "\n".join(lines))


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
