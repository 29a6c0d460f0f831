"""The time to resume a run, and the check that nothing is bought twice.

A run of 1,000 drafts is killed when about half of them are received (``kill -9``), resumed, and resumed again
when it is done. The provider's bill shows how many requests it received each time. Target: a finished run
makes no request and takes 2 s. Requests in flight at the kill are unknown: they stay charged and
are not sent again, so a killed run ends with fewer pictures than orders.

Writes its table into ``benchmarks/README.md``.

    python -m benchmarks.resume [--orders 1000]
"""

import argparse
import subprocess
import tempfile
import time
from pathlib import Path

from benchmarks.figures import write_figures
from benchmarks.workplace import (
    COMMAND,
    Provider,
    environ_of,
    open_prefect_server,
    open_provider,
    run_timed,
    write_campaign,
    write_home,
)

CONCURRENCY = 50
LATENCY_S = 0.5
UNKNOWN_CODE = 4
POLL_S = 0.2


def kill_half_way(campaign: Path, environ: dict[str, str], provider: Provider, n_orders: int) -> int:
    """Start a run and kill it when half of its orders were asked for; returns how many the bill holds."""
    with subprocess.Popen(
        [COMMAND, "run", campaign], env=environ, cwd=campaign.parent,
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    ) as process:  # fmt: skip
        while provider.n_orders < n_orders // 2 and process.poll() is None:
            time.sleep(POLL_S)
        process.kill()
    return provider.n_orders


def resume(name: str, environ: dict[str, str], provider: Provider, folder: Path) -> str:
    """Resume the latest run; returns a line of the table."""
    before = provider.n_orders
    run = run_timed(
        COMMAND, "run", "--resume", "latest", environ=environ, cwd=folder, accepted=(0, UNKNOWN_CODE)
    )
    bought = provider.n_orders - before
    return f"| {name} | {run.wall_s:.1f} s | {run.cpu_s:.1f} s | {bought} |"


def main() -> None:
    """Measure, print and write."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--orders", type=int, default=1000, help="a multiple of 20")
    n_orders = parser.parse_args().orders
    with tempfile.TemporaryDirectory() as name, open_provider(LATENCY_S) as provider:
        folder = Path(name)
        home, campaign = folder / "home", write_campaign(folder, n_orders)
        write_home(home, CONCURRENCY)
        environ = environ_of(home, provider)
        killed = kill_half_way(campaign, environ, provider, n_orders)
        lines = [
            f"`python -m benchmarks.resume`: {n_orders:,} orders, {LATENCY_S:g} s per answer; killed when "
            f"the provider had received {killed}. Once.",
            "",
            "| | wall | processor | requests |",
            "|---|---|---|---|",
            resume("half-done run, embedded server", environ, provider, folder),
            resume("finished run, embedded server", environ, provider, folder),
        ]
        with open_prefect_server(folder / "server") as prefect:
            environ = environ_of(home, provider, prefect)
            lines.append(resume("finished run, server running", environ, provider, folder))
        assert provider.n_orders <= n_orders
    print("\n".join(lines))
    write_figures("benchmarks.resume", "\n".join(lines))


if __name__ == "__main__":
    main()
