"""The peak memory of ``runoff run`` as runs grow, and of ``runoff report`` and ``runoff rescore`` afterwards.

Pictures of 1024 x 1024 and 10 kB, as PNG, with 50 requests in flight and a Prefect server running elsewhere.
The peak is read from the kernel (``VmHWM``), so this is Linux only. Writes its table into
``benchmarks/README.md``, anew after each size.

    python -m benchmarks.memory [--orders 100 1000 10000]
"""

import argparse
import resource
import subprocess
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from benchmarks.figures import write_figures
from benchmarks.workplace import (
    COMMAND,
    environ_of,
    open_prefect_server,
    open_provider,
    processes_of,
    write_campaign,
    write_home,
)

CONCURRENCY = 50
LATENCY_S = 0.2
POLL_S = 0.02
FOR_ORDERS = 10_000
TARGETS_MB = {"run": 400, "report": 250}
"""There is none for rescoring."""


class Used(NamedTuple):
    """What a command took: the peaks of its own process and of its child, MB, and processor time, seconds."""

    peak_mb: float
    child_mb: float
    cpu_s: float

    def __str__(self) -> str:
        child = f" + {self.child_mb:.0f}" if self.child_mb else ""
        return f"{self.peak_mb:.0f}{child} MB, {self.cpu_s:.0f} s"


def peak_mb(pid: int) -> float:
    """Read a process's peak of resident memory, MB; 0 once it is gone."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return 0.0
    return next((int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM")), 0.0)


def used_by(*words: str | Path, environ: Mapping[str, str], cwd: Path) -> Used:
    """Run the command, and look at it until it ends."""
    before, most, most_of_child = resource.getrusage(resource.RUSAGE_CHILDREN), 0.0, 0.0
    with subprocess.Popen(
        [COMMAND, *words], env=dict(environ), cwd=cwd,
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    ) as process:  # fmt: skip
        while process.poll() is None:
            own, *others = processes_of(process.pid)
            most = max(most, peak_mb(own))
            most_of_child = max([most_of_child, *map(peak_mb, others)])
            time.sleep(POLL_S)
    assert process.returncode == 0
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return Used(most, most_of_child, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)


def measure(n_orders: int) -> dict[str, Used]:
    """Run a campaign, write its report again, and rescore it."""
    with (
        tempfile.TemporaryDirectory() as name,
        open_provider(LATENCY_S) as provider,
        open_prefect_server(Path(name) / "server") as prefect,
    ):
        folder = Path(name)
        campaign = write_campaign(folder, n_orders)
        write_home(folder / "home", CONCURRENCY)
        environ = environ_of(folder / "home", provider, prefect)
        used = {"run": used_by("run", campaign, environ=environ, cwd=folder)}
        assert provider.n_orders == n_orders
        (folder / "home/providers.yaml").unlink()
        run_id = next((folder / "home/benchmark").iterdir()).name
        for command in ("report", "rescore"):
            used[command] = used_by(command, run_id, environ=environ, cwd=folder)
    return used


def verdict_on(n_orders: int, used: Mapping[str, Used]) -> str:
    """Say whether the targets are met, of a run that is large enough."""
    if n_orders < FOR_ORDERS:
        return f"The targets are for {FOR_ORDERS:,} pictures, which were not measured this time."
    said = []
    for command, most_mb in TARGETS_MB.items():
        took = used[command]
        is_met = max(took.peak_mb, took.child_mb) <= most_mb
        where = f" in each process, {took.peak_mb + took.child_mb:.0f} MB together" if took.child_mb else ""
        said.append(f"`runoff {command}` within {most_mb} MB{where}: {'**met**' if is_met else '**missed**'}")
    return f"Targets with {n_orders:,} pictures: {'; '.join(said)}."


def main() -> None:
    """Measure, print and write."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--orders", type=int, nargs="+", default=[100, 1_000, 10_000], help="multiples of 20")
    said = (
        f"Pictures of 10 kB, {CONCURRENCY} in flight, a Prefect server running elsewhere. The most resident "
        "memory of each command's own process and, after a plus sign, of the one beside it that evaluates;"
        " and their processor time. Once."
    )
    lines = ["| pictures | `runoff run` | `runoff report` | `runoff rescore` |", "|---|---|---|---|"]
    for n_orders in parser.parse_args().orders:
        used = measure(n_orders)
        cells = map(str, used.values())
        lines.append(f"| {n_orders:,} | {' | '.join(cells)} |")
        print(lines[-1], flush=True)
        table = "\n".join(lines)
        write_figures("benchmarks.memory", f"{said}\n\n{table}\n\n{verdict_on(n_orders, used)}")


if __name__ == "__main__":
    main()
