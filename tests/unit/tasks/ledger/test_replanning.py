"""Planning again after a model is gone or a campaign was edited: nothing wanted twice, nothing unwanted."""

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tasks.ledger import Ledger, Limits, Settlement
from tasks.ledger.replanning import (
    add_warnings,
    find_replaced,
    left_to_send,
    plan_open,
    replan,
    replan_finals,
)
from tasks.order import Order, OrderState, Reference, Usage
from tests.support.builders import NOON, RUN_ID, a_receipt, an_order
from tests.support.ledgers import open_ledger

FINALS: dict[str, Any] = {"model": "gpt-image-2.6-sunburst", "n": 1}
HEIR = {"model": "gpt-image-2.6-flare", "n": 1, "quality": "low", "size": "1024x1024"}
ENDS: dict[OrderState, Settlement] = {
    "received": Settlement("received", cost_usd=Decimal("0.004"), usage=Usage(13, 0, 272)),
    "refused": Settlement("refused", error_code="moderation_blocked"),
    "failed": Settlement("failed", error_code="server_error"),
    "unknown": Settlement("unknown", error_code="timeout"),
}


def wants_final(order: Order) -> bool:
    """Tell whether finals are asked for like this today."""
    return dict(order.parameters) == FINALS


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    """A new ledger with one run."""
    opened = open_ledger(tmp_path)
    opened.runs.start(RUN_ID, campaign="otters", provider="emulator", now=NOON, warnings=["one"])
    yield opened
    opened.close()


def end(ledger: Ledger, order: Order, state: OrderState) -> None:
    """Plan an order and bring it to a state."""
    ledger.orders.plan([order])
    if state == "planned":
        return
    ledger.orders.send(order, Limits(), NOON)
    if state != "sent":
        receipts = [a_receipt(order)] if state == "received" else []
        ledger.orders.settle(order.order_id, ENDS[state], receipts)


def states(ledger: Ledger) -> dict[tuple[str, int, int], set[OrderState]]:
    """Tell the states of all orders by model, replicate and attempt."""
    found: dict[tuple[str, int, int], set[OrderState]] = {}
    for record in ledger.orders.of_run(RUN_ID):
        key = (str(record.order.parameters["model"]), record.order.replicate, record.order.attempt)
        found.setdefault(key, set()).add(record.state)
    return found


def from_kettle(replicate: int, sha256: str) -> Order:
    """Make a draft that is made from a reference with these bytes."""
    kettle = Reference("/shop/kettle.png", sha256, 64, 64, "image/png")
    return an_order(replicate=replicate, endpoint="edits", references=[kettle])


@pytest.mark.parametrize(
    ("n_bought", "today", "n_warnings"),
    [(2, "other", 1), (2, "first", 0), (0, "other", 0), (4, "other", 0)],
    ids=["replaced", "as it was", "nothing bought", "nothing left"],
)
def test_a_reference_that_was_replaced_in_the_middle_of_a_run_is_told(
    n_bought: int, today: str, n_warnings: int, ledger: Ledger
) -> None:
    """Half of an arm would be made from one picture and half from another, and nobody would see it."""
    for k in range(4):
        end(ledger, from_kettle(k, "first"), "received" if k < n_bought else "planned")
    found = find_replaced(ledger, RUN_ID, [from_kettle(k, today) for k in range(4)])
    assert len(found) == n_warnings
    assert all(line.startswith("/shop/kettle.png is not the picture that earlier drafts") for line in found)


def test_the_same_plan_changes_nothing(ledger: Ledger) -> None:
    """A resumed run whose campaign and models are what they were finds its orders as they were."""
    new = [an_order(replicate=k) for k in range(6)]
    for order, state in zip(new, ("planned", "sent", *ENDS), strict=True):
        end(ledger, order, state)
    before = ledger.orders.of_run(RUN_ID)
    assert replan(ledger, RUN_ID, new, wants_final) == []
    assert ledger.orders.of_run(RUN_ID) == before
    assert left_to_send(ledger, RUN_ID, new) == new[:1]


@given(sat=st.lists(st.sampled_from(("planned", "sent", *ENDS)), min_size=1, max_size=8))
@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_successor_takes_only_the_places_that_are_free(
    tmp_path_factory: pytest.TempPathFactory, sat: list[OrderState]
) -> None:
    """Whatever state each place was in: bought or maybe bought stays, all else is the successor's."""
    ledger = open_ledger(tmp_path_factory.mktemp("home"))
    ledger.runs.start(RUN_ID, campaign="otters", provider="emulator", now=NOON)
    for replicate, state in enumerate(sat):
        end(ledger, an_order(replicate=replicate), state)
    new = [an_order(replicate=k, parameters=HEIR) for k in range(len(sat))]
    charged_usd, expected = ledger.orders.charged_usd(RUN_ID), left_to_send(ledger, RUN_ID, new)
    withdrawn = replan(ledger, RUN_ID, new, wants_final)
    assert len(withdrawn) == sat.count("planned")
    found = states(ledger)
    for replicate, state in enumerate(sat):
        old = found.get(("gpt-image-1-mini", replicate, 0))
        assert old == (None if state == "planned" else {state})
        is_free = state in ("planned", "refused", "failed")
        assert found.get(("gpt-image-2.6-flare", replicate, 0)) == ({"planned"} if is_free else None)
    assert [record.order for record in ledger.orders.of_run(RUN_ID, "planned")] == expected
    assert ledger.orders.charged_usd(RUN_ID) == charged_usd
    assert replan(ledger, RUN_ID, new, wants_final) == []
    assert not any("budget" in fault for fault in ledger.verify())
    ledger.close()


def test_what_is_to_be_sent_again_gets_the_successor_too(ledger: Ledger) -> None:
    """A second sending planned for the model that is gone becomes one for its successor."""
    first = an_order()
    end(ledger, first, "unknown")
    ledger.orders.plan([replace(first, attempt=1)])
    replan(ledger, RUN_ID, [an_order(parameters=HEIR)], wants_final)
    assert states(ledger) == {
        ("gpt-image-1-mini", 0, 0): {"unknown"},
        ("gpt-image-2.6-flare", 0, 1): {"planned"},
    }


def test_a_request_for_several_pictures_takes_all_their_places(ledger: Ledger) -> None:
    """Two pictures in one received request: neither is bought again on its own."""
    both = an_order(parameters=dict(an_order().parameters) | {"n": 2})
    ledger.orders.plan([both])
    ledger.orders.send(both, Limits(), NOON)
    ledger.orders.settle(both.order_id, ENDS["received"], [a_receipt(both, 0), a_receipt(both, 1)])
    plan_open(ledger, RUN_ID, [an_order(replicate=k) for k in range(3)])
    planned = ledger.orders.of_run(RUN_ID, "planned")
    assert [record.order.replicate for record in planned] == [2]


def test_planned_finals_stay_while_finals_are_asked_for_the_same(ledger: Ledger) -> None:
    """One for the model of today stays; one for a model that is gone is withdrawn."""
    stays = an_order(stage="final", parameters=FINALS, draft_id="c-1")
    goes = an_order(stage="final", parameters=FINALS | {"model": "gpt-image-1.5"}, draft_id="c-2")
    ledger.orders.plan([stays, goes])
    assert replan(ledger, RUN_ID, [], wants_final) == [goes]
    assert [record.order for record in ledger.orders.of_run(RUN_ID)] == [stays]


def test_a_planned_final_of_a_picture_that_is_gone_is_withdrawn_until_it_is_back(ledger: Ledger) -> None:
    """So is one of an attempt that comes later; drafts, and what was sent, stay."""
    here, gone, later = (
        an_order(stage="final", parameters=FINALS, draft_id=draft, attempt=attempt)
        for draft, attempt in (("c-1", 0), ("c-2", 0), ("c-1", 1))
    )
    sent, draft = an_order(stage="final", parameters=FINALS, draft_id="c-3"), an_order()
    end(ledger, sent, "unknown")
    ledger.orders.plan([here, gone, later, draft])
    replan_finals(ledger, RUN_ID, [here, sent])
    assert [one.order for one in ledger.orders.of_run(RUN_ID, "planned")] == [draft, here]
    replan_finals(ledger, RUN_ID, [here, gone])
    assert {one.order.draft_id for one in ledger.orders.of_run(RUN_ID)} == {None, "c-1", "c-2", "c-3"}


def test_a_run_keeps_what_it_said_and_says_it_once(ledger: Ledger) -> None:
    """Warnings of later sittings are added."""
    add_warnings(ledger, RUN_ID, ["two", "one"])
    add_warnings(ledger, RUN_ID, ["two"])
    assert ledger.runs.find(RUN_ID).warnings == ("one", "two")
