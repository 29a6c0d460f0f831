"""What became of unknown orders: three verdicts, their money, and the rows that stay."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest
import sqlalchemy as sa

from flows.runs.reconciling import BY_RULE, resend_drafts
from tasks.errors import BudgetError, LedgerError
from tasks.ledger import Ledger, Limits, Settlement, Verdict
from tasks.order import Order
from tests.support.builders import NOON, RUN_ID, a_receipt, an_order
from tests.support.ledgers import open_ledger

CENT = Decimal("0.01")
LATER = NOON + timedelta(days=40)


@pytest.fixture
def ledger(home: Path) -> Iterator[Ledger]:
    """A ledger with one run."""
    opened = open_ledger(home)
    opened.runs.start(RUN_ID, campaign="otters", provider="emulator", now=NOON)
    yield opened
    opened.close()


def _lose(ledger: Ledger, *orders: Order) -> None:
    ledger.orders.plan(orders)
    for order in orders:
        ledger.orders.send(order, Limits(), NOON)
        lost = Settlement(
            "unknown", vendor_request_id="req_1", error_code="ReadTimeout", error_message="none came"
        )
        ledger.orders.settle(order.order_id, lost)


@pytest.mark.parametrize(
    ("verdict", "cost_usd", "charged_usd", "code"),
    [
        ("billed", None, CENT, "billed_without_picture"),
        ("billed", Decimal("0.0123"), Decimal("0.0123"), "billed_without_picture"),
        ("billed", Decimal(0), Decimal(0), "billed_without_picture"),
        ("unbilled", None, Decimal(0), "not_billed"),
    ],
)
def test_a_verdict_ends_the_order_with_its_money(
    ledger: Ledger, verdict: Verdict, cost_usd: Decimal | None, charged_usd: Decimal, code: str
) -> None:
    """Billed stays charged, at its cost where somebody knows it; unbilled is free again, in its own month."""
    order = an_order()
    _lose(ledger, order)
    (said,) = ledger.reconciliations.record(
        [order.order_id],
        verdict,
        by="mara",
        now=LATER,
        cost_usd=cost_usd,
    )
    (record,) = ledger.orders.of_run(RUN_ID)
    assert record.settlement is not None
    assert (record.state, record.charged_usd) == ("failed", charged_usd)
    assert (record.settlement.error_code, record.settlement.cost_usd) == (code, cost_usd)
    assert record.settlement.vendor_request_id == "req_1"
    assert "ReadTimeout: none came" in str(record.settlement.error_message)
    assert (said.charged_usd, said.reconciled_by, said.reconciled_at) == (charged_usd, "mara", LATER)
    assert ledger.reconciliations.history() == [said]
    assert ledger.reconciliations.unknown() == []
    assert ledger.spending.month(NOON).ledger_usd == charged_usd
    assert ledger.spending.month(LATER).ledger_usd == 0
    assert ledger.verify() == []


def test_resending_plans_another_order_and_keeps_the_first_charged(ledger: Ledger) -> None:
    """The new order is the same request, one attempt later; the first stays unknown and stays listed."""
    order = an_order()
    _lose(ledger, order)
    (said,) = ledger.reconciliations.record([order.order_id], "resend", by="mara", now=NOON)
    first, again = ledger.orders.of_run(RUN_ID)
    assert (first.state, first.charged_usd) == ("unknown", CENT)
    assert (again.state, again.order) == ("planned", replace(order, attempt=1))
    assert said.resent_as == again.order.order_id
    (unknown,) = ledger.reconciliations.unknown(RUN_ID)
    assert (unknown.record, unknown.resent_as) == (first, again.order.order_id)
    assert ledger.verify() == []
    with pytest.raises(LedgerError, match="ordered again already"):
        ledger.reconciliations.record([order.order_id], "resend", by="mara", now=NOON)
    ledger.reconciliations.record([order.order_id], "unbilled", by="mara", now=NOON)
    assert ledger.orders.charged_usd(RUN_ID) == 0


def test_a_final_is_resent_behind_its_later_tries(ledger: Ledger) -> None:
    """A second try that the run made by itself is no answer to the first; the new order is the third."""
    first = an_order(stage="final", draft_id="c-1")
    second = replace(first, attempt=1)
    _lose(ledger, first)
    ledger.orders.plan([second])
    assert [unknown.resent_as for unknown in ledger.reconciliations.unknown()] == [None]
    (said,) = ledger.reconciliations.record([first.order_id], "resend", by="mara", now=NOON)
    assert said.resent_as == replace(first, attempt=2).order_id
    assert [unknown.resent_as for unknown in ledger.reconciliations.unknown()] == [said.resent_as]


def test_a_campaigns_rule_resends_each_lost_draft_once(ledger: Ledger) -> None:
    """What is resent by rule is recorded, has today's content, and is not resent when it is lost too."""
    lost, final = an_order(), an_order(stage="final", draft_id="c-1")
    _lose(ledger, lost, final)
    today = replace(lost, parameters={**lost.parameters, "model": "gpt-image-2"})
    assert resend_drafts(ledger, RUN_ID, [today, an_order(replicate=5)]) == 1
    assert resend_drafts(ledger, RUN_ID, [today]) == 0
    (said,) = ledger.reconciliations.history()
    assert (said.reconciled_by, said.resent_as) == (BY_RULE, replace(today, attempt=1).order_id)
    _lose(ledger, replace(today, attempt=1))
    assert resend_drafts(ledger, RUN_ID, [today]) == 0


def test_one_wrong_order_leaves_all_as_they_were(ledger: Ledger) -> None:
    """A verdict on several orders is given to all or to none."""
    lost, planned = an_order(), an_order(replicate=1)
    _lose(ledger, lost)
    ledger.orders.plan([planned])
    with pytest.raises(LedgerError, match=f"order {planned.order_id}: is not unknown"):
        ledger.reconciliations.record([lost.order_id, planned.order_id], "unbilled", by="mara", now=NOON)
    assert len(ledger.reconciliations.unknown()) == 1
    assert ledger.reconciliations.history() == []


@pytest.mark.parametrize(
    "change", ["UPDATE reconciliations SET reconciled_by = 'x'", "DELETE FROM reconciliations"]
)
def test_no_verdict_is_ever_changed(ledger: Ledger, change: str) -> None:
    """The database itself refuses to forget who said what."""
    order = an_order()
    _lose(ledger, order)
    ledger.reconciliations.record([order.order_id], "billed", by="mara", now=NOON)
    with pytest.raises(LedgerError, match="never changed"), ledger.database.write() as connection:
        connection.execute(sa.text(change))
    assert [said.reconciled_by for said in ledger.reconciliations.history()] == ["mara"]


def test_orders_of_several_months_and_runs_are_settled_together(ledger: Ledger) -> None:
    """Each gives its money back to its own budgets."""
    other = f"{RUN_ID[:-4]}next"
    ledger.runs.start(other, campaign="cats", provider="emulator", now=NOON)
    _lose(ledger, an_order())
    late = an_order(run_id=other, campaign="cats")
    ledger.orders.plan([late])
    ledger.orders.send(late, Limits(), LATER)
    ledger.orders.settle(late.order_id, Settlement("unknown"))
    names = [unknown.record.order.order_id for unknown in ledger.reconciliations.unknown()]
    ledger.reconciliations.record(names, "unbilled", by="mara", now=LATER)
    assert ledger.spending.month(NOON).campaigns_usd == {"otters": 0}
    assert ledger.spending.month(LATER).campaigns_usd == {"cats": 0}
    assert ledger.verify() == []


def test_a_known_cost_stands_where_no_other_is_named(ledger: Ledger) -> None:
    """An order whose picture was lost here is unknown, yet its usage told its cost: that stays."""
    order, cost_usd = an_order(), Decimal("0.004")
    ledger.orders.plan([order])
    ledger.orders.send(order, Limits(), NOON)
    ledger.orders.settle(order.order_id, Settlement("unknown", cost_usd, error_code="not_kept"))
    (said,) = ledger.reconciliations.record([order.order_id], "billed", by="mara", now=LATER)
    (record,) = ledger.orders.of_run(RUN_ID)
    assert (record.charged_usd, record.cost_usd) == (cost_usd, cost_usd)
    assert record.estimated_usd == 0
    assert said.charged_usd == cost_usd
    assert ledger.verify() == []


def _receive(ledger: Ledger, order: Order, cost_usd: Decimal | None) -> None:
    ledger.orders.plan([order])
    ledger.orders.send(order, Limits(), NOON)
    settlement = Settlement("received", cost_usd, is_charged=True)
    ledger.orders.settle(order.order_id, settlement, [a_receipt(order)])


@pytest.mark.parametrize("wrong_usd", [Decimal(86_000), Decimal("0.001"), None])
def test_a_wrong_cost_is_corrected_and_stays_on_record(ledger: Ledger, wrong_usd: Decimal | None) -> None:
    """The picture stays received, the budgets of its own month follow, and the verdict holds both amounts."""
    order, right_usd = an_order(), Decimal("0.043")
    _receive(ledger, order, wrong_usd)
    (verdict,) = ledger.reconciliations.correct([order.order_id], right_usd, by="mara", now=LATER)
    (record,) = ledger.orders.of_run(RUN_ID)
    assert (record.state, record.cost_usd, record.charged_usd) == ("received", right_usd, right_usd)
    charged_before_usd = CENT if wrong_usd is None else wrong_usd
    assert (verdict.charged_before_usd, verdict.charged_usd) == (charged_before_usd, right_usd)
    assert (verdict.verdict, verdict.reconciled_by, verdict.reconciled_at) == ("corrected", "mara", LATER)
    assert ledger.reconciliations.history() == [verdict]
    assert ledger.spending.month(NOON).ledger_usd == right_usd
    assert ledger.spending.month(LATER).ledger_usd == 0
    assert ledger.verify() == []


def test_a_corrected_budget_lets_the_run_go_on(ledger: Ledger) -> None:
    """What a wrong price used up of a budget can be spent again."""
    dear, next_one = an_order(), an_order(replicate=1)
    limits = Limits(per_run_usd=Decimal(20))
    _receive(ledger, dear, Decimal(86_000))
    ledger.orders.plan([next_one])
    with pytest.raises(BudgetError):
        ledger.orders.send(next_one, limits, NOON)
    ledger.reconciliations.correct([dear.order_id], Decimal("0.05"), by="mara", now=NOON)
    ledger.orders.send(next_one, limits, NOON)


def test_only_the_cost_of_what_has_ended_is_corrected(ledger: Ledger) -> None:
    """An unknown order gets a verdict instead, and one that is planned has no cost; all or none."""
    received, lost, planned = (an_order(replicate) for replicate in range(3))
    _receive(ledger, received, CENT)
    _lose(ledger, lost)
    ledger.orders.plan([planned])
    for wrong in (lost, planned):
        names = [received.order_id, wrong.order_id]
        with pytest.raises(LedgerError, match=f"order {wrong.order_id}: is not received or refused or"):
            ledger.reconciliations.correct(names, Decimal(1), by="mara", now=NOON)
    assert ledger.orders.charged_usd(RUN_ID) == 2 * CENT
    assert ledger.reconciliations.history() == []
