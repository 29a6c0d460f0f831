"""Many processes on one ledger with one budget: it is never passed, and every nano-dollar is found again."""

import json
import subprocess
import sys
import time
from collections import Counter
from decimal import Decimal
from pathlib import Path

import pytest
import sqlalchemy as sa

from tasks.ledger import Ledger
from tasks.ledger.schema import budgets
from tasks.money import to_nanousd
from tests.support.builders import NOON, RUN_ID
from tests.support.child_process import started, wait_for_end
from tests.support.ledger_race import N_SHARED, limits_of
from tests.support.ledgers import open_ledger

REPOSITORY = Path(__file__).parents[2]
N_PROCESSES = 8
BETWEEN_SAMPLES_S = 0.01


def _most_charged(ledger: Ledger) -> dict[str, int]:
    """Read the three kinds of budgets from outside, as they are at this instant."""
    with ledger.database.read() as connection:
        rows = connection.execute(sa.select(budgets)).all()
    most = dict.fromkeys(("run", "campaign's month", "ledger's month"), 0)
    for row in rows:
        kind = "run" if row.scope.startswith("run:") else "campaign's month"
        kind = "ledger's month" if row.scope.startswith("month:*:") else kind
        most[kind] = max(most[kind], row.charged_nanousd)
    return most


@pytest.mark.parametrize("n_own", [20, pytest.param(75, marks=pytest.mark.slow)])
def test_eight_processes_never_pass_one_budget(home: Path, n_own: int) -> None:
    """Whenever one looks, every budget holds; in the end ledger and buyers agree to the nano-dollar."""
    ledger = open_ledger(home)
    ledger.runs.start(RUN_ID, campaign="otters", provider="emulator", now=NOON)
    usd = limits_of(n_own)
    limits = {
        "run": to_nanousd(usd.per_run_usd or Decimal(0)),
        "campaign's month": to_nanousd(usd.per_month_usd or Decimal(0)),
        "ledger's month": to_nanousd(usd.ledger_per_month_usd or Decimal(0)),
    }
    n_samples = 0
    command = [sys.executable, "-m", "tests.support.ledger_race", str(home), str(N_PROCESSES), str(n_own)]
    with started(command, cwd=REPOSITORY, stdout=subprocess.PIPE) as racers:
        while racers.poll() is None:
            most = _most_charged(ledger)
            assert not {kind: nano for kind, nano in most.items() if nano > limits[kind]}
            n_samples += 1
            time.sleep(BETWEEN_SAMPLES_S)
        books = [json.loads(line) for line in wait_for_end(racers)[0].splitlines()]
    counts = sum((Counter(book["counts"]) for book in books), Counter[str]())
    assert n_samples > 10
    assert racers.returncode == 0
    assert len(books) == N_PROCESSES
    assert counts["over budget"] > 0, "the budget was never reached, so nothing was tried"
    assert counts["unsent"] > 0
    assert ledger.verify() == []
    charged = to_nanousd(ledger.orders.charged_usd(RUN_ID))
    assert charged == sum(book["charged_nanousd"] for book in books)
    assert charged == _most_charged(ledger)["run"]
    records = ledger.orders.of_run(RUN_ID)
    assert len(records) == N_PROCESSES * n_own + N_SHARED
    ends = Counter(record.state for record in records if record.state != "planned")
    assert ends == {state: counts[state] for state in ("sent", "received", "refused", "failed", "unknown")}
    ledger.close()
