"""The overhead of a whole run over the API calls alone: 1,000 drafts, compared with a bare script.

``runoff run`` (the installed command, a new process) plans, keeps the ledger, inspects every picture, scores,
deduplicates, selects and reports; ``bare_script.py`` only calls the SDK and writes files. Both talk over HTTP
to the same emulator in a third process, which answers after a fixed time, with 50 requests in flight. Target:
at most 1.10 times the bare script. The phases are read from Prefect's own record of the task runs.

    python -m benchmarks.whole_run [--orders 1000] [--latency 2.0] [--rounds 1] [--grainy]
"""

import argparse
import sys
import tempfile
from datetime import datetime
from pathlib import Path

from benchmarks.bare_script import CONCURRENCY
from benchmarks.workplace import (
    COMMAND,
    ROOT,
    Provider,
    Timed,
    environ_of,
    open_prefect_server,
    open_provider,
    run_timed,
    task_times,
    write_campaign,
    write_home,
)

STAGES = ("generate", "inspect", "score", "deduplicate", "select", "report")
TARGET = 1.10


def run_bare(provider: Provider, n_orders: int, folder: Path) -> Timed:
    """Time the bare script."""
    folder.mkdir()
    words = (sys.executable, "-m", "benchmarks.bare_script", str(n_orders), folder)
    timed = run_timed(*words, environ=environ_of(folder, provider), cwd=ROOT)
    assert len(list(folder.iterdir())) == n_orders
    return timed


def run_runoff(provider: Provider, campaign: Path, home: Path, prefect: str | None) -> Timed:
    """Time the whole command."""
    write_home(home, CONCURRENCY)
    environ = environ_of(home, provider, prefect)
    return run_timed(COMMAND, "run", campaign, environ=environ, cwd=home.parent)


def print_phases(run: Timed, times: list[tuple[str, datetime, datetime]]) -> None:
    """Print where the wall time went: each phase from the end of the one before it."""
    ends = {stage: max((end for name, _, end in times if name == stage), default=None) for stage in STAGES}
    first = min((began for name, began, _ in times if name == "generate"), default=run.began)
    phases = {"start": first, **ends, "leave": run.ended}
    parts, before = [], run.began
    for phase, end in phases.items():
        if end is not None:
            parts.append(f"{phase} {(end - before).total_seconds():.1f}")
            before = max(before, end)
    print(f"    {' · '.join(parts)} s; processor {run.cpu_s:.0f} s")


def compare(n_orders: int, latency_s: float, *, is_grainy: bool) -> None:
    """Run all three once, and print."""
    with tempfile.TemporaryDirectory() as name, open_provider(latency_s, is_grainy=is_grainy) as provider:
        folder = Path(name)
        campaign = write_campaign(folder, n_orders)
        bare = run_bare(provider, n_orders, folder / "bare")
        print(f"{'bare script':24} {bare.wall_s:6.1f} s          processor {bare.cpu_s:.0f} s")
        with open_prefect_server(folder / "server") as prefect:
            served = run_runoff(provider, campaign, folder / "first", prefect)
            times = task_times(folder / "server/.prefect", served.began)
        print(f"{'runoff, server running':24} {served.wall_s:6.1f} s  {served.wall_s / bare.wall_s:.3f} x")
        print_phases(served, times)
        alone = run_runoff(provider, campaign, folder / "second", None)
        print(f"{'runoff, embedded':24} {alone.wall_s:6.1f} s  {alone.wall_s / bare.wall_s:.3f} x")
        print_phases(alone, task_times(folder / "second/.prefect", alone.began))
        assert provider.n_orders == 3 * n_orders


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--orders", type=int, default=1000, help="a multiple of 20")
    parser.add_argument("--latency", type=float, default=2.0, help="seconds per answer")
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--grainy", action="store_true", help="pictures of 0.6 MB in place of 10 kB")
    asked = parser.parse_args()
    ideal_s = asked.orders / CONCURRENCY * asked.latency
    weight = "0.6 MB" if asked.grainy else "10 kB"
    print(
        f"{asked.orders:,} orders of 1024 x 1024 ({weight}), {CONCURRENCY} under way, answered after "
        f"{asked.latency:g} s: ideal {ideal_s:.0f} s; target {TARGET:.2f} x"
    )
    for _ in range(asked.rounds):
        compare(asked.orders, asked.latency, is_grainy=asked.grainy)


if __name__ == "__main__":
    main()
