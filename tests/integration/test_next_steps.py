"""What is said to come next: of a run that has ended, and of the runs in a list."""

from dataclasses import replace
from decimal import Decimal
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from flows.commands.tables import next_steps, runs_table, where_to_look
from flows.runs.outcome import Outcome, list_runs
from tasks.ledger import Limits, Settlement
from tasks.settings import Settings
from tasks.storage.home import run_folder, run_lock
from tests.support.builders import NOON, RUN_ID, an_order
from tests.support.ledgers import open_ledger

UNKNOWN = "Requests that may have been billed, and what to do about them: runoff ledger unknown"


def listed(home: Path) -> Outcome:
    """List the only run."""
    with open_ledger(home) as ledger:
        (run,) = list_runs(Settings.of(home, {}), ledger)
    assert isinstance(run, Outcome)
    return run


@pytest.fixture
def begun(tmp_path: Path) -> Path:
    """A home with a run that has begun, and has an order of which nothing was heard."""
    with open_ledger(tmp_path) as ledger:
        ledger.runs.start(RUN_ID, campaign="otters", provider="emulator", now=NOON)
        order = an_order()
        ledger.orders.plan([order])
        ledger.orders.send(order, Limits(), NOON)
        ledger.orders.settle(order.order_id, Settlement("unknown"))
    return tmp_path


@pytest.mark.parametrize("has_folder", [True, False])
def test_a_run_whose_process_has_gone_is_not_running(begun: Path, has_folder: bool) -> None:
    """It was stopped, which it could not write down; next it is resumed, and its order looked at."""
    if has_folder:
        with run_lock(run_folder(begun, "otters", RUN_ID)):
            assert listed(begun).state == "running"
    run = listed(begun)
    assert (run.state, "it was killed" in run.message) == ("stopped", True)
    assert next_steps([run]) == [f"Resume it: runoff run --resume {RUN_ID}", UNKNOWN]
    assert run_folder(begun, "otters", RUN_ID).exists() is has_folder


def test_a_run_that_waits_for_a_person_says_review_before_promote(begun: Path) -> None:
    """Then what may have been billed; a run that is done has no step."""
    with open_ledger(begun) as ledger:
        ledger.runs.end(RUN_ID, "awaiting review", NOON)
    run = listed(begun)
    assert where_to_look(run)[3:] == [
        f"Look, vote and choose: runoff review {RUN_ID}",
        f"Or buy these finalists: runoff promote {RUN_ID}",
        f"Or none of them: runoff decline {RUN_ID}",
        UNKNOWN,
    ]
    assert next_steps([run]) == [f"Look, vote and choose: runoff review {RUN_ID}", UNKNOWN]


def test_a_list_of_runs_is_whole_in_80_columns(begun: Path) -> None:
    """A run's id is typed again and its money relied on: neither is cut off, whatever the campaign's name."""
    run = replace(
        listed(begun),
        campaign="nightly-product-pictures",
        state="awaiting review",
        spent_usd=Decimal("1234.56"),
    )
    out = StringIO()
    Console(file=out, width=80, force_terminal=True, color_system=None).print(runs_table([run]))
    text = out.getvalue()
    assert RUN_ID in text
    assert "$1,234.56" in text
    assert "…" not in text
