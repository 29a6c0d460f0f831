"""The waiting time of a new user: ``demo``, ``plan``, ``--help``, and the first line on screen.

``runoff demo`` buys and inspects 24 drafts and some finals, all painted in the same process; painting takes
most of the time. Targets: ``demo`` below 60 s, its first line within 1 s, ``--help`` below 0.5 s.

    python -m benchmarks.demo [--rounds 3]
"""

import argparse
import statistics
import tempfile
from pathlib import Path

from benchmarks.workplace import COMMAND, ROOT, Timed, environ_of, run_timed

OTTER = ROOT / "configs/campaigns/otter.yaml"


def print_times(name: str, runs: list[Timed]) -> None:
    """Print medians of some runs of one command."""
    wall_s = statistics.median(run.wall_s for run in runs)
    first_s = statistics.median(run.first_line_s for run in runs)
    cpu_s = statistics.median(run.cpu_s for run in runs)
    print(f"{name:24} {wall_s:6.2f} s  first line after {first_s:5.2f} s  processor {cpu_s:5.2f} s")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=3)
    rounds = parser.parse_args().rounds
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        environ = environ_of(folder / "home")

        def times(*words: str | Path) -> list[Timed]:
            return [run_timed(COMMAND, *words, environ=environ, cwd=folder) for _ in range(rounds)]

        print(f"medians of {rounds}; the demo on a fresh home once")
        print_times("runoff --help", times("--help"))
        print_times("runoff plan", times("plan", OTTER))
        print_times("runoff demo, fresh home", [run_timed(COMMAND, "demo", environ=environ, cwd=folder)])
        print_times("runoff demo, used home", times("demo"))


if __name__ == "__main__":
    main()
