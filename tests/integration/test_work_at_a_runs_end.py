"""How often a run's pictures are read and written between its last answer and its end.

Counted, because seconds depend on the machine's load. Reading a thousand takes a tenth of a second.
"""

from collections.abc import Callable
from pathlib import Path

import pytest

from flows.evaluation.drafts import deduplicate_drafts, select_finalists
from flows.evaluation.scores import add_free_scores
from flows.run_report import write_run_report
from flows.runs.run import StoredRun
from tasks.settings import Settings
from tests.support.builders import RUN_ID
from tests.support.ledgers import count_statements, open_ledger
from tests.support.review_home import fill_run


def report(run: StoredRun) -> None:
    """Write the report, and tell the outcome."""
    write_run_report(run).outcome_of(run)


STEPS = [
    (add_free_scores, 1, 0, 2),
    (deduplicate_drafts, 1, 0, 1),
    (select_finalists, 1, 0, 1),
    (report, 1, 1, 0),
]


@pytest.mark.parametrize(("step", "n_of_pictures", "n_of_orders", "n_writing"), STEPS)
def test_a_step_reads_all_pictures_once_and_writes_them_together(
    tmp_path: Path, step: Callable[[StoredRun], object], n_of_pictures: int, n_of_orders: int, n_writing: int
) -> None:
    """The report reads all orders besides; the outcome is told from what it has read."""
    with open_ledger(tmp_path) as ledger:
        fill_run(tmp_path, ledger)
        run = StoredRun.find(Settings(tmp_path, {}), ledger, RUN_ID)
        counted = count_statements(ledger)
        step(run)
        n_read = {
            start: sum(n for text, n in counted.items() if text.startswith(f"SELECT {start}"))
            for start in ("candidates.candidate_id", "orders.order_id", "scores.candidate_id")
        }
    assert n_read == {
        "candidates.candidate_id": n_of_pictures,
        "orders.order_id": n_of_orders,
        "scores.candidate_id": n_of_pictures,
    }
    assert counted["BEGIN IMMEDIATE"] == n_writing
