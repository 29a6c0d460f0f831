"""A process ended at any point of writing, and resumed, ends like one that nobody disturbed.

Some points of every way here; all of them in ``benchmarks/crash_points.py``, and by ``make test-long``.
"""

from collections.abc import Callable, Iterator

import pytest

from benchmarks.crash_points import visit
from tests.support.crash_trials import Crash, Trials, temporary_trials
from tests.support.crash_ways import WAYS

CHOSEN = {"run": 3, "promote": 2}
"""How many points of a way are tried here; of the others one."""


@pytest.fixture(scope="module")
def trials(prefect_server: str) -> Iterator[Trials]:
    """A provider and a process that forks."""
    with temporary_trials(prefect_server) as opened:
        yield opened


@pytest.mark.slow  # every day: one kill, in test_a_killed_run_is_resumed_and_buys_nothing_twice
@pytest.mark.parametrize("name", WAYS)
def test_some_points_of_every_way_change_nothing(trials: Trials, name: str) -> None:
    """The first of two processes ends there, the second while it resumes, the third finishes."""
    n_points = len(trials.points(WAYS[name]))
    n_chosen = CHOSEN.get(name, 1)
    wrong = []
    for number in range(n_chosen):
        at = 1 + (2 * number + 1) * n_points // (2 * n_chosen)
        wrong += trials.play(WAYS[name], Crash((min(at, n_points), 2), ("kill", "power", "exit")[number % 3]))
    assert wrong == []


@pytest.mark.slow
def test_a_final_that_came_before_the_crash_is_accepted(trials: Trials) -> None:
    """Its picture and sidecar are on disk, the ledger does not know: the next promotion compares it."""
    way = WAYS["promote"]
    at = 1 + next(n for n, name in enumerate(trials.points(way)) if name.startswith("folder synced: finals/"))
    assert trials.play(way, Crash((at,), "kill")) == []


@pytest.mark.slow
def test_a_run_that_is_over_has_its_report(trials: Trials) -> None:
    """A promotion killed while it writes its report is finished by the next, with nothing left to buy."""
    way = WAYS["promote"]
    at = 1 + next(n for n, name in enumerate(trials.points(way)) if name.endswith("/report.csv"))
    assert trials.play(way, Crash((at,), "exit")) == []


@pytest.mark.long
@pytest.mark.timeout(4 * 3600)
@pytest.mark.parametrize("name", WAYS)
def test_every_point_of_every_way_changes_nothing(
    trials: Trials, name: str, record_property: Callable[[str, object], None]
) -> None:
    """All points in turn, twice in a row, by exit, SIGKILL and power cut."""
    found = visit(trials, WAYS[name])
    record_property("points", f"{found.n_trials} of {found.n_points}, {found.n_commands} processes")
    assert found.wrong == []
    assert found.n_trials == found.n_points > 0
