"""The peak memory of ``runoff run`` at 200 and at 2,000 pictures.

Pictures of 1024 x 1024 and 0.6 MB, as PNG. The peak is read from the kernel, separately for the run's process
and for its embedded Prefect server (``VmHWM``), so this is Linux only. Target: at most 500 MB for the
process, and at 2,000 pictures no more than at 200 plus the size of their records.

    python -m benchmarks.memory [--orders 200 2000]
"""

import argparse
import subprocess
import tempfile
import time
from pathlib import Path

from benchmarks.workplace import COMMAND, environ_of, open_provider, write_campaign, write_home

CONCURRENCY = 50
LATENCY_S = 1.0
POLL_S = 0.2
TARGET_MB = 500


def peak_mb(pid: int) -> float:
    """Read a process's peak of resident memory, MB; 0 once it is gone."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return 0.0
    return next((int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM")), 0.0)


def children(pid: int) -> list[int]:
    """List a process's children."""
    try:
        return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []


def measure(n_orders: int) -> tuple[float, float]:
    """Run a campaign; returns the peaks of its process and of its server, MB."""
    with tempfile.TemporaryDirectory() as name, open_provider(LATENCY_S, is_grainy=True) as provider:
        folder = Path(name)
        campaign = write_campaign(folder, n_orders)
        write_home(folder / "home", CONCURRENCY)
        peaks = {"run": 0.0, "server": 0.0}
        with subprocess.Popen(
            [COMMAND, "run", campaign], env=environ_of(folder / "home", provider), cwd=folder,
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        ) as process:  # fmt: skip
            while process.poll() is None:
                peaks["run"] = max(peaks["run"], peak_mb(process.pid))
                peaks["server"] = max([peaks["server"], *map(peak_mb, children(process.pid))])
                time.sleep(POLL_S)
        assert process.returncode == 0
        assert provider.n_orders == n_orders
    return peaks["run"], peaks["server"]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--orders", type=int, nargs="+", default=[200, 2000], help="multiples of 20")
    print(f"peak memory; target for the run's process: {TARGET_MB} MB")
    for n_orders in parser.parse_args().orders:
        run_mb, server_mb = measure(n_orders)
        print(f"{n_orders:6,} pictures: run {run_mb:4.0f} MB, embedded server {server_mb:4.0f} MB")


if __name__ == "__main__":
    main()
