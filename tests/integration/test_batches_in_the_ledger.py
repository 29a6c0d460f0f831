"""Batches in the ledger, on SQLite and PostgreSQL: budgets hold, steps are kept, nothing is charged twice."""

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tasks.errors import BudgetError, LedgerError
from tasks.ledger import Ledger, Limits, Settlement
from tasks.ledger.replanning import replan
from tasks.order import Order
from tests.support.builders import NOON, RUN_ID, a_receipt, an_order
from tests.support.ledgers import open_ledger

CENT = Decimal("0.01")


@pytest.fixture
def ledger(home: Path) -> Iterator[Ledger]:
    """A ledger with a run."""
    with open_ledger(home) as opened:
        opened.runs.start(RUN_ID, campaign="otters", provider="emulator", now=NOON)
        yield opened


def planned(ledger: Ledger, count: int) -> list[Order]:
    """Plan orders of a cent each for the batch lane."""
    orders = [an_order(replicate, lane="batch") for replicate in range(count)]
    ledger.orders.plan(orders)
    return orders


def states(ledger: Ledger) -> list[str]:
    """The states of all orders."""
    return [record.state for record in ledger.orders.of_run(RUN_ID)]


def test_a_batch_reserves_all_its_orders_in_one_transaction(ledger: Ledger) -> None:
    """They are sent, charged at their estimates and out; the batch knows its step."""
    orders = planned(ledger, 3)
    key, count = ledger.batches.reserve(orders, Limits(per_run_usd=CENT * 3), NOON)
    assert (count, states(ledger)) == (3, ["sent"] * 3)
    assert ledger.orders.charged_usd(RUN_ID) == CENT * 3
    assert ledger.batches.ids_out(RUN_ID) == {order.order_id for order in orders}
    (record,) = ledger.batches.open_of(RUN_ID)
    assert (record.batch_key, record.state, record.n_orders, record.reserved_at) == (key, "reserved", 3, NOON)
    assert [out.n_sends for out in ledger.batches.orders_out(key)] == [1] * 3
    assert ledger.batches.runs_out("otters") == [RUN_ID]
    assert ledger.batches.runs_out("others") == []
    assert ledger.verify() == []


@pytest.mark.parametrize("key", ["per_run_usd", "per_month_usd", "ledger_per_month_usd"])
def test_every_budget_cuts_a_batch_off_where_it_ends(ledger: Ledger, key: str) -> None:
    """Of five orders three fit; of the rest not one, and that is told."""
    orders, limits = planned(ledger, 5), Limits(**{key: CENT * 3})  # type: ignore[arg-type]
    assert ledger.batches.reserve(orders, limits, NOON)[1] == 3
    assert states(ledger) == ["sent"] * 3 + ["planned"] * 2
    with pytest.raises(BudgetError, match=key):
        ledger.batches.reserve(orders[3:], limits, NOON)
    assert states(ledger) == ["sent"] * 3 + ["planned"] * 2
    assert len(ledger.batches.open_of(RUN_ID)) == 1
    assert ledger.verify() == []


@pytest.mark.parametrize(
    "home", ["sqlite", pytest.param("postgresql", marks=pytest.mark.slow)], indirect=True
)
@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(cents=st.lists(st.integers(1, 9), min_size=1, max_size=8), limit=st.integers(1, 30))
def test_a_batch_holds_what_one_by_one_would_have_fitted_in_a_row(
    ledger: Ledger, cents: list[int], limit: int
) -> None:
    """The bulk reservation means what single ones mean, up to the first that does not fit."""
    run_id = f"run-{len(ledger.runs.all())}"
    ledger.runs.start(run_id, campaign="otters", provider="emulator", now=NOON)
    orders = [an_order(k, run_id=run_id, estimate_usd=CENT * n) for k, n in enumerate(cents)]
    ledger.orders.plan(orders)
    expected = next((k for k in range(len(cents)) if sum(cents[: k + 1]) > limit), len(cents))
    limits = Limits(per_run_usd=CENT * limit)
    if expected == 0:
        with pytest.raises(BudgetError):
            ledger.batches.reserve(orders, limits, NOON)
    else:
        assert ledger.batches.reserve(orders, limits, NOON)[1] == expected
    assert ledger.orders.charged_usd(run_id) == CENT * sum(cents[:expected])
    assert ledger.verify() == []


def test_an_order_that_somebody_else_sent_is_not_reserved_again(ledger: Ledger) -> None:
    """All or nothing: the others stay planned too."""
    orders = planned(ledger, 3)
    ledger.orders.send(orders[1], Limits(), NOON)
    with pytest.raises(LedgerError, match="is not planned"):
        ledger.batches.reserve(orders, Limits(), NOON)
    assert states(ledger) == ["planned", "sent", "planned"]
    assert ledger.batches.open_of(RUN_ID) == []
    assert ledger.verify() == []


def test_a_withdrawn_batch_frees_its_money_and_what_came_back_stays(ledger: Ledger) -> None:
    """What is settled is not touched; the rest is planned again, with the reason."""
    orders = planned(ledger, 3)
    key, _ = ledger.batches.reserve(orders, Limits(), NOON)
    settlement = Settlement("received", cost_usd=CENT / 2)
    ledger.orders.settle(orders[0].order_id, settlement, [a_receipt(orders[0])])
    ledger.batches.withdraw(key, "refused", "The file was refused.", NOON)
    assert states(ledger) == ["received", "planned", "planned"]
    assert ledger.orders.charged_usd(RUN_ID) == CENT / 2
    assert (ledger.batches.open_of(RUN_ID), ledger.batches.ids_out(RUN_ID)) == ([], set())
    again, count = ledger.batches.reserve(orders[1:], Limits(), NOON + timedelta(days=1))
    assert (count, again != key) == (2, True)
    assert [out.n_sends for out in ledger.batches.orders_out(again)] == [2, 2]
    assert ledger.verify() == []


def test_orders_of_a_withdrawn_batch_give_way_to_what_is_asked_for_today(ledger: Ledger) -> None:
    """A batch of a model that was shut down meanwhile came back: the successor's orders take the places."""
    orders = planned(ledger, 3)
    key, _ = ledger.batches.reserve(orders, Limits(), NOON)
    ledger.orders.settle(orders[0].order_id, Settlement("received", cost_usd=CENT), [a_receipt(orders[0])])
    ledger.batches.withdraw(key, "model_not_found", "The model is gone.", NOON)
    today = [an_order(order.replicate, lane="batch", prompt="by the successor") for order in orders]
    assert replan(ledger, RUN_ID, today, lambda _: True) == orders[1:]
    assert [record.order for record in ledger.orders.of_run(RUN_ID)] == [orders[0], *today[1:]]
    assert ledger.batches.orders_of(key) == orders[:1]
    assert ledger.verify() == []


def test_steps_and_names_are_kept_and_a_batch_that_is_over_is_no_longer_listed(ledger: Ledger) -> None:
    """What each step leaves is what the next one needs."""
    key, _ = ledger.batches.reserve(planned(ledger, 1), Limits(), NOON)
    ledger.batches.advance(key, "uploaded", input_file_id="file-1")
    ledger.batches.advance(key, "asked", asked_at=NOON)
    ledger.batches.advance(key, "created", vendor_batch_id="batch-1", vendor_status="validating")
    (record,) = ledger.batches.open_of(RUN_ID)
    assert (record.input_file_id, record.asked_at, record.vendor_batch_id) == ("file-1", NOON, "batch-1")
    ledger.batches.advance(key, "collected", ended_at=NOON)
    assert ledger.batches.open_of(RUN_ID) == []
    assert ledger.batches.runs_out("otters") == []


def test_a_planned_order_takes_the_lane_of_today(ledger: Ledger) -> None:
    """A campaign may leave the Batch lane while orders wait; what is out keeps its own."""
    orders = planned(ledger, 2)
    ledger.batches.reserve(orders[:1], Limits(), NOON)
    dear = [an_order(replicate, estimate_usd=CENT * 2) for replicate in range(2)]
    ledger.orders.plan(dear)
    records = ledger.orders.of_run(RUN_ID)
    assert [(r.order.lane, r.order.estimate_usd) for r in records] == [
        ("batch", CENT),
        ("interactive", CENT * 2),
    ]
    assert ledger.verify() == []


def test_an_upload_is_remembered_by_its_bytes_for_each_provider(ledger: Ledger) -> None:
    """A newer one takes the place of the older."""
    assert ledger.uploads.known("openai") == {}
    ledger.uploads.record("openai", "aa", "file-1", NOON)
    ledger.uploads.record("openai", "bb", "file-2", NOON)
    ledger.uploads.record("openai", "aa", "file-3", NOON)
    ledger.uploads.record("other", "aa", "file-4", NOON)
    assert ledger.uploads.known("openai") == {"aa": "file-3", "bb": "file-2"}
