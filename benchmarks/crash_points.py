"""Every crash point of every way to write: one process ended there, one while it resumes, then the end.

``python -m benchmarks.crash_points [WAY ...]`` counts the points that each command passes, ends a process at
each of them (by itself, by SIGKILL from outside, or with what was not synced undone), ends the next one while
it resumes, lets a third finish, and compares ledger, files and bill with those of an undisturbed run. Prints
a line for each way; about five seconds a point. All traffic stays on this machine.
"""

import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from tests.support.crash_trials import Crash, Trials, temporary_trials
from tests.support.crash_ways import WAYS, Way
from tests.support.prefect_server import prefect_server

HOWS = ("exit", "kill", "power")
STEP = 7
"""The second process ends at point 1, 8, 15 … of what it passes, by turns: coprime to the number of hows."""


@dataclass
class Figures:
    """What the trials of one way found.

    Args:
        way: Its name.
        n_points: How many points an undisturbed command passes.
        n_trials: How many of them a process was ended at.
        n_commands: How many processes ran.
        wrong: Every promise that was broken.
    """

    way: str
    n_points: int
    n_trials: int = 0
    n_commands: int = 0
    wrong: list[str] = field(default_factory=list)


def crashes(n_points: int) -> Iterator[Crash]:
    """Plan a trial for each point, with the ways to end by turns."""
    for number in range(n_points):
        second = 1 + (number * STEP) % n_points
        yield Crash((number + 1, second), HOWS[number % len(HOWS)])


def visit(trials: Trials, way: Way) -> Figures:
    """Visit every point of a way."""
    found = Figures(way.name, len(trials.points(way)))
    n_before = trials.n_commands
    for crash in crashes(found.n_points):
        found.wrong += trials.play(way, crash)
        found.n_trials += 1
    found.n_commands = trials.n_commands - n_before
    return found


def main() -> None:
    """Visit the points of some ways, or of all."""
    names = sys.argv[1:] or list(WAYS)
    n_wrong = 0
    print("| way | points | ended at | processes | wrong | took |\n|---|---|---|---|---|---|", flush=True)
    with (
        tempfile.TemporaryDirectory() as folder,
        prefect_server(Path(folder) / "prefect") as url,
        temporary_trials(url) as trials,
    ):
        for name in names:
            began_s = time.monotonic()
            found = visit(trials, WAYS[name])
            took = f"{time.monotonic() - began_s:.0f} s"
            row = (found.way, found.n_points, found.n_trials, found.n_commands, len(found.wrong), took)
            print("|", " | ".join(map(str, row)), "|", flush=True)
            n_wrong += len(found.wrong)
            print(*found.wrong, sep="\n", file=sys.stderr, flush=True)
    sys.exit(n_wrong > 0)


if __name__ == "__main__":
    main()
