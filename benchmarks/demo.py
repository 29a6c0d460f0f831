"""The waiting time of a new user: ``demo``, ``plan``, ``--help``, and the first line on screen.

``runoff demo`` buys and inspects 24 drafts and some finals, all painted in the same process; painting takes
most of the time. Targets: ``demo`` below 60 s, its first line within 1 s, ``--help`` below 0.5 s. Writes
its table into ``benchmarks/README.md``.

    python -m benchmarks.demo [--rounds 3]
"""

import argparse
import statistics
import tempfile
from pathlib import Path

from benchmarks.figures import write_figures
from benchmarks.workplace import COMMAND, ROOT, Timed, environ_of, run_timed

OTTER = ROOT / "configs/campaigns/otter.yaml"


def line_of(name: str, runs: list[Timed]) -> str:
    """Write medians of some runs of one command as a line of the table."""
    wall_s = statistics.median(run.wall_s for run in runs)
    first_s = statistics.median(run.first_line_s for run in runs)
    cpu_s = statistics.median(run.cpu_s for run in runs)
    return f"| {name} | {wall_s:.2f} s | {first_s:.2f} s | {cpu_s:.2f} s |"


def main() -> None:
    """Measure, print and write."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=3)
    rounds = parser.parse_args().rounds
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        environ = environ_of(folder / "home")

        def times(*words: str | Path) -> list[Timed]:
            return [run_timed(COMMAND, *words, environ=environ, cwd=folder) for _ in range(rounds)]

        lines = [
            f"`python -m benchmarks.demo`: medians of {rounds}; the demo on a new home once.",
            "",
            "| | wall | first line | processor |",
            "|---|---|---|---|",
            line_of("`runoff --help`", times("--help")),
            line_of("`runoff plan`", times("plan", OTTER)),
            line_of("`runoff demo`, new home", [run_timed(COMMAND, "demo", environ=environ, cwd=folder)]),
            line_of("`runoff demo`, used home", times("demo")),
        ]
    print("\n".join(lines))
    write_figures("benchmarks.demo", "\n".join(lines))


if __name__ == "__main__":
    main()
