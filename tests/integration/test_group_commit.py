"""Orders moved at the same time share a transaction, and each fares as if it had had one of its own."""

import asyncio
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, wait
from contextlib import closing
from datetime import UTC, datetime
from decimal import Decimal
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tasks.crash_points import watching
from tasks.errors import BudgetError, LedgerError, RunError, RunoffError
from tasks.ledger import Ledger, Limits, Settlement
from tasks.ledger.group_commit import MOST_TOGETHER
from tasks.money import from_nanousd, to_nanousd
from tasks.order import Order
from tests.support.builders import NOON, RUN_ID, a_receipt, an_order
from tests.support.child_process import started
from tests.support.fuzzing import fuzz_factor
from tests.support.ledgers import open_ledger

NO_LIMITS = Limits()
CENT = Decimal("0.01")
LIMIT_S = 30.0
REPOSITORY = Path(__file__).parents[2]
Moves = list["Future[None]"]


@pytest.fixture
def ledger(home: Path) -> Iterator[Ledger]:
    """A ledger with a run."""
    with open_ledger(home) as opened:
        opened.runs.start(RUN_ID, campaign="otters", provider="emulator", now=NOON)
        yield opened


def planned(ledger: Ledger, n: int, **changes: Any) -> list[Order]:
    """Plan some orders."""
    orders = [an_order(k, **changes) for k in range(n)]
    ledger.orders.plan(orders)
    return orders


def together(ledger: Ledger, begin: Callable[[], Moves]) -> list[BaseException | None]:
    """Begin moves while another transaction is under way; returns the error of each."""
    with ledger.database.write():
        moves = begin()
    wait(moves, LIMIT_S)
    return [move.exception(0) for move in moves]


def transactions(ledger: Ledger) -> list[str]:
    """List the transactions of a ledger as they are committed from now on."""
    committed: list[str] = []
    sa.event.listen(ledger.database.engine, "commit", lambda _: committed.append("commit"))
    return committed


def test_orders_sent_at_the_same_time_share_a_transaction_and_are_charged_each(ledger: Ledger) -> None:
    """So do those that are settled, with their pictures."""
    orders = planned(ledger, 20)
    committed = transactions(ledger)
    begin_send, begin_settle = ledger.orders.begin_send, ledger.orders.begin_settle
    sent = together(ledger, lambda: [begin_send(one, NO_LIMITS, NOON) for one in orders])
    assert sent == [None] * 20
    assert ledger.orders.charged_usd(RUN_ID) == 20 * CENT
    end = Settlement("received", cost_usd=CENT / 2)
    settled = together(ledger, lambda: [begin_settle(one.order_id, end, [a_receipt(one)]) for one in orders])
    assert settled == [None] * 20
    assert len(committed) == 2 + 2 + 1, "two others that were waited for, two shared ones, and one read"
    assert ledger.orders.charged_usd(RUN_ID) == 10 * CENT
    assert len(ledger.candidates.of_run(RUN_ID)) == 20
    assert ledger.verify() == []


LIMIT_USD = Decimal("0.0353")


@pytest.mark.parametrize(
    "limits",
    [
        Limits(per_run_usd=LIMIT_USD),
        Limits(per_month_usd=LIMIT_USD),
        Limits(ledger_per_month_usd=LIMIT_USD),
    ],
    ids=["run", "campaign", "ledger"],
)
def test_those_that_fit_into_a_budget_are_sent_and_others_are_refused(ledger: Ledger, limits: Limits) -> None:
    """Those asked for first come first, and a cheaper one after a refused one may still fit."""
    dear, cheap = planned(ledger, 4), planned(ledger, 2, row=1, estimate_usd=CENT / 4)
    wanted = [*dear, *cheap]
    ends = together(ledger, lambda: [ledger.orders.begin_send(one, limits, NOON) for one in wanted])
    assert [type(end) for end in ends] == [type(None)] * 3 + [BudgetError] + [type(None)] * 2
    assert "0.03 dollars are spent or reserved of 0.0353" in str(ends[3])
    assert ledger.orders.charged_usd(RUN_ID) == Decimal("0.035")
    assert ledger.verify() == []


def test_a_draft_counts_for_the_limit_of_its_arm_at_once(ledger: Ledger) -> None:
    """Of three of an arm two fit; another arm has no limit; money that a settlement frees counts too."""
    of_a, of_b = planned(ledger, 3), planned(ledger, 3, arm="B")
    limits = Limits(per_arm_usd={"A": Decimal("0.02")})
    begin = ledger.orders.begin_send
    ends = together(ledger, lambda: [begin(one, limits, NOON) for one in [*of_a, *of_b]])
    assert [type(end) for end in ends] == [type(None)] * 2 + [BudgetError] + [type(None)] * 3
    ends = together(
        ledger,
        lambda: [
            ledger.orders.begin_settle(of_a[0].order_id, Settlement("refused")),
            begin(of_a[2], limits, NOON),
        ],
    )
    assert ends == [None, None]
    assert ledger.verify() == []


def test_what_is_wrong_with_one_order_is_its_own(ledger: Ledger) -> None:
    """A state it is not in, a time without a zone, a picture that is stored already: the others go on."""
    orders = planned(ledger, 6)
    for order in orders[:3]:
        ledger.orders.send(order, NO_LIMITS, NOON)
    ledger.orders.settle(orders[0].order_id, Settlement("received", cost_usd=CENT), [a_receipt(orders[0])])
    end = Settlement("received", cost_usd=CENT)
    begin_settle, begin_send = ledger.orders.begin_settle, ledger.orders.begin_send
    ends = together(
        ledger,
        lambda: [
            begin_settle(orders[0].order_id, end, [a_receipt(orders[0])]),
            begin_settle(orders[1].order_id, end, [a_receipt(orders[0])]),
            begin_settle(orders[2].order_id, end, [a_receipt(orders[2])]),
            begin_send(orders[3], NO_LIMITS, NOON.replace(tzinfo=None)),
            begin_send(orders[4], NO_LIMITS, NOON),
            begin_send(an_order(99), NO_LIMITS, NOON),
        ],
    )
    assert [isinstance(end, LedgerError) for end in ends] == [True, True, False, True, False, True]
    assert "is not sent" in str(ends[0])
    assert "no time zone" in str(ends[3])
    assert "is not planned" in str(ends[5])
    states = [record.state for record in ledger.orders.of_run(RUN_ID)]
    assert states == ["received", "sent", "received", "planned", "sent", "planned"]
    assert ledger.verify() == []


def test_orders_of_a_run_that_was_lost_are_refused_and_those_of_another_run_go_on(ledger: Ledger) -> None:
    """A process may work on two runs, and lose its hold of one."""
    lost, own = planned(ledger, 2), [an_order(k, run_id="20261122-130000-test") for k in range(2)]
    ledger.runs.start(own[0].run_id, campaign="otters", provider="emulator", now=NOON)
    ledger.orders.plan(own)
    ledger.database.holds[RUN_ID] = "a token that another process has replaced"
    wanted = [lost[0], own[0], lost[1], own[1]]
    ends = together(ledger, lambda: [ledger.orders.begin_send(one, NO_LIMITS, NOON) for one in wanted])
    assert [type(end) for end in ends] == [RunError, type(None)] * 2
    assert ledger.orders.charged_usd(RUN_ID) == 0
    assert ledger.orders.charged_usd(own[0].run_id) == 2 * CENT


def test_more_orders_than_share_a_transaction_take_several(ledger: Ledger) -> None:
    """None of them is forgotten, and the others are not kept waiting for ever."""
    orders = planned(ledger, 2 * MOST_TOGETHER + 1)
    committed = transactions(ledger)
    begin = ledger.orders.begin_send
    assert not any(together(ledger, lambda: [begin(one, NO_LIMITS, NOON) for one in orders]))
    assert len(committed) == 1 + 3
    assert ledger.orders.counts(RUN_ID) == {("draft", "sent"): len(orders)}


def test_answers_that_come_together_are_kept_by_their_questions(ledger: Ledger) -> None:
    """Each with its own, though they are written in one statement."""
    asked = [an_order(k, stage="judge", endpoint="chat", prompt=f"What is in picture {k}?") for k in range(3)]
    ledger.orders.plan(asked)
    for order in asked:
        ledger.orders.send(order, NO_LIMITS, NOON)
    end, begin = Settlement("received", cost_usd=CENT), ledger.orders.begin_settle
    moves = [partial(begin, one.order_id, end, (), f"no {k}\0") for k, one in enumerate(asked)]
    assert together(ledger, lambda: [move() for move in reversed(moves)]) == [None] * 3
    expected = {order.question: f"no {k}" for k, order in enumerate(asked)}
    assert ledger.answers.find([order.question for order in asked]) == expected


def test_two_moves_of_one_order_are_made_one_after_the_other(ledger: Ledger) -> None:
    """Of two that would send it one does; a settlement asked for before the send has ended follows it."""
    order, other = planned(ledger, 2)
    begin = ledger.orders.begin_send
    ends = together(
        ledger,
        lambda: [
            begin(order, NO_LIMITS, NOON),
            begin(order, NO_LIMITS, NOON),
            ledger.orders.begin_settle(order.order_id, Settlement("refused")),
            begin(other, NO_LIMITS, NOON),
        ],
    )
    assert [type(end) for end in ends] == [type(None), LedgerError, type(None), type(None)]
    assert ledger.orders.counts(RUN_ID) == {("draft", "refused"): 1, ("draft", "sent"): 1}
    assert ledger.verify() == []


def test_nobody_hears_of_a_move_before_its_commit(ledger: Ledger) -> None:
    """Whoever is told that an order is reserved may send it: by then it has outlived a power cut."""
    orders = planned(ledger, 3)
    moves: Moves = []
    done_by_then: list[bool] = []

    def look(moment: str, _: tuple[Path, ...]) -> None:
        if moment == "before commit" and len(moves) == 3:
            done_by_then.extend(move.done() for move in moves)

    with watching(look):
        with ledger.database.write():
            moves += [ledger.orders.begin_send(one, NO_LIMITS, NOON) for one in orders]
        wait(moves, LIMIT_S)
    assert done_by_then[-3:] == [False] * 3
    assert all(move.done() for move in moves)


def test_a_send_that_nobody_waits_for_any_more_is_dropped_and_a_settlement_is_not(ledger: Ledger) -> None:
    """Cancelled while it waits its turn, an order stays planned; what was paid for is recorded."""
    unsent, sent = planned(ledger, 2)
    ledger.orders.send(sent, NO_LIMITS, NOON)

    async def give_up() -> None:
        with ledger.database.write():
            moves = [
                asyncio.wrap_future(ledger.orders.begin_send(unsent, NO_LIMITS, NOON)),
                asyncio.wrap_future(ledger.orders.begin_settle(sent.order_id, Settlement("refused"))),
            ]
            for move in moves:
                move.cancel()
            await asyncio.gather(*moves, return_exceptions=True)

    asyncio.run(give_up())
    ledger.orders.close()
    assert ledger.orders.counts(RUN_ID) == {("draft", "planned"): 1, ("draft", "refused"): 1}


def test_closing_a_ledger_waits_for_what_was_begun(home: Path, ledger: Ledger) -> None:
    """It is written before the last connection is closed, and no thread is left."""
    orders = planned(ledger, 30)
    with open_ledger(home) as other:
        moves = [other.orders.begin_send(one, NO_LIMITS, NOON) for one in orders]
    assert all(move.done() for move in moves)
    assert ledger.orders.counts(RUN_ID) == {("draft", "sent"): 30}
    assert not [thread for thread in threading.enumerate() if thread.name == "ledger"]


def test_a_process_that_may_start_no_thread_moves_orders_all_the_same(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As at the limit of processes, or while the interpreter ends."""
    (order,) = planned(ledger, 1)

    def refuse(_: threading.Thread) -> None:
        message = "can't start new thread"
        raise RuntimeError(message)

    monkeypatch.setattr(threading.Thread, "start", refuse)
    ledger.orders.send(order, NO_LIMITS, NOON)
    ledger.orders.settle(order.order_id, Settlement("refused"))
    assert ledger.orders.counts(RUN_ID) == {("draft", "refused"): 1}


def test_all_that_wait_for_a_locked_ledger_wait_once(tmp_path: Path) -> None:
    """Their waits overlap: ten fail after the time of one. Once it is free, the same orders are sent."""
    with open_ledger(tmp_path, wait_s=0.6) as ledger:
        ledger.runs.start(RUN_ID, campaign="otters", provider="emulator", now=NOON)
        orders = planned(ledger, 10)
        with closing(sqlite3.connect(tmp_path / "ledger.db", isolation_level=None)) as keeper:
            keeper.execute("BEGIN IMMEDIATE")
            began_s = time.monotonic()
            moves = [ledger.orders.begin_send(one, NO_LIMITS, NOON) for one in orders]
            ends = [move.exception(LIMIT_S) for move in moves]
            waited_s = time.monotonic() - began_s
            keeper.execute("ROLLBACK")
        assert {type(end) for end in ends} == {LedgerError}
        assert all("locked" in str(end) for end in ends)
        assert waited_s < 5 * 0.6, "the first alone, and all others together"
        assert ledger.orders.counts(RUN_ID) == {("draft", "planned"): 10}
        for order in orders:
            ledger.orders.send(order, NO_LIMITS, NOON)
        assert ledger.verify() == []


def test_a_full_disk_fails_all_and_changes_nothing(tmp_path: Path) -> None:
    """Each is told why; with room again, the same ledger goes on."""
    with open_ledger(tmp_path) as ledger:
        ledger.runs.start(RUN_ID, campaign="otters", provider="emulator", now=NOON)
        orders = planned(ledger, 5)
        end = Settlement("failed", error_code="x", error_message="y" * 1_000_000)
        for order in orders:
            ledger.orders.send(order, NO_LIMITS, NOON)

        def limit(connection: Any, _: object = None) -> None:
            n_pages = connection.execute("PRAGMA page_count").fetchone()[0]
            connection.execute(f"PRAGMA max_page_count={n_pages + 1}")

        ledger.database.engine.dispose()
        sa.event.listen(ledger.database.engine, "connect", limit)
        begin = ledger.orders.begin_settle
        rolled_back: list[object] = []
        sa.event.listen(ledger.database.engine, "rollback", rolled_back.append)
        ends = together(ledger, lambda: [begin(order.order_id, end) for order in orders])
        assert all(isinstance(one, LedgerError) and "disk is full" in str(one) for one in ends)
        assert len(rolled_back) == 1, "what fails for all is not tried for each"
        sa.event.remove(ledger.database.engine, "connect", limit)
        ledger.database.engine.dispose()
        assert ledger.orders.counts(RUN_ID) == {("draft", "sent"): 5}
        assert together(ledger, lambda: [begin(one.order_id, end) for one in orders]) == [None] * 5
        assert ledger.verify() == []


BUYING = """
import sys, threading
from itertools import count
from pathlib import Path
from tasks.ledger import Limits, Settlement
from tests.support.builders import NOON, a_receipt, an_order
from tests.support.ledgers import open_ledger
ledger = open_ledger(Path(sys.argv[1]))
numbers, lock = count(), threading.Lock()

def say(*words):
    with lock:
        print(*words, flush=True)

def buy():
    while True:
        order = an_order(next(numbers))
        ledger.orders.plan([order])
        ledger.orders.send(order, Limits(), NOON)
        say("sent", order.order_id)
        ledger.orders.settle(order.order_id, Settlement("received"), [a_receipt(order)])
        say("received", order.order_id)

for _ in range(20):
    threading.Thread(target=buy).start()
"""


def test_what_was_said_to_be_written_outlives_kill_9(home: Path, ledger: Ledger) -> None:
    """A process that buys by twenty threads is killed: the ledger knows every order at least as it said."""
    program = [sys.executable, "-c", BUYING, str(home)]
    with started(program, stdout=subprocess.PIPE, cwd=REPOSITORY) as child:
        assert child.stdout is not None
        said = [child.stdout.readline() for _ in range(200)]
        child.send_signal(signal.SIGKILL)
        said += child.stdout.readlines()
    words = [line.split() for line in said if line.endswith("\n")]
    known = {record.order.order_id: record.state for record in ledger.orders.of_run(RUN_ID)}
    for state, order_id in words:
        assert known[order_id] == "received" or (known[order_id], state) == ("sent", "sent")
    assert ledger.verify() == []


# --- together is as one after the other ---------------------------------------------------------------------

ESTIMATES = st.integers(0, 12_000_000)
KINDS = st.sampled_from(["send", "unsend", "refused", "unknown", "received"])
CASES = st.lists(st.tuples(st.booleans(), ESTIMATES, KINDS, st.sampled_from("AB")), min_size=1, max_size=8)
LIMITS = Limits(Decimal("0.04"), Decimal("0.035"), Decimal("0.03"), {"A": Decimal("0.02")})


@pytest.mark.fuzz
@pytest.mark.parametrize("home", ["sqlite"], indirect=True)
def test_moves_made_together_end_as_if_made_one_after_the_other(home: Path) -> None:
    """Whatever moves of orders in whatever state: the same are refused, and the same is charged."""
    with open_ledger(home) as ledger:
        years = count(2000)

        @settings(
            max_examples=25 * fuzz_factor(), deadline=None, suppress_health_check=[HealthCheck.too_slow]
        )
        @given(CASES)
        def compare(cases: list[tuple[bool, int, str, str]]) -> None:
            alone, shared = (_Case(ledger, next(years), cases) for _ in range(2))
            ends = [move().exception(LIMIT_S) for move in alone.moves]
            assert _kinds(ends) == _kinds(together(ledger, lambda: [move() for move in shared.moves]))
            assert alone.state() == shared.state()

        compare()
        assert ledger.verify() == []


def _kinds(ends: list[BaseException | None]) -> list[tuple[type, str]]:
    return [(type(end), end.what if isinstance(end, RunoffError) else "") for end in ends]


class _Case:
    """Orders of a run in a year of their own, some of them sent, and a move for each."""

    def __init__(self, ledger: Ledger, year: int, cases: list[tuple[bool, int, str, str]]) -> None:
        self._ledger, self._now = ledger, datetime(year, 1, 1, tzinfo=UTC)
        self._run_id = f"run-{year}"
        ledger.runs.start(self._run_id, campaign="otters", provider="emulator", now=self._now)
        orders = [
            an_order(k, run_id=self._run_id, arm=arm, estimate_usd=from_nanousd(nano))
            for k, (_, nano, _, arm) in enumerate(cases)
        ]
        ledger.orders.plan(orders)
        for order, (is_sent, *_) in zip(orders, cases, strict=True):
            if is_sent:
                ledger.orders.send(order, NO_LIMITS, self._now)
        self.moves = [self._move(order, kind) for order, (_, _, kind, _) in zip(orders, cases, strict=True)]

    def _move(self, order: Order, kind: str) -> Callable[[], "Future[None]"]:
        if kind == "send":
            return lambda: self._ledger.orders.begin_send(order, LIMITS, self._now)
        if kind == "unsend":
            return lambda: self._ledger.orders.begin_unsend(order.order_id, "busy", "wait")
        end = Settlement(kind, cost_usd=order.estimate_usd / 2 if kind == "received" else None)  # type: ignore[arg-type]
        pictures = [a_receipt(order)] if kind == "received" else []
        return lambda: self._ledger.orders.begin_settle(order.order_id, end, pictures)

    def state(self) -> list[tuple[str, str, int, int]]:
        """What the ledger has of the orders, and of the month."""
        spent = self._ledger.spending.month(self._now)
        return [
            *(
                (one.order.arm, one.state, to_nanousd(one.charged_usd), one.n_sends)
                for one in self._ledger.orders.of_run(self._run_id)
            ),
            ("", "", to_nanousd(spent.ledger_usd), len(self._ledger.candidates.of_run(self._run_id))),
        ]
