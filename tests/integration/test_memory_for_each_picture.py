"""How many bytes each further picture of a run takes while a step works on all of them.

Counted by `tracemalloc` at the most that a step has at once, and between two sizes of a run: what loading and
drawing take anyway cancels out.
"""

import tracemalloc
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from flows.run_report import gather_report
from flows.runs.run import StoredRun
from tasks.candidate import Inspection
from tasks.settings import Settings
from tests.support.builders import RUN_ID
from tests.support.ledgers import open_ledger
from tests.support.review_home import fill_run

FEW, MANY = 30, 130
"""Pictures of an arm and row; there are four of these."""


def most_bytes(step: Callable[[StoredRun], object], home: Path, per_cell: int) -> int:
    """Write a run whose pictures have as many measurements as inspected ones, and do the step."""
    home.mkdir()
    with open_ledger(home) as ledger:
        found = {
            one.candidate_id: replace(
                one.inspection or Inspection(), measurements={f"figure_{k}": (k + n) / 7 for k in range(54)}
            )
            for n, one in enumerate(fill_run(home, ledger, per_cell=per_cell))
        }
        ledger.candidates.record_inspections(found)
        run = StoredRun.find(Settings(home, {}), ledger, RUN_ID)
        tracemalloc.start()
        try:
            step(run)
            _, most = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
    return most


@pytest.mark.parametrize(("step", "limit"), [(StoredRun.read_candidates, 3_500), (gather_report, 6_500)])
def test_a_further_picture_takes_few_kilobytes(
    tmp_path: Path, step: Callable[[StoredRun], object], limit: int
) -> None:
    """As plain dicts it was 8 kB to read one, and 12 kB to report it: 120 MB of 10,000."""
    most_bytes(step, tmp_path / "first", FEW)  # what is loaded once is loaded now
    few, many = most_bytes(step, tmp_path / "few", FEW), most_bytes(step, tmp_path / "many", MANY)
    assert (many - few) / (4 * (MANY - FEW)) < limit
