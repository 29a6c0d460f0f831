"""Further rounds in the ledger: written once under their key, with numbers and budgets of their own."""

from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from flows.evaluation.drafts import in_scope_of_origin
from tasks.errors import BudgetError
from tasks.ledger import Ledger, Limits
from tasks.ledger.further_rounds import FurtherRound, Place
from tasks.ledger.order_rows import Settlement
from tasks.order import Order
from tests.support.builders import NOON, RUN_ID, a_receipt, an_order
from tests.support.ledgers import open_ledger

CENT = Decimal("0.01")


def filled(ledger: Ledger) -> str:
    """Buy a draft of the campaign; returns the picture's id."""
    ledger.runs.start(RUN_ID, campaign="otters", provider="emulator", now=NOON)
    order = an_order(2)
    ledger.orders.plan([order])
    ledger.orders.send(order, Limits(), NOON)
    ledger.orders.settle(order.order_id, Settlement("received", CENT), [receipt := a_receipt(order)])
    return receipt.candidate_id


def begin(ledger: Ledger, of: str, key: str) -> int:
    """Ask for two drafts."""

    def orders(place: Place) -> list[Order]:
        return [
            an_order(place.replicate + index, draft_id=of, further_round=place.number) for index in range(2)
        ]

    asked = FurtherRound(RUN_ID, 0, of, {"n": 2}, key, 2 * CENT, "Ada", NOON)
    return ledger.further_rounds.begin(asked, "A", 0, orders)


def test_a_round_is_written_once_with_its_orders(home: Path) -> None:
    """Its drafts follow all others of their arm and row; another key is another round after it."""
    with open_ledger(home) as ledger:
        draft = filled(ledger)
        assert [begin(ledger, draft, key) for key in ("a", "a", "b", "a")] == [1, 1, 2, 1]
        planned = [one.order for one in ledger.orders.of_run(RUN_ID, "planned")]
        assert [(one.further_round, one.replicate) for one in planned] == [(1, 3), (1, 4), (2, 5), (2, 6)]
        assert planned[0].file_stem() == "A-000-003-more1"
        first, second = ledger.further_rounds.of_run(RUN_ID)
        assert (first.number, first.key, first.estimate_usd, first.asked_by) == (1, "a", 2 * CENT, "Ada")
        assert second == replace(first, number=2, key="b")


def test_further_drafts_have_a_budget_of_their_own_and_no_share_in_their_arms(home: Path) -> None:
    """What they may cost together; the arm's own drafts are not counted with them, nor they with these."""
    limits = Limits(per_arm_usd={"A": CENT}, further_usd=CENT)
    with open_ledger(home) as ledger:
        draft = filled(ledger)
        begin(ledger, draft, "a")
        one, other = (record.order for record in ledger.orders.of_run(RUN_ID, "planned"))
        ledger.orders.send(one, limits, NOON)
        with pytest.raises(BudgetError, match=r"budget\.further_usd.*all else goes on"):
            ledger.orders.send(other, limits, NOON)
        own = an_order(9)
        ledger.orders.plan([own])
        with pytest.raises(BudgetError, match=r"arms\.A\.budget_usd.*the other arms go on"):
            ledger.orders.send(own, limits, NOON)
        assert ledger.verify() == []


def test_a_further_draft_is_compared_with_what_it_grew_from(home: Path) -> None:
    """Whatever its words: in the scope of the campaign's draft at the root, and behind it."""
    with open_ledger(home) as ledger:
        draft = filled(ledger)
        begin(ledger, draft, "a")
        for order in (one.order for one in ledger.orders.of_run(RUN_ID, "planned")):
            again = replace(order, prompt="warmer")
            ledger.orders.plan([again])
            ledger.orders.send(again, Limits(), NOON)
            ledger.orders.settle(again.order_id, Settlement("received", CENT), [a_receipt(again)])
        drafts = ledger.candidates.of_run(RUN_ID, "draft")
        assert {one.prompt for one in drafts} == {"a baby otter", "warmer"}
        assert {one.prompt for one in in_scope_of_origin(drafts)} == {"a baby otter"}


def test_what_no_further_round_asked_for_has_the_identity_that_it_always_had() -> None:
    """Ledgers of earlier versions stay valid: nothing of theirs would be bought again."""
    assert an_order().order_id == "o-6f339c65304b93e85a1d"
    assert an_order(further_round=1).order_id != an_order().order_id
