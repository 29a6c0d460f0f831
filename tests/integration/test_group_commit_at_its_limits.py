"""Shared transactions at the limits of a machine: no thread, no room, a locked file, the end of a process."""

import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from tasks.errors import LedgerError
from tasks.ledger import Ledger, Settlement
from tests.support.builders import NOON, RUN_ID
from tests.support.child_process import started
from tests.support.ledgers import open_ledger
from tests.support.moves import LIMIT_S, NO_LIMITS, planned, together

REPOSITORY = Path(__file__).parents[2]


@pytest.fixture
def ledger(home: Path) -> Iterator[Ledger]:
    """A ledger with a run."""
    with open_ledger(home) as opened:
        opened.runs.start(RUN_ID, campaign="otters", provider="emulator", now=NOON)
        yield opened


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
