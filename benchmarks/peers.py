"""Runoff beside other programs that buy the same pictures from the same provider, in one run.

A bare asyncio script on the official SDK, the vendor's cookbook loop (in threads, and at the smallest size
one request after the other), promptfoo, the script as a flow of Prefect's, and ``runoff run`` with a Prefect
server running and without. All send the same requests to one emulator, as many at a time. Only Runoff
inspects and compares pictures, scores them and writes a report; promptfoo keeps answers and prices in a
database; the others write files. Writes its tables into ``benchmarks/README.md``.

promptfoo needs npm, Node.js and a registry of packages; without them it is left out, which the table says.

    python -m benchmarks.peers [--orders 100 1000] [--latency 0.2 2] [--rounds 1] [--promptfoo FOLDER]
"""

import argparse
import statistics
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.figures import write_figures
from benchmarks.promptfoo import find_promptfoo, promptfoo_environ, promptfoo_words
from benchmarks.workplace import (
    COMMAND,
    ROOT,
    Provider,
    Timed,
    environ_of,
    open_prefect_server,
    open_provider,
    run_timed,
    write_campaign,
    write_home,
)

CONCURRENCY_OF_FEW, FEW, CONCURRENCY = 16, 100, 50
FLOWS: dict[str, tuple[str, ...]] = {
    "script as a Prefect flow": (),
    "script with a Prefect task for each order": ("tasks",),
}
LONGEST_LOOP_S = 30.0
"""The plain loop is measured where it takes no longer."""


@dataclass(frozen=True)
class Case:
    """What is bought.

    Args:
        n_orders: How many pictures, a multiple of 20.
        latency_s: How long the provider takes for one, seconds.
    """

    n_orders: int
    latency_s: float

    @property
    def concurrency(self) -> int:
        """How many requests are in flight."""
        return CONCURRENCY_OF_FEW if self.n_orders <= FEW else CONCURRENCY

    @property
    def ideal_s(self) -> float:
        """The least that it can take."""
        return -(-self.n_orders // self.concurrency) * self.latency_s


@dataclass(frozen=True)
class Measured:
    """One program's run, and when the provider received its first request, seconds after its start."""

    program: str
    run: Timed
    first_request_s: float


def measure(case: Case, place: Path, promptfoo: Path | None) -> Iterator[Measured]:
    """Run every program once, one after the other, at one provider."""
    with open_provider(case.latency_s) as provider:
        campaign = write_campaign(place, case.n_orders)
        script = (sys.executable, "-m")
        loops = {"bare asyncio script": ("benchmarks.bare_script", case.concurrency),
                 "cookbook loop, in threads": ("benchmarks.cookbook_loop", case.concurrency)}  # fmt: skip
        if case.n_orders * case.latency_s <= LONGEST_LOOP_S:
            loops["cookbook loop"] = ("benchmarks.cookbook_loop", 1)
        for program, (module, concurrency) in loops.items():
            folder = new_folder(place, program)
            words = (*script, module, str(case.n_orders), str(concurrency), folder)
            yield run_at(provider, case, program, words, environ_of(folder, provider), ROOT)
        if promptfoo is not None:
            folder = new_folder(place, "promptfoo")
            asked = promptfoo_words(promptfoo, folder, provider.url, case.n_orders, case.concurrency)
            environ = promptfoo_environ(environ_of(folder, provider), folder)
            yield run_at(provider, case, "promptfoo", asked, environ, folder)
        yield from measure_beside_a_server(case, place, provider, campaign)
        home = new_home(place, "embedded", case)
        environ = environ_of(home, provider)
        yield run_at(provider, case, "runoff, embedded", (COMMAND, "run", campaign), environ, place)


def measure_beside_a_server(
    case: Case, place: Path, provider: Provider, campaign: Path
) -> Iterator[Measured]:
    """Run what uses a Prefect server that runs: the flows, and then Runoff."""
    with open_prefect_server(place / "server") as prefect:
        for program, more in FLOWS.items():
            folder = new_folder(place, program)
            module = (sys.executable, "-m", "benchmarks.flow_script")
            words: list[str | Path] = [*module, str(case.n_orders), str(case.concurrency), folder, *more]
            yield run_at(provider, case, program, words, environ_of(folder, provider, prefect), ROOT)
        home = new_home(place, "served", case)
        environ = environ_of(home, provider, prefect)
        yield run_at(provider, case, "runoff, server running", (COMMAND, "run", campaign), environ, place)


def run_at(
    provider: Provider,
    case: Case,
    program: str,
    words: Sequence[str | Path],
    environ: dict[str, str],
    folder: Path,
) -> Measured:
    """Run a program, and see that it sent every request once."""
    n_before = provider.n_orders
    run = run_timed(*words, environ=environ, cwd=folder)
    assert provider.n_orders - n_before == case.n_orders, f"{program} sent another number of requests"
    return Measured(program, run, provider.received_at[n_before] - run.began.timestamp())


def new_folder(place: Path, program: str) -> Path:
    """Make a folder for a program's files."""
    folder = place / program.replace(" ", "-").replace(",", "")
    folder.mkdir()
    return folder


def new_home(place: Path, name: str, case: Case) -> Path:
    """Make a home for Runoff."""
    home = place / name
    write_home(home, case.concurrency)
    return home


def table_of(case: Case, rounds: Sequence[Sequence[Measured]]) -> list[str]:
    """Write one case as a table of medians."""
    lines = [
        f"**{case.n_orders:,} orders, answered after {case.latency_s:g} s, {case.concurrency} in flight**; "
        f"ideal {case.ideal_s:.1f} s:",
        "",
        "| program | wall | × bare | first request | processor | peak memory |",
        "|---|---|---|---|---|---|",
    ]
    bare_s = statistics.median(one[0].run.wall_s for one in rounds)
    for same in zip(*rounds, strict=True):
        wall_s = statistics.median(one.run.wall_s for one in same)
        first_s = statistics.median(one.first_request_s for one in same)
        cpu_s = statistics.median(one.run.cpu_s for one in same)
        peak_mb = statistics.median(one.run.peak_mb for one in same)
        lines.append(
            f"| {same[0].program} | {wall_s:.1f} s | {wall_s / bare_s:.2f} | {first_s:.1f} s | {cpu_s:.1f} s"
            f" | {peak_mb:,.0f} MB |"
        )
    return [*lines, ""]


def main() -> None:
    """Measure, print and write."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--orders", type=int, nargs="+", default=[100, 1000], help="multiples of 20")
    parser.add_argument("--latency", type=float, nargs="+", default=[0.2, 2.0], help="seconds per answer")
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--promptfoo", type=Path, help="where it is, or is installed [default: nowhere]")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        promptfoo, said = find_promptfoo(asked.promptfoo or Path(name) / "npm")
        what = f"promptfoo {said}" if promptfoo else f"promptfoo is left out: {said}"
        print(what)
        times = "once" if asked.rounds == 1 else f"{asked.rounds} times, medians"
        lines = [f"Each {times}; {what}. Processor and memory of `runoff` with a server running are without "
                 "the server's.", ""]  # fmt: skip
        for case in (Case(n, latency_s) for n in asked.orders for latency_s in asked.latency):
            rounds = []
            for number in range(asked.rounds):
                place = Path(name) / f"{case.n_orders}-{case.latency_s}-{number}"
                place.mkdir()
                rounds.append(list(measure(case, place, promptfoo)))
            lines += table_of(case, rounds)
            print("\n".join(lines[-len(rounds[0]) - 5 :]), flush=True)
    write_figures("benchmarks.peers", "\n".join(lines))


if __name__ == "__main__":
    main()
