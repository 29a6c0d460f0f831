"""What can go wrong with a batch at the provider: what it does to the orders and to the money."""

from pathlib import Path
from typing import Any

import pytest

from tasks.errors import StopRunError
from tests.support.batch_shop import (
    A_DAY_S,
    CREATE,
    LIST,
    LOOK,
    UPLOAD,
    Open,
    batch_order,
    end,
    orders,
)
from tests.support.every_day import some_every_day


@pytest.mark.parametrize("kind", ["bill_then_drop", "html_200"])
def test_a_batch_whose_creation_was_not_answered_is_found_by_its_key(open_bench: Open, kind: str) -> None:
    """The provider made it; the list shows it; no second one is made."""
    bench = open_bench()
    rule = CREATE | {"kind": kind, "billed": True}
    assert end(bench, rule, count=2) == ["received"] * 2
    assert len(bench.created()) == 1
    assert bench.is_right()


def test_a_batch_that_the_list_does_not_show_is_waited_for_and_then_given_up_as_unknown(
    open_bench: Open,
) -> None:
    """Nobody can tell whether it was made; it is asked for once, and its requests stay charged."""
    bench = open_bench(CREATE | {"kind": "drop"})
    bench.sit(*orders(2))
    assert bench.states() == ["sent"] * 2
    assert "does not show it yet" in next(iter(bench.notes.values()))
    bench.later(300)
    assert bench.sit() == 1
    bench.later(301)
    assert bench.sit() == 0
    assert bench.states() == ["unknown"] * 2
    assert {record.charged_usd for record in bench.shop.records()} == {batch_order().estimate_usd}
    assert bench.created() == []
    assert bench.shop.ledger.verify() == []


def test_a_clock_that_is_set_back_does_not_keep_a_batch_waiting(open_bench: Open) -> None:
    """Asked for when the clock was a month ahead, it is given up ten minutes after the correction."""
    bench = open_bench(CREATE | {"kind": "drop"})
    bench.sit(*orders(2))
    bench.later(-30 * A_DAY_S)
    assert bench.sit() == 1
    bench.later(601)
    assert bench.sit() == 0
    assert bench.states() == ["unknown"] * 2


def test_a_list_that_cannot_be_read_gives_nothing_up(open_bench: Open) -> None:
    """Whether the batch exists is found out later; until then its orders are out."""
    bench = open_bench(CREATE | {"kind": "bill_then_drop"}, LIST | {"kind": "server_error", "times": 2})
    bench.sit(*orders(2))
    bench.later(3600)
    bench.sit()
    assert bench.states() == ["sent"] * 2
    bench.later()
    bench.sit()
    assert bench.states() == ["received"] * 2
    assert len(bench.created()) == 1


def test_a_page_in_place_of_the_list_gives_nothing_up(open_bench: Open) -> None:
    """A gateway's page says nothing of batches."""
    bench = open_bench(CREATE | {"kind": "bill_then_drop"}, LIST | {"kind": "html_200"})
    bench.sit(*orders(1))
    assert bench.states() == ["sent"]
    bench.later()
    bench.sit()
    assert bench.states() == ["received"]


@pytest.mark.parametrize("status", [500, 503])
def test_a_creation_that_the_provider_failed_is_asked_for_again(open_bench: Open, status: int) -> None:
    """It said that it failed and its list has none: the next sitting looks once more and asks again."""
    bench = open_bench(CREATE | {"kind": "server_error", "status": status})
    bench.sit(*orders(2))
    assert bench.states() == ["sent"] * 2
    bench.sit()
    bench.later()
    bench.sit()
    assert bench.states() == ["received"] * 2
    assert len(bench.created()) == 1


def test_a_batch_that_was_made_though_the_provider_said_it_failed_is_not_made_twice(open_bench: Open) -> None:
    """Before it asks again it looks, and finds it."""
    bench = open_bench(
        CREATE | {"kind": "server_error", "billed": True}, LIST | {"kind": "server_error", "nth": (1,)}
    )
    bench.sit(*orders(2))
    bench.sit()
    bench.later()
    bench.sit()
    assert bench.states() == ["received"] * 2
    assert len(bench.created()) == 1


def test_a_full_queue_is_waited_for_with_the_money_reserved(open_bench: Open) -> None:
    """429 of the batch queue: nothing was made; the next sitting asks again."""
    bench = open_bench(CREATE | {"kind": "enqueued_limit"})
    bench.sit(*orders(2))
    assert bench.states() == ["sent"] * 2
    assert bench.closed_by is None
    bench.set_faults(LIST | {"kind": "server_error"})
    bench.sit()
    assert bench.created() == []
    bench.sit()
    bench.later()
    bench.sit()
    assert bench.states() == ["received"] * 2
    assert len(bench.created()) == 1


@pytest.mark.parametrize("kind", ["invalid_key", "quota", "billing_hard_limit", "retired"])
@pytest.mark.parametrize(
    "where", some_every_day([CREATE, UPLOAD | {"times": 1}], lambda where: where is CREATE)
)
def test_what_stops_a_run_plans_its_orders_again(open_bench: Open, kind: str, where: dict[str, Any]) -> None:
    """Nothing was made: the budget is free again, the run is stopped, and a resumed one buys."""
    bench = open_bench(where | {"kind": kind})
    bench.sit(*orders(2))
    assert bench.states() == ["planned"] * 2
    assert isinstance(bench.closed_by, StopRunError)
    assert bench.shop.ledger.orders.charged_usd(bench.shop.records()[0].order.run_id) == 0
    bench.sit()
    bench.later()
    bench.sit()
    assert bench.states() == ["received"] * 2
    assert bench.is_right()


def test_an_upload_that_fails_is_tried_again_because_it_costs_nothing(open_bench: Open) -> None:
    """Twice in the same sitting; a third failure leaves it to the next one."""
    bench = open_bench(UPLOAD | {"kind": "drop", "times": 2})
    bench.sit(*orders(1))
    assert bench.steps() == ["created"]
    bench.set_faults(UPLOAD | {"kind": "server_error", "times": 3})
    bench.sit(batch_order(1))
    assert bench.steps() == ["created", "reserved"]
    bench.sit()
    assert bench.steps() == ["created", "created"]


def test_a_provider_that_cannot_be_reached_stops_the_run(open_bench: Open) -> None:
    """Handing over: the orders are planned again. Looking: the batch stays where it is."""
    bench = open_bench()
    with bench.unreachable():
        bench.sit(*orders(1))
    assert bench.states() == ["planned"]
    assert "address and the network" in str(bench.closed_by)
    bench.sit()
    with bench.unreachable():
        bench.sit()
    assert bench.states() == ["sent"]
    assert "its requests stay charged" in str(bench.closed_by)
    bench.later()
    bench.sit()
    assert bench.states() == ["received"]


@pytest.mark.parametrize("kind", ["drop", "html_200", "server_error", "rate_limited"])
def test_a_look_that_fails_is_taken_again_later(open_bench: Open, kind: str) -> None:
    """A batch that nobody could ask about is neither lost nor bought again."""
    bench = open_bench()
    assert end(bench, LOOK | {"kind": kind, "nth": (2,)}, count=2) == ["sent"] * 2
    bench.sit()
    assert bench.states() == ["received"] * 2


def test_a_key_that_no_longer_counts_stops_the_run_and_leaves_the_batch_out(open_bench: Open) -> None:
    """The message says that the batch goes on and how to go on with it."""
    bench = open_bench()
    assert end(bench, LOOK | {"kind": "invalid_key", "nth": (2,)}, count=1) == ["sent"]
    assert "Set a valid key for the provider" in str(bench.closed_by)
    bench.sit()
    assert bench.states() == ["received"]


def test_a_batch_that_the_provider_forgot_is_unknown(open_bench: Open) -> None:
    """It may have been billed: its requests stay charged."""
    bench = open_bench()
    assert end(bench, LOOK | {"kind": "batch_gone", "nth": (2,)}, count=2) == ["unknown"] * 2
    assert bench.batches() == []
    assert bench.shop.ledger.verify() == []


def test_a_line_that_the_provider_refuses_fails_alone_and_the_others_go_again(open_bench: Open) -> None:
    """The file was refused whole, nothing was billed; the order of line 1 is at fault."""
    bench = open_bench()
    assert end(bench, CREATE | {"kind": "batch_invalid"}, count=3) == ["failed", "sent", "sent"]
    assert [(one.state, one.n_pictures) for one in bench.shop.purchases] == [("failed", 0)]
    bench.later()
    bench.sit()
    assert bench.states() == ["failed", "received", "received"]
    assert bench.is_right()


def test_a_refusal_that_names_no_line_stops_the_run(open_bench: Open) -> None:
    """Handing the same file over again would be refused again."""
    bench = open_bench()
    rule = CREATE | {"kind": "batch_invalid", "code": "token_limit_exceeded"}
    assert end(bench, rule, count=2) == ["planned"] * 2
    assert "token_limit_exceeded" in str(bench.closed_by)
    assert bench.shop.ledger.verify() == []


def test_a_refusal_of_a_file_that_is_gone_from_the_disk_stops_the_run(
    open_bench: Open, tmp_path: Path
) -> None:
    """Nobody can tell whose line 1 was."""
    bench = open_bench(CREATE | {"kind": "batch_invalid"})
    bench.sit(*orders(2))
    for file in (tmp_path / "batches").glob("*.jsonl"):
        file.unlink()
    bench.later()
    bench.sit()
    assert bench.states() == ["planned"] * 2
    assert bench.closed_by is not None


def test_an_expired_batch_is_paid_for_what_was_done_and_the_rest_goes_again(open_bench: Open) -> None:
    """Half of the lines were done in a day."""
    bench = open_bench()
    assert end(bench, CREATE | {"kind": "batch_expires", "share": 0.5}) == ["received"] * 3 + ["sent"] * 3
    bench.later()
    bench.sit()
    assert bench.states() == ["received"] * 6
    assert bench.is_right()


def test_a_batch_that_could_not_end_in_a_day_expires(open_bench: Open) -> None:
    """By the clock, a line an hour."""
    bench = open_bench(batch_pace_s=3 * 3600.0)
    bench.sit(*orders(9))
    bench.later(A_DAY_S)
    bench.sit()
    assert sorted(bench.states()) == ["received"] * 6 + ["sent"] * 3
    assert bench.is_right()


def test_orders_that_the_server_failed_go_again_twice_and_have_failed_then(open_bench: Open) -> None:
    """As one by one: 500 is not billed and is tried three times in all."""
    bench = open_bench()
    rule = {"kind": "batch_all_failed", "path": "/v1/batches", "method": "POST"}
    assert end(bench, rule, count=2) == ["sent"] * 2
    for states in (["sent"] * 2, ["failed"] * 2):
        bench.later()
        bench.sit()
        assert bench.states() == states
    assert [record.n_sends for record in bench.shop.records()] == [3, 3]
    assert bench.is_right()
