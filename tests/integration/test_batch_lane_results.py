"""What a batch leaves: lines, downloads, cancelling, and batches of others on the list."""

from pathlib import Path
from typing import Any

import pytest

from tasks.errors import StopRunError
from tasks.ledger import Limits
from tests.support.batch_shop import (
    CREATE,
    DOWNLOAD,
    LIST,
    UPLOAD,
    Open,
    a_picture,
    batch_order,
    end,
    orders,
)
from tests.support.ledgers import count_statements


@pytest.mark.parametrize("kind", ["batch_reversed", "batch_line_doubled"])
def test_lines_in_any_sequence_and_twice_change_nothing(open_bench: Open, kind: str) -> None:
    """Each order is settled once, by its own line."""
    bench = open_bench()
    assert end(bench, CREATE | {"kind": kind}) == ["received"] * 6
    assert len(bench.shop.purchases) == 6
    assert bench.is_right()


@pytest.mark.parametrize("kind", ["batch_line_truncated", "batch_line_missing"])
def test_an_order_that_no_whole_line_speaks_of_is_unknown(open_bench: Open, kind: str) -> None:
    """It ran and may have been billed: it stays charged and is not bought again."""
    bench = open_bench()
    assert sorted(end(bench, CREATE | {"kind": kind})) == ["received"] * 5 + ["unknown"]
    assert bench.batches() == []
    assert bench.shop.ledger.verify() == []


def test_a_download_that_breaks_off_is_read_again(open_bench: Open) -> None:
    """What was read is settled; the second reading settles the rest."""
    bench = open_bench()
    assert end(bench, DOWNLOAD | {"kind": "download_cut", "times": 1}) == ["received"] * 6
    assert bench.is_right()


def test_a_download_that_always_breaks_off_is_left_to_the_next_sitting(open_bench: Open) -> None:
    """Three times; what came is kept, the rest is still out."""
    bench = open_bench()
    states = end(bench, DOWNLOAD | {"kind": "download_cut"})
    assert set(states) == {"received", "sent"}
    bench.set_faults()
    bench.sit()
    assert bench.states() == ["received"] * 6
    assert bench.is_right()


def test_results_that_are_gone_are_unknown(open_bench: Open) -> None:
    """The provider keeps them for a month; they were billed."""
    bench = open_bench()
    assert end(bench, DOWNLOAD | {"kind": "file_gone"}, count=2) == ["unknown"] * 2
    assert bench.shop.ledger.verify() == []


def test_a_batch_whose_results_are_gone_is_closed_in_few_transactions(open_bench: Open) -> None:
    """It may have thousands of orders, and a commit waits for the disk."""
    bench = open_bench(DOWNLOAD | {"kind": "file_gone"})
    bench.sit(*orders(40))
    bench.later()
    counted = count_statements(bench.shop.ledger)
    bench.sit()
    assert bench.states() == ["unknown"] * 40
    assert counted["BEGIN IMMEDIATE"] <= 25
    assert bench.shop.ledger.verify() == []


def test_a_cancelled_batch_keeps_what_was_done_and_stops_the_run(open_bench: Open) -> None:
    """Somebody wanted no more of it: the rest is planned, and bought only when the run is resumed."""
    bench = open_bench()
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
        pytest.param({"kind": "rate_limited"}, "sent", marks=pytest.mark.slow),
        ({"kind": "server_error"}, "sent"),
        ({"kind": "server_error", "status": 504}, "unknown"),
        pytest.param({"kind": "comet_error"}, "failed", marks=pytest.mark.slow),
        pytest.param({"kind": "drop"}, "unknown", marks=pytest.mark.slow),
        ({"kind": "bill_then_drop"}, "unknown"),
        ({"kind": "empty_data"}, "unknown"),
        pytest.param({"kind": "missing_usage"}, "received", marks=pytest.mark.slow),
        pytest.param({"kind": "wrong_size"}, "received", marks=pytest.mark.slow),
        pytest.param({"kind": "lower_tier"}, "received", marks=pytest.mark.slow),
        pytest.param({"kind": "truncated_png"}, "received", marks=pytest.mark.slow),
    ],
)
def test_a_line_means_what_the_same_answer_means_one_by_one(
    open_bench: Open, rule: dict[str, Any], state: str
) -> None:
    """The taxonomy is one: what was certainly not billed goes again, the rest is settled."""
    bench = open_bench()
    assert sorted(end(bench, LINE | rule, count=3)) == sorted(["received"] * 2 + [state])
    assert all(one.n_pictures == (one.state == "received") for one in bench.shop.purchases)
    assert bench.shop.ledger.verify() == []


def test_a_used_up_quota_stops_the_run_after_everything_that_came_was_kept(open_bench: Open) -> None:
    """The first line says so; the others were done and are collected first."""
    bench = open_bench()
    assert end(bench, LINE | {"kind": "quota"}, count=3) == ["planned", "received", "received"]
    assert isinstance(bench.closed_by, StopRunError)
    assert bench.batches() == []


def test_a_rate_limit_in_every_batch_stops_the_run_in_the_end(open_bench: Open) -> None:
    """It is handed over five times, a day each."""
    bench = open_bench({"kind": "rate_limited", "method": "BATCH"})
    bench.sit(*orders(1))
    for _ in range(5):
        assert bench.states() == ["sent"]
        bench.later()
        bench.sit()
    assert bench.states() == ["planned"]
    assert isinstance(bench.closed_by, StopRunError)


def test_a_fault_of_one_batch_leaves_the_budget_of_another_alone(open_bench: Open) -> None:
    """Two batches are out; one is refused, and what it had reserved is free again."""
    bench = open_bench()
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


def test_other_batches_on_the_list_are_passed_over(open_bench: Open) -> None:
    """One of this hour and one of yesterday are somebody's; ours is not among them."""
    bench = open_bench()
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


def test_a_batch_that_the_list_shows_late_is_taken_up_and_not_asked_for_again(open_bench: Open) -> None:
    """The provider said that it failed, its list lagged, and the batch was there all the same."""
    bench = open_bench(
        CREATE | {"kind": "server_error", "billed": True}, LIST | {"kind": "server_error", "nth": (1,)}
    )
    bench.sit(*orders(1))
    (batch,) = bench.batches()
    bench.shop.ledger.batches.advance(batch.batch_key, "uploaded")
    bench.later()
    bench.sit()
    assert bench.states() == ["received"]
    assert len(bench.created()) == 1


def test_a_picture_that_cannot_be_uploaded_leaves_its_batch_reserved(
    open_bench: Open, tmp_path: Path
) -> None:
    """The next sitting goes on; a remembered file that cannot be looked for does the same."""
    bench = open_bench(UPLOAD | {"kind": "server_error", "times": 3})
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


def test_cancelling_asks_for_what_is_created_and_takes_back_what_is_not(open_bench: Open) -> None:
    """A batch at the provider, one that is only reserved, and one that nobody can tell of."""
    bench = open_bench()
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


def test_a_batch_that_is_over_cannot_be_cancelled_and_that_is_said(open_bench: Open) -> None:
    """The provider answers 409; its pictures are collected as ever."""
    bench = open_bench()
    bench.sit(*orders(1))
    bench.later()
    assert bench.stop() == 1
    assert "Cannot cancel" in next(iter(bench.notes.values()))
    bench.sit()
    assert bench.states() == ["received"]
