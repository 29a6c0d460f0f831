"""What can go wrong with a batch at the provider: what it does to the orders and to the money."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tasks.errors import StopRunError
from tasks.ledger import Limits
from tests.support.batch_shop import (
    A_DAY_S,
    BatchShop,
    a_picture,
    batch_order,
    open_batch_shop,
    orders,
)

Open = Callable[..., BatchShop]
CREATE: dict[str, Any] = {"path": "/v1/batches", "method": "POST", "times": 1}
UPLOAD: dict[str, Any] = {"path": "/v1/files", "method": "POST"}
LOOK: dict[str, Any] = {"path": "/v1/batches/", "method": "GET", "times": 1}
LIST: dict[str, Any] = {"path": "/v1/batches", "method": "GET", "times": 1}
DOWNLOAD: dict[str, Any] = {"path": "/content", "method": "GET"}


@pytest.fixture
def open_shop(tmp_path: Path) -> Iterator[Open]:
    """Open a shop with faults; closed at the end."""
    opened: list[Any] = []

    def open_one(*faults: dict[str, Any], **settings: Any) -> BatchShop:
        opened.append(open_batch_shop(tmp_path, *faults, **settings))
        shop: BatchShop = opened[-1].__enter__()
        return shop

    yield open_one
    for one in opened:
        one.__exit__(None, None, None)


def end(bench: BatchShop, *rules: dict[str, Any], count: int = 6) -> list[str]:
    """Buy orders that meet faults, collect them, and tell the states."""
    bench.set_faults(*rules)
    bench.sit(*orders(count))
    bench.later()
    bench.sit()
    return bench.states()


@pytest.mark.parametrize("kind", ["bill_then_drop", "html_200"])
def test_a_batch_whose_creation_was_not_answered_is_found_by_its_key(open_shop: Open, kind: str) -> None:
    """The provider made it; the list shows it; no second one is made."""
    bench = open_shop()
    rule = CREATE | {"kind": kind, "billed": True}
    assert end(bench, rule, count=2) == ["received"] * 2
    assert len(bench.created()) == 1
    assert bench.is_right()


def test_a_batch_that_the_list_does_not_show_is_waited_for_and_then_given_up_as_unknown(
    open_shop: Open,
) -> None:
    """Nobody can tell whether it was made; it is asked for once, and its requests stay charged."""
    bench = open_shop(CREATE | {"kind": "drop"})
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


def test_a_list_that_cannot_be_read_gives_nothing_up(open_shop: Open) -> None:
    """Whether the batch exists is found out later; until then its orders are out."""
    bench = open_shop(CREATE | {"kind": "bill_then_drop"}, LIST | {"kind": "server_error", "times": 2})
    bench.sit(*orders(2))
    bench.later(3600)
    bench.sit()
    assert bench.states() == ["sent"] * 2
    bench.later()
    bench.sit()
    assert bench.states() == ["received"] * 2
    assert len(bench.created()) == 1


def test_a_page_in_place_of_the_list_gives_nothing_up(open_shop: Open) -> None:
    """A gateway's page says nothing of batches."""
    bench = open_shop(CREATE | {"kind": "bill_then_drop"}, LIST | {"kind": "html_200"})
    bench.sit(*orders(1))
    assert bench.states() == ["sent"]
    bench.later()
    bench.sit()
    assert bench.states() == ["received"]


@pytest.mark.parametrize("status", [500, 503])
def test_a_creation_that_the_provider_failed_is_asked_for_again(open_shop: Open, status: int) -> None:
    """It said that it failed and its list has none: the next sitting looks once more and asks again."""
    bench = open_shop(CREATE | {"kind": "server_error", "status": status})
    bench.sit(*orders(2))
    assert bench.states() == ["sent"] * 2
    bench.sit()
    bench.later()
    bench.sit()
    assert bench.states() == ["received"] * 2
    assert len(bench.created()) == 1


def test_a_batch_that_was_made_though_the_provider_said_it_failed_is_not_made_twice(open_shop: Open) -> None:
    """Before it asks again it looks, and finds it."""
    bench = open_shop(
        CREATE | {"kind": "server_error", "billed": True}, LIST | {"kind": "server_error", "nth": (1,)}
    )
    bench.sit(*orders(2))
    bench.sit()
    bench.later()
    bench.sit()
    assert bench.states() == ["received"] * 2
    assert len(bench.created()) == 1


def test_a_full_queue_is_waited_for_with_the_money_reserved(open_shop: Open) -> None:
    """429 of the batch queue: nothing was made; the next sitting asks again."""
    bench = open_shop(CREATE | {"kind": "enqueued_limit"})
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
@pytest.mark.parametrize("where", [CREATE, UPLOAD | {"times": 1}])
def test_what_stops_a_run_plans_its_orders_again(open_shop: Open, kind: str, where: dict[str, Any]) -> None:
    """Nothing was made: the budget is free again, the run is stopped, and a resumed one buys."""
    bench = open_shop(where | {"kind": kind})
    bench.sit(*orders(2))
    assert bench.states() == ["planned"] * 2
    assert isinstance(bench.closed_by, StopRunError)
    assert bench.shop.ledger.orders.charged_usd(bench.shop.records()[0].order.run_id) == 0
    bench.sit()
    bench.later()
    bench.sit()
    assert bench.states() == ["received"] * 2
    assert bench.is_right()


def test_an_upload_that_fails_is_tried_again_because_it_costs_nothing(open_shop: Open) -> None:
    """Twice in the same sitting; a third failure leaves it to the next one."""
    bench = open_shop(UPLOAD | {"kind": "drop", "times": 2})
    bench.sit(*orders(1))
    assert bench.steps() == ["created"]
    bench.set_faults(UPLOAD | {"kind": "server_error", "times": 3})
    bench.sit(batch_order(1))
    assert bench.steps() == ["created", "reserved"]
    bench.sit()
    assert bench.steps() == ["created", "created"]


def test_a_provider_that_cannot_be_reached_stops_the_run(open_shop: Open) -> None:
    """Handing over: the orders are planned again. Looking: the batch stays where it is."""
    bench = open_shop()
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
def test_a_look_that_fails_is_taken_again_later(open_shop: Open, kind: str) -> None:
    """A batch that nobody could ask about is neither lost nor bought again."""
    bench = open_shop()
    assert end(bench, LOOK | {"kind": kind, "nth": (2,)}, count=2) == ["sent"] * 2
    bench.sit()
    assert bench.states() == ["received"] * 2


def test_a_key_that_no_longer_counts_stops_the_run_and_leaves_the_batch_out(open_shop: Open) -> None:
    """The message says that the batch goes on and how to go on with it."""
    bench = open_shop()
    assert end(bench, LOOK | {"kind": "invalid_key", "nth": (2,)}, count=1) == ["sent"]
    assert "Set a valid key for the provider" in str(bench.closed_by)
    bench.sit()
    assert bench.states() == ["received"]


def test_a_batch_that_the_provider_forgot_is_unknown(open_shop: Open) -> None:
    """It may have been billed: its requests stay charged."""
    bench = open_shop()
    assert end(bench, LOOK | {"kind": "batch_gone", "nth": (2,)}, count=2) == ["unknown"] * 2
    assert bench.batches() == []
    assert bench.shop.ledger.verify() == []


def test_a_line_that_the_provider_refuses_fails_alone_and_the_others_go_again(open_shop: Open) -> None:
    """The file was refused whole, nothing was billed; the order of line 1 is at fault."""
    bench = open_shop()
    assert end(bench, CREATE | {"kind": "batch_invalid"}, count=3) == ["failed", "sent", "sent"]
    bench.later()
    bench.sit()
    assert bench.states() == ["failed", "received", "received"]
    assert bench.is_right()


def test_a_refusal_that_names_no_line_stops_the_run(open_shop: Open) -> None:
    """Handing the same file over again would be refused again."""
    bench = open_shop()
    rule = CREATE | {"kind": "batch_invalid", "code": "token_limit_exceeded"}
    assert end(bench, rule, count=2) == ["planned"] * 2
    assert "token_limit_exceeded" in str(bench.closed_by)
    assert bench.shop.ledger.verify() == []


def test_a_refusal_of_a_file_that_is_gone_from_the_disk_stops_the_run(
    open_shop: Open, tmp_path: Path
) -> None:
    """Nobody can tell whose line 1 was."""
    bench = open_shop(CREATE | {"kind": "batch_invalid"})
    bench.sit(*orders(2))
    for file in (tmp_path / "batches").glob("*.jsonl"):
        file.unlink()
    bench.later()
    bench.sit()
    assert bench.states() == ["planned"] * 2
    assert bench.closed_by is not None


def test_an_expired_batch_is_paid_for_what_was_done_and_the_rest_goes_again(open_shop: Open) -> None:
    """Half of the lines were done in a day."""
    bench = open_shop()
    assert end(bench, CREATE | {"kind": "batch_expires", "share": 0.5}) == ["received"] * 3 + ["sent"] * 3
    bench.later()
    bench.sit()
    assert bench.states() == ["received"] * 6
    assert bench.is_right()


def test_a_batch_that_could_not_end_in_a_day_expires(open_shop: Open) -> None:
    """By the clock, a line an hour."""
    bench = open_shop(batch_pace_s=3 * 3600.0)
    bench.sit(*orders(9))
    bench.later(A_DAY_S)
    bench.sit()
    assert sorted(bench.states()) == ["received"] * 6 + ["sent"] * 3
    assert bench.is_right()


def test_orders_that_the_server_failed_go_again_twice_and_have_failed_then(open_shop: Open) -> None:
    """As one by one: 500 is not billed and is tried three times in all."""
    bench = open_shop()
    rule = {"kind": "batch_all_failed", "path": "/v1/batches", "method": "POST"}
    assert end(bench, rule, count=2) == ["sent"] * 2
    for states in (["sent"] * 2, ["failed"] * 2):
        bench.later()
        bench.sit()
        assert bench.states() == states
    assert [record.n_sends for record in bench.shop.records()] == [3, 3]
    assert bench.is_right()


@pytest.mark.parametrize("kind", ["batch_reversed", "batch_line_doubled"])
def test_lines_in_any_sequence_and_twice_change_nothing(open_shop: Open, kind: str) -> None:
    """Each order is settled once, by its own line."""
    bench = open_shop()
    assert end(bench, CREATE | {"kind": kind}) == ["received"] * 6
    assert len(bench.shop.purchases) == 6
    assert bench.is_right()


@pytest.mark.parametrize("kind", ["batch_line_truncated", "batch_line_missing"])
def test_an_order_that_no_whole_line_speaks_of_is_unknown(open_shop: Open, kind: str) -> None:
    """It ran and may have been billed: it stays charged and is not bought again."""
    bench = open_shop()
    assert sorted(end(bench, CREATE | {"kind": kind})) == ["received"] * 5 + ["unknown"]
    assert bench.batches() == []
    assert bench.shop.ledger.verify() == []


def test_a_download_that_breaks_off_is_read_again(open_shop: Open) -> None:
    """What was read is settled; the second reading settles the rest."""
    bench = open_shop()
    assert end(bench, DOWNLOAD | {"kind": "download_cut", "times": 1}) == ["received"] * 6
    assert bench.is_right()


def test_a_download_that_always_breaks_off_is_left_to_the_next_sitting(open_shop: Open) -> None:
    """Three times; what came is kept, the rest is still out."""
    bench = open_shop()
    states = end(bench, DOWNLOAD | {"kind": "download_cut"})
    assert set(states) == {"received", "sent"}
    bench.set_faults()
    bench.sit()
    assert bench.states() == ["received"] * 6
    assert bench.is_right()


def test_results_that_are_gone_are_unknown(open_shop: Open) -> None:
    """The provider keeps them for a month; they were billed."""
    bench = open_shop()
    assert end(bench, DOWNLOAD | {"kind": "file_gone"}, count=2) == ["unknown"] * 2
    assert bench.shop.ledger.verify() == []


def test_a_cancelled_batch_keeps_what_was_done_and_stops_the_run(open_shop: Open) -> None:
    """Somebody wanted no more of it: the rest is planned, and bought only when the run is resumed."""
    bench = open_shop()
    bench.sit(*orders(6))
    bench.later(4)
    bench.sit()
    bench.cancel()
    bench.later()
    bench.sit()
    assert sorted(bench.states()) == ["planned"] * 3 + ["received"] * 3
    assert "was cancelled" in str(bench.closed_by)
    assert bench.is_right()
    bench.sit()
    bench.later()
    bench.sit()
    assert bench.states() == ["received"] * 6
    assert bench.is_right()


LINE: dict[str, Any] = {"method": "BATCH", "nth": (1,)}


@pytest.mark.parametrize(
    ("rule", "state"),
    [
        ({"kind": "moderation"}, "refused"),
        ({"kind": "rate_limited"}, "sent"),
        ({"kind": "server_error"}, "sent"),
        ({"kind": "server_error", "status": 504}, "unknown"),
        ({"kind": "comet_error"}, "failed"),
        ({"kind": "drop"}, "unknown"),
        ({"kind": "bill_then_drop"}, "unknown"),
        ({"kind": "empty_data"}, "unknown"),
        ({"kind": "missing_usage"}, "received"),
        ({"kind": "wrong_size"}, "received"),
        ({"kind": "lower_tier"}, "received"),
        ({"kind": "truncated_png"}, "received"),
    ],
)
def test_a_line_means_what_the_same_answer_means_one_by_one(
    open_shop: Open, rule: dict[str, Any], state: str
) -> None:
    """The taxonomy is one: what was certainly not billed goes again, the rest is settled."""
    bench = open_shop()
    assert sorted(end(bench, LINE | rule, count=3)) == sorted(["received"] * 2 + [state])
    assert bench.shop.ledger.verify() == []


def test_a_used_up_quota_stops_the_run_after_everything_that_came_was_kept(open_shop: Open) -> None:
    """The first line says so; the others were done and are collected first."""
    bench = open_shop()
    assert end(bench, LINE | {"kind": "quota"}, count=3) == ["planned", "received", "received"]
    assert isinstance(bench.closed_by, StopRunError)
    assert bench.batches() == []


def test_a_rate_limit_in_every_batch_stops_the_run_in_the_end(open_shop: Open) -> None:
    """It is handed over five times, a day each."""
    bench = open_shop({"kind": "rate_limited", "method": "BATCH"})
    bench.sit(*orders(1))
    for _ in range(5):
        assert bench.states() == ["sent"]
        bench.later()
        bench.sit()
    assert bench.states() == ["planned"]
    assert isinstance(bench.closed_by, StopRunError)


def test_a_fault_of_one_batch_leaves_the_budget_of_another_alone(open_shop: Open) -> None:
    """Two batches are out; one is refused, and what it had reserved is free again."""
    bench = open_shop()
    bench.limit_files(lines=2)
    bench.limits = Limits(per_run_usd=batch_order().estimate_usd * 4)
    bench.set_faults(CREATE | {"kind": "batch_invalid", "code": "invalid_model"})
    bench.sit(*orders(4))
    bench.later()
    bench.sit()
    states = sorted(bench.states())
    assert states[:2] == ["planned"] * 2
    assert set(states[2:]) <= {"sent", "received"}, "the other batch is out, or back already"
    bench.sit()
    bench.later()
    bench.sit()
    assert bench.states() == ["received"] * 4
    assert bench.is_right()


def test_other_batches_on_the_list_are_passed_over(open_shop: Open) -> None:
    """One of this hour and one of yesterday are somebody's; ours is not among them."""
    bench = open_shop()
    bench.sit(*orders(1))
    bench.later()
    bench.sit(batch_order(1))
    bench.later(600)
    bench.set_faults(CREATE | {"kind": "drop"})
    bench.sit(batch_order(2))
    assert bench.steps() == ["asked"]
    bench.later(601)
    bench.sit()
    assert sorted(bench.states()) == ["received", "received", "unknown"]
    assert len(bench.created()) == 2


def test_a_batch_that_the_list_shows_late_is_taken_up_and_not_asked_for_again(open_shop: Open) -> None:
    """The provider said that it failed, its list lagged, and the batch was there all the same."""
    bench = open_shop(
        CREATE | {"kind": "server_error", "billed": True}, LIST | {"kind": "server_error", "nth": (1,)}
    )
    bench.sit(*orders(1))
    (batch,) = bench.batches()
    bench.shop.ledger.batches.advance(batch.batch_key, "uploaded")
    bench.later()
    bench.sit()
    assert bench.states() == ["received"]
    assert len(bench.created()) == 1


def test_a_picture_that_cannot_be_uploaded_leaves_its_batch_reserved(open_shop: Open, tmp_path: Path) -> None:
    """The next sitting goes on; a remembered file that cannot be looked for does the same."""
    bench = open_shop(UPLOAD | {"kind": "server_error", "times": 3})
    reference = a_picture(tmp_path / "bottle.png")
    bench.sit(batch_order(0, endpoint="edits", references=(reference,)))
    assert bench.steps() == ["reserved"]
    bench.sit()
    bench.set_faults({"path": "/v1/files/", "method": "GET", "kind": "server_error", "times": 1})
    bench.sit(batch_order(1, endpoint="edits", references=(reference,)))
    assert bench.steps() == ["created", "reserved"]
    bench.sit()
    bench.later()
    bench.sit()
    assert bench.states() == ["received"] * 2
    assert bench.uploads("vision") == 1


def test_cancelling_asks_for_what_is_created_and_takes_back_what_is_not(open_shop: Open) -> None:
    """A batch at the provider, one that is only reserved, and one that nobody can tell of."""
    bench = open_shop()
    bench.sit(batch_order(0))
    bench.set_faults(UPLOAD | {"kind": "server_error", "times": 3})
    bench.sit(batch_order(1))
    bench.set_faults(CREATE | {"kind": "drop"})
    bench.shop.ledger.orders.plan([batch_order(2)])
    bench.submit(batch_order(2))
    assert bench.steps() == ["asked", "created", "reserved"]
    assert bench.stop() == 1
    assert bench.steps() == ["asked", "created"]
    assert sorted(bench.states()) == ["planned", "sent", "sent"]
    bench.later()
    bench.sit()
    assert bench.stop() == 0


def test_a_batch_that_is_over_cannot_be_cancelled_and_that_is_said(open_shop: Open) -> None:
    """The provider answers 409; its pictures are collected as ever."""
    bench = open_shop()
    bench.sit(*orders(1))
    bench.later()
    assert bench.stop() == 1
    assert "Cannot cancel" in next(iter(bench.notes.values()))
    bench.sit()
    assert bench.states() == ["received"]
