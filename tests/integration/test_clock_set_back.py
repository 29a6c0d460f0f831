"""A clock that is set back: the run begun last stays the newest, and months keep their money."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from flows.runs.outcome import Outcome, list_runs
from tasks.errors import BudgetError
from tasks.ledger import Limits, Settlement
from tasks.ledger.slots import Slot
from tasks.settings import Settings
from tests.support.builders import a_receipt, an_order
from tests.support.ledgers import open_ledger

DECEMBER = datetime(2026, 12, 1, 0, 10, tzinfo=UTC)
BACK_IN_NOVEMBER = DECEMBER - timedelta(minutes=20)
EARLIER, LATER = "20261201-001000-aaaa", "20261130-235000-bbbb"
CENT = Decimal("0.01")


def test_the_run_begun_last_is_the_latest(home: Path) -> None:
    """What `latest` names and lists show first is what was begun last, by any clock."""
    with open_ledger(home) as ledger:
        ledger.runs.start(EARLIER, campaign="otters", provider="emulator", now=DECEMBER)
        ledger.runs.start(LATER, campaign="otters", provider="emulator", now=BACK_IN_NOVEMBER)
        ledger.runs.start(EARLIER, campaign="otters", provider="emulator", now=DECEMBER)  # resumed
        assert ledger.runs.find("latest").run_id == LATER
        assert [run.run_id for run in ledger.runs.all()] == [LATER, EARLIER]


def test_a_list_of_runs_and_missed_slots_keeps_that_sequence(tmp_path: Path) -> None:
    """A slot missed meanwhile stands between them by its time."""
    with open_ledger(tmp_path) as ledger:
        ledger.runs.start(EARLIER, campaign="otters", provider="emulator", now=DECEMBER)
        ledger.runs.start(LATER, campaign="otters", provider="emulator", now=BACK_IN_NOVEMBER)
        missed_at = DECEMBER - timedelta(minutes=5)
        ledger.slots.claim(Slot("otters@1", "otters", missed_at, "skipped", "none", "too many reviews"))
        listed = list_runs(Settings.of(tmp_path, {}), ledger)
    assert [one.run_id for one in listed] == [LATER, EARLIER, None]
    assert sum(isinstance(one, Outcome) for one in listed) == 2


def test_an_order_gives_its_money_back_to_the_month_that_it_was_charged_to(home: Path) -> None:
    """Sent in December and settled in November again, it frees December's budget, and November's stays."""
    limits = Limits(per_month_usd=CENT)
    first, second, third = (an_order(k, run_id=EARLIER) for k in range(3))
    with open_ledger(home) as ledger:
        ledger.runs.start(EARLIER, campaign="otters", provider="emulator", now=DECEMBER)
        ledger.orders.plan([first, second, third])
        ledger.orders.send(first, limits, DECEMBER)
        ledger.orders.send(second, limits, BACK_IN_NOVEMBER)
        ledger.orders.settle(first.order_id, Settlement("refused"))
        assert ledger.spending.month(DECEMBER).ledger_usd == 0
        assert ledger.spending.month(BACK_IN_NOVEMBER).ledger_usd == CENT
        with pytest.raises(BudgetError):
            ledger.orders.send(third, limits, BACK_IN_NOVEMBER)
        ledger.orders.settle(second.order_id, Settlement("received", CENT), [a_receipt(second)])
        assert ledger.verify() == []
