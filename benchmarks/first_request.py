"""The time from the start of ``runoff run`` to its first request, as the provider receives it.

Twenty drafts, with a Prefect server running and without, each on a new home and on one that has had a run.
Beside them what the same takes without Runoff: a script that loads the SDK and sends. Each round takes every
variant once. Targets: 2 s with a server running, 4 s without. Writes its table into ``benchmarks/README.md``.

    python -m benchmarks.first_request [--rounds 3]
"""

import argparse
import statistics
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from benchmarks.figures import write_figures
from benchmarks.workplace import (
    COMMAND,
    ROOT,
    Provider,
    environ_of,
    open_prefect_server,
    open_provider,
    run_timed,
    write_campaign,
    write_home,
)

N_ORDERS, LATENCY_S, CONCURRENCY = 20, 0.2, 16
TARGETS_S = {"Prefect server running": 2.0, "embedded server": 4.0}


def measure(place: Path, provider: Provider, prefect: str) -> Iterator[tuple[str, float]]:
    """Run every variant once; yields its name and the seconds until its first request."""
    campaign = write_campaign(place, N_ORDERS)
    script = (sys.executable, "-m", "benchmarks.bare_script", str(N_ORDERS), str(CONCURRENCY), place)
    yield "bare script", first_request_s(provider, script, environ_of(place, provider), ROOT)
    for name, address in zip(TARGETS_S, (prefect, None), strict=True):
        home = place / name.partition(" ")[0]
        write_home(home, CONCURRENCY)
        environ = environ_of(home, provider, address)
        for state in ("new home", "used home"):
            words = (COMMAND, "run", "--again", "--yes", campaign)
            yield f"`runoff run`, {name}, {state}", first_request_s(provider, words, environ, place)


def first_request_s(
    provider: Provider, words: tuple[str | Path, ...], environ: dict[str, str], folder: Path
) -> float:
    """Run a command to its end; returns the seconds until the provider received its first request."""
    n_before = provider.n_orders
    run = run_timed(*words, environ=environ, cwd=folder)
    return provider.received_at[n_before] - run.began.timestamp()


def main() -> None:
    """Measure, print and write."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=3)
    rounds = parser.parse_args().rounds
    found: dict[str, list[float]] = {}
    with (
        tempfile.TemporaryDirectory() as name,
        open_provider(LATENCY_S) as provider,
        open_prefect_server(Path(name) / "server") as prefect,
    ):
        for number in range(rounds):
            place = Path(name) / str(number)
            place.mkdir()
            for variant, seconds in measure(place, provider, prefect):
                found.setdefault(variant, []).append(seconds)
    lines = [
        f"`python -m benchmarks.first_request`: seconds from the start of the process, median of {rounds}.",
        "",
        "| | first request | quickest | target |",
        "|---|---|---|---|",
    ]
    for variant, times_s in found.items():
        target_s = next((most for name, most in TARGETS_S.items() if name in variant), None)
        target = "" if target_s is None else f"{target_s:g} s"
        lines.append(f"| {variant} | {statistics.median(times_s):.2f} s | {min(times_s):.2f} s | {target} |")
    print("\n".join(lines))
    write_figures("benchmarks.first_request", "\n".join(lines))


if __name__ == "__main__":
    main()
