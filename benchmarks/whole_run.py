"""The overhead of a whole run over the API calls alone: 1,000 drafts, compared with a bare script.

``runoff run`` (the installed command, a new process) plans, keeps the ledger, inspects every picture, scores,
deduplicates, selects and reports; ``bare_script.py`` only calls the SDK and writes files. Both talk over HTTP
to the same emulator in a third process, which answers after a fixed time, with 50 requests in flight. Where
the time goes is read from what the emulator received and from Prefect's own record of the task runs. Writes
its table into ``benchmarks/README.md``.

    python -m benchmarks.whole_run [--orders 1000] [--latency 2.0] [--grainy]
"""

import argparse
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.figures import write_figures
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

CONCURRENCY = 50
STAGES = {
    "generate": "buying",
    "inspect": "inspecting the rest",
    "score": "scores",
    "deduplicate": "duplicates",
    "select": "selection",
    "report": "report",
}


def run_bare(provider: Provider, n_orders: int, folder: Path) -> Timed:
    """Time the bare script."""
    folder.mkdir()
    words = (sys.executable, "-m", "benchmarks.bare_script", str(n_orders), str(CONCURRENCY), folder)
    timed = run_timed(*words, environ=environ_of(folder, provider), cwd=ROOT)
    assert len(list(folder.iterdir())) == n_orders
    return timed


def run_runoff(provider: Provider, campaign: Path, home: Path, prefect: str | None) -> Timed:
    """Time the whole command."""
    write_home(home, CONCURRENCY)
    environ = environ_of(home, provider, prefect)
    return run_timed(COMMAND, "run", campaign, environ=environ, cwd=home.parent)


def phases_of(run: Timed, first: datetime, times: list[tuple[str, datetime, datetime]]) -> dict[str, float]:
    """Split a run's wall time, seconds: each part from the end of the one before it."""
    ends = {said: max((end for name, _, end in times if name == stage), default=None)
            for stage, said in STAGES.items()}  # fmt: skip
    parts, before = {}, run.began
    for part, end in {"to the first request": first, **ends, "leaving": run.ended}.items():
        if end is not None:
            parts[part] = max((end - before).total_seconds(), 0.0)
            before = max(before, end)
    return parts


def compare(n_orders: int, latency_s: float, *, is_grainy: bool) -> str:
    """Run all three once, and write a table."""
    with tempfile.TemporaryDirectory() as name, open_provider(latency_s, is_grainy=is_grainy) as provider:
        folder = Path(name)
        campaign = write_campaign(folder, n_orders)
        bare = run_bare(provider, n_orders, folder / "bare")
        with open_prefect_server(folder / "server") as prefect:
            served = run_runoff(provider, campaign, folder / "first", prefect)
            of_served = task_times(folder / "server/.prefect", served.began)
        alone = run_runoff(provider, campaign, folder / "second", None)
        of_alone = task_times(folder / "second/.prefect", alone.began)
        firsts = [datetime.fromtimestamp(provider.received_at[n * n_orders], UTC) for n in (1, 2)]
        assert provider.n_orders == 3 * n_orders
    phases = [phases_of(served, firsts[0], of_served), phases_of(alone, firsts[1], of_alone)]
    rows = [["wall", *(f"{one.wall_s:.1f} s" for one in (bare, served, alone))],
            ["× bare", *(f"{one.wall_s / bare.wall_s:.2f}" for one in (bare, served, alone))],
            ["processor", *(f"{one.cpu_s:.1f} s" for one in (bare, served, alone))],
            ["peak memory", *(f"{one.peak_mb:.0f} MB" for one in (bare, served, alone))],
            *([part, "", *(f"{one[part]:.1f} s" for one in phases)] for part in phases[0])]  # fmt: skip
    head = ["| | bare script | `runoff run`, server running | embedded server |", "|---|---|---|---|"]
    return "\n".join([*head, *(f"| {' | '.join(row)} |" for row in rows)])


def main() -> None:
    """Measure, print and write."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--orders", type=int, default=1000, help="a multiple of 20")
    parser.add_argument("--latency", type=float, default=2.0, help="seconds per answer")
    parser.add_argument("--grainy", action="store_true", help="pictures of 0.6 MB in place of 10 kB")
    asked = parser.parse_args()
    ideal_s = asked.orders / CONCURRENCY * asked.latency
    weight = "0.6 MB" if asked.grainy else "10 kB"
    said = (
        f"{asked.orders:,} orders of 1024 x 1024 ({weight}), {CONCURRENCY} in flight, answered after "
        f"{asked.latency:g} s: ideal {ideal_s:.0f} s. Once. The processor time of the running server is not "
        "counted."
    )
    table = compare(asked.orders, asked.latency, is_grainy=asked.grainy)
    print(f"{said}\n\n{table}")
    write_figures("benchmarks.whole_run", f"{said}\n\n{table}")


if __name__ == "__main__":
    main()
