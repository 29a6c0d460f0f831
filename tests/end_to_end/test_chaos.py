"""A campaign killed again and again: nothing is bought twice, nothing is lost, the report is the same.

The long one, with 500 orders and 25 kills, is ``benchmarks/chaos.py``.
"""

from pathlib import Path

import pytest

from benchmarks.chaos import play


def hold(folder: Path, prefect_server: str, *, seed: int, n_drafts: int, n_kills: int) -> None:
    """Play and expect every promise to be kept."""
    found = play(folder, prefect_server, seed=seed, n_drafts=n_drafts, n_kills=n_kills)
    assert found.wrong == []
    assert found.n_orders > n_drafts
    assert found.n_faults > 0
    assert 0 < found.n_in_flight <= 8 * n_kills
    assert found.n_samples > 100


@pytest.mark.long  # every day: one kill, in test_a_killed_run_is_resumed_and_buys_nothing_twice
def test_a_run_killed_and_resumed_ends_like_one_that_nobody_disturbed(
    tmp_path: Path, prefect_server: str
) -> None:
    """Faults, two kills, two homes: one bill, one ledger, the same report."""
    hold(tmp_path, prefect_server, seed=7, n_drafts=40, n_kills=2)


@pytest.mark.long
@pytest.mark.timeout(1800)
def test_twenty_five_kills_change_nothing(tmp_path: Path, prefect_server: str) -> None:
    """The long one: 500 drafts."""
    hold(tmp_path, prefect_server, seed=2, n_drafts=500, n_kills=25)
