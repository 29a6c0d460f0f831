"""One process works on a run, among all machines that share a PostgreSQL ledger; a killed one lets go.

A holder that only lost its connection keeps its run; one that cannot come back in time sends nothing more.
"""

import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from tasks.errors import LedgerError, RunError
from tasks.ledger import Ledger, Limits, Settlement, run_hold
from tests.support.builders import NOON, RUN_ID, a_receipt, an_order
from tests.support.child_process import end_by, read_line, started, wait_until
from tests.support.ledgers import open_ledger
from tests.support.postgresql_server import PostgresqlServer

HOLD_UNTIL_KILLED = """
import sys, time
from pathlib import Path
from tests.support.ledgers import open_ledger
with open_ledger(Path(sys.argv[1])) as ledger, ledger.hold(sys.argv[2], "the lock file"):
    print("held", flush=True)
    time.sleep(600)
"""
LOOK_EVERY_S = 0.1
GRACE_S = 3.0
"""Longer than a holder takes to lock again, also on a busy machine."""


@pytest.fixture
def machines(
    tmp_path: Path, postgresql: PostgresqlServer, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[Ledger, Ledger]]:
    """Open one ledger as two impatient machines do; its run has two planned orders."""
    monkeypatch.setattr(run_hold, "LOOK_EVERY_S", LOOK_EVERY_S)
    monkeypatch.setattr(run_hold, "RECONNECT_EVERY_S", LOOK_EVERY_S)
    monkeypatch.setattr(run_hold, "GRACE_S", GRACE_S)
    monkeypatch.setenv("RUNOFF_LEDGER_URL", postgresql.new_ledger())
    with open_ledger(tmp_path) as here, open_ledger(tmp_path) as there:
        here.runs.start(RUN_ID, campaign="otters", provider="emulator", now=NOON)
        here.orders.plan([an_order(), an_order(1)])
        yield here, there


def cut_holds(server: PostgresqlServer) -> None:
    """End the connections that hold an advisory lock, as a firewall or a restart does."""
    server.run(
        "postgres", "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND granted"
    )


def test_a_run_held_on_one_machine_is_left_alone_on_the_others(
    tmp_path: Path, postgresql: PostgresqlServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A second holder is told, another run is free; a SIGKILL frees the run, on its own machine at once."""
    monkeypatch.setenv("RUNOFF_LEDGER_URL", postgresql.new_ledger())
    program = [sys.executable, "-c", HOLD_UNTIL_KILLED, str(tmp_path), RUN_ID]
    with (
        open_ledger(tmp_path) as ledger,
        started(program, stdout=subprocess.PIPE, cwd=Path(__file__).parents[2]) as other,
    ):
        assert read_line(other) == "held\n"
        with pytest.raises(RunError, match="another process is working on it"), ledger.hold(RUN_ID):
            pass
        with ledger.hold("another-run"):
            assert (ledger.is_held(RUN_ID), ledger.is_held("another-run")) == (True, True)
        end_by(other, signal.SIGKILL)
        wait_until(lambda: not ledger.is_held(RUN_ID), 5)
        began_s = time.monotonic()
        for _ in range(2):
            with ledger.hold(RUN_ID, "the lock file"):
                pass
        assert time.monotonic() - began_s < run_hold.GRACE_S / 2


def test_a_holder_that_lost_its_connection_keeps_its_run(
    postgresql: PostgresqlServer, machines: tuple[Ledger, Ledger]
) -> None:
    """Another machine that tries at that moment waits for it, and is refused; the holder sends on."""
    here, there = machines
    with here.hold(RUN_ID, "here"):
        cut_holds(postgresql)
        with pytest.raises(RunError, match="another process is working on it"), there.hold(RUN_ID, "there"):
            pass
        here.orders.send(an_order(), Limits(), NOON)
    with there.hold(RUN_ID, "there"):
        assert there.orders.counts(RUN_ID) == {("draft", "sent"): 1, ("draft", "planned"): 1}


@pytest.mark.slow  # every day: a lost connection, above, and test_ledger_away.py
def test_a_holder_survives_a_restart_of_the_server(
    postgresql: PostgresqlServer, machines: tuple[Ledger, Ledger]
) -> None:
    """Whoever is first to come back after it, the run stays with its holder."""
    here, there = machines
    with here.hold(RUN_ID, "here"):
        with postgresql.away(0.3):
            there.runs.all()  # waits until the server is back
        with pytest.raises(RunError, match="working on it"), there.hold(RUN_ID, "there"):
            pass
        here.orders.send(an_order(), Limits(), NOON)


def test_a_process_that_lost_its_run_sends_nothing_more_and_its_pictures_are_kept(
    postgresql: PostgresqlServer, machines: tuple[Ledger, Ledger], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Cut off for longer than others wait: the next order is refused, the answer in flight is settled."""
    here, there = machines
    in_flight, later = an_order(), an_order(1)

    def cut_off() -> sa.Connection:
        raise sa.exc.OperationalError(None, None, OSError())

    with here.hold(RUN_ID, "here"):
        here.orders.send(in_flight, Limits(), NOON)
        monkeypatch.setattr(here.database, "connect", cut_off)
        monkeypatch.setattr(run_hold, "GRACE_S", 2 * LOOK_EVERY_S)
        cut_holds(postgresql)
        wait_until(lambda: not there.is_held(RUN_ID), 5)
        with there.hold(RUN_ID, "there"):
            there.orders.settle(in_flight.order_id, Settlement("unknown", error_code="interrupted"))
            for act in (
                lambda: here.orders.send(later, Limits(), NOON),
                lambda: here.batches.reserve([later], Limits(), NOON),
                lambda: here.runs.end(RUN_ID, "stopped", NOON),
            ):
                with pytest.raises(RunError, match="another process has taken it over"):
                    act()
            here.orders.settle(in_flight.order_id, Settlement("received"), [a_receipt(in_flight)])
            assert there.runs.find(RUN_ID).state == "running"
            there.orders.send(later, Limits(), NOON)
        assert there.verify() == []
    assert not there.is_held(RUN_ID)


def test_a_worker_of_a_holder_that_lost_its_run_sends_nothing_either(
    machines: tuple[Ledger, Ledger],
) -> None:
    """It works by the token of the holder, not by a lock of its own."""
    here, there = machines
    with here.hold(RUN_ID, "here"):
        there.share_hold(RUN_ID, here.hold_of(RUN_ID))
        there.orders.send(an_order(), Limits(), NOON)
    with here.hold(RUN_ID, "here"), pytest.raises(RunError, match="another process has taken it over"):
        there.orders.send(an_order(1), Limits(), NOON)


def test_a_ledger_that_is_away_is_told(
    tmp_path: Path, postgresql: PostgresqlServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody holds a run without being sure of it."""
    monkeypatch.setenv("RUNOFF_LEDGER_URL", postgresql.new_ledger())
    ledger = open_ledger(tmp_path)
    ledger.close()
    postgresql.refuse_connections(ledger.database.url.database or "")
    with pytest.raises(LedgerError), ledger.hold(RUN_ID):
        pass
