"""The life of orders against a model of it: any sequence of moves, allowed or not, on both databases."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from tasks.errors import BudgetError, LedgerError
from tasks.ledger import Ledger, Limits, Settlement, Verdict
from tasks.money import from_nanousd, to_nanousd
from tasks.order import Order, OrderState
from tests.support.builders import a_receipt, an_order
from tests.support.fuzzing import fuzz_factor
from tests.support.ledgers import open_ledger

N_ORDERS = 4
MOST_NANOUSD = 20_000_000
LIMITS = Limits(Decimal("0.04"), Decimal("0.035"), Decimal("0.03"))
AMOUNTS = st.integers(0, MOST_NANOUSD)
WHICH = st.integers(0, N_ORDERS - 1)
ENDED: tuple[OrderState, ...] = ("received", "refused", "failed", "unknown")
VERDICTS: tuple[Verdict, ...] = ("billed", "unbilled", "resend")


@dataclass
class Expected:
    """What the model thinks of one order."""

    order: Order
    state: OrderState = "planned"
    charged: int = 0
    cost: int | None = None
    month: int = 0
    n_sends: int = 0
    is_resent: bool = False


class OrderLife(RuleBasedStateMachine):
    """Moves of four orders in two months of a year of their own, in one ledger for all examples."""

    ledger: Ledger
    years: Iterator[int]

    @initialize(estimates=st.lists(AMOUNTS, min_size=N_ORDERS, max_size=N_ORDERS))
    def plan(self, estimates: list[int]) -> None:
        """Begin with planned orders of some price."""
        self.year = next(self.years)
        self.run_id = f"run-{self.year}"
        start = datetime(self.year, 1, 1, tzinfo=UTC)
        self.ledger.runs.start(self.run_id, campaign="otters", provider="emulator", now=start)
        self.known = [
            Expected(an_order(k, run_id=self.run_id, estimate_usd=from_nanousd(nano)))
            for k, nano in enumerate(estimates)
        ]
        self.ledger.orders.plan([one.order for one in self.known])
        self.verdicts = 0

    @rule(k=WHICH, nano=AMOUNTS)
    def reprice(self, k: int, nano: int) -> None:
        """Plan again at another price: only what still waits takes it."""
        one = self.known[k]
        repriced = replace(one.order, estimate_usd=from_nanousd(nano))
        self.ledger.orders.plan([repriced])
        if one.state == "planned":
            one.order = repriced

    @rule(k=WHICH, month=st.sampled_from([1, 2]))
    def send(self, k: int, month: int) -> None:
        """Send: only a planned order, and only within the budgets of the month it is sent in."""
        one, estimate = self.known[k], to_nanousd(self.known[k].order.estimate_usd)
        now = datetime(self.year, month, 28, 23, 59, 59, tzinfo=UTC)
        in_run, in_month = self._charged(None) + estimate, self._charged(month) + estimate
        if one.state != "planned":
            expected: type[Exception] | None = LedgerError
        elif in_run > 40_000_000 or in_month > 30_000_000:
            expected = BudgetError
        else:
            expected = None
        if self._moved(expected, lambda: self.ledger.orders.send(one.order, LIMITS, now)):
            one.state, one.charged, one.month = "sent", estimate, month
            one.n_sends += 1

    @rule(k=WHICH)
    def unsend(self, k: int) -> None:
        """Take back what was certainly not billed."""
        one = self.known[k]
        name = one.order.order_id
        wrong = None if one.state == "sent" else LedgerError
        if self._moved(wrong, lambda: self.ledger.orders.unsend(name, "rate_limited", "wait")):
            one.state, one.charged = "planned", 0

    @rule(k=WHICH, end=st.sampled_from(ENDED), cost=st.none() | AMOUNTS, is_charged=st.booleans())
    def settle(self, k: int, end: OrderState, cost: int | None, *, is_charged: bool) -> None:
        """End what was sent, with or without a known cost."""
        one = self.known[k]
        usd = None if cost is None else from_nanousd(cost)
        settlement = Settlement(end, cost_usd=usd, is_charged=is_charged)
        receipts = [a_receipt(one.order)] if end == "received" else []
        wrong = None if one.state == "sent" else LedgerError
        settle = self.ledger.orders.settle
        if self._moved(wrong, lambda: settle(one.order.order_id, settlement, receipts)):
            keeps = cost is None and (is_charged or end == "unknown")
            one.state, one.cost = end, cost
            one.charged = to_nanousd(one.order.estimate_usd) if keeps else cost or 0

    @rule(k=WHICH, verdict=st.sampled_from(VERDICTS), cost=st.none() | AMOUNTS)
    def reconcile(self, k: int, verdict: Verdict, cost: int | None) -> None:
        """Say what became of an unknown order; a resent one comes to the model as a new order."""
        one = self.known[k]
        is_wrong = one.state != "unknown" or (verdict == "resend" and one.is_resent)
        usd = None if cost is None or verdict != "billed" else from_nanousd(cost)
        now = datetime(self.year, 7, 1, tzinfo=UTC)
        record = self.ledger.reconciliations.record
        if not self._moved(
            LedgerError if is_wrong else None,
            lambda: record([one.order.order_id], verdict, by="model", now=now, cost_usd=usd),
        ):
            return
        self.verdicts += 1
        if verdict == "resend":
            one.is_resent = True
            self.known.append(Expected(replace(one.order, attempt=1)))
            return
        one.state = "failed"
        if verdict == "unbilled":
            one.charged, one.cost = 0, None
        elif usd is not None:
            one.charged, one.cost = to_nanousd(usd), cost

    @invariant()
    def the_ledger_is_as_the_model(self) -> None:
        """Every order stands where the model says, at the same money, and every sum is that of its orders."""
        records = {record.order.order_id: record for record in self.ledger.orders.of_run(self.run_id)}
        assert set(records) == {one.order.order_id for one in self.known}
        for one in self.known:
            record = records[one.order.order_id]
            found = (record.order, record.state, to_nanousd(record.charged_usd), record.n_sends)
            assert found == (one.order, one.state, one.charged, one.n_sends)
            if record.settlement is not None:
                usd = record.settlement.cost_usd
                assert (None if usd is None else to_nanousd(usd)) == one.cost
        for month in (1, 2):
            spent = self.ledger.spending.month(datetime(self.year, month, 1, tzinfo=UTC))
            assert to_nanousd(spent.ledger_usd) == self._charged(month)
            assert sum(map(to_nanousd, spent.campaigns_usd.values())) == self._charged(month)
        assert to_nanousd(self.ledger.orders.charged_usd(self.run_id)) == self._charged(None)

    def teardown(self) -> None:
        """Let the ledger prove itself."""
        assert self.ledger.verify() == []
        ours = [said for said in self.ledger.reconciliations.history() if said.run_id == self.run_id]
        assert len(ours) == self.verdicts

    def _charged(self, month: int | None) -> int:
        return sum(one.charged for one in self.known if month is None or one.month == month)

    def _moved(self, expected: type[Exception] | None, move: Callable[[], Any]) -> bool:
        if expected is None:
            move()
            return True
        with pytest.raises(expected):
            move()
        return False


@pytest.mark.parametrize(
    "home", ["sqlite", pytest.param("postgresql", marks=pytest.mark.slow)], indirect=True
)
@pytest.mark.fuzz
def test_no_sequence_of_moves_breaks_a_sum_or_a_budget(home: Path) -> None:
    """The ledger and the model agree after every move, and the ledger verifies after every sequence."""
    opened = open_ledger(home)

    class OnThisLedger(OrderLife):
        """The machine with its ledger."""

        ledger = opened
        years = count(2000)

    slow = [HealthCheck.too_slow, HealthCheck.function_scoped_fixture]
    run_state_machine_as_test(
        OnThisLedger,
        settings=settings(
            max_examples=10 * fuzz_factor(), stateful_step_count=20, suppress_health_check=slow
        ),
    )
    opened.close()
