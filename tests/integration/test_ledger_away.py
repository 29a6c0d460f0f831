"""A PostgreSQL server that goes away in the middle: it is waited for, and every order is written once."""

import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from tasks.errors import ConnectionLostError, LedgerError
from tasks.ledger import Ledger, Limits, Settlement, postgresql_engine
from tasks.ledger.database import Database, ledger_url
from tasks.ledger.schema import budgets, orders
from tests.support.builders import NOON, RUN_ID, an_order
from tests.support.child_process import read_line, started, wait_for_end, wait_until
from tests.support.ledgers import open_ledger
from tests.support.postgresql_server import PASSWORD, PostgresqlServer


@pytest.fixture
def ledger(tmp_path: Path, postgresql: PostgresqlServer, monkeypatch: pytest.MonkeyPatch) -> Iterator[Ledger]:
    """A ledger in a database of the server, with two planned orders."""
    monkeypatch.setenv("RUNOFF_LEDGER_URL", postgresql.new_ledger())
    with open_ledger(tmp_path) as ledger:
        ledger.runs.start(RUN_ID, campaign="otters", provider="emulator", now=NOON)
        ledger.orders.plan([an_order(), an_order(1)])
        yield ledger


@pytest.mark.slow
def test_what_is_written_while_the_server_restarts_is_written_once_it_is_back(
    ledger: Ledger, postgresql: PostgresqlServer
) -> None:
    """Several threads wait; one line says that it is away and one that it is back, without its password."""
    said: list[str] = []
    ledger.database.say = said.append
    sent, received = an_order(), an_order(1)
    ledger.orders.send(received, Limits(), NOON)
    with postgresql.away(0.3):
        threads = [
            threading.Thread(target=ledger.orders.send, args=(sent, Limits(), NOON)),
            threading.Thread(target=ledger.orders.settle, args=(received.order_id, Settlement("refused"))),
            threading.Thread(target=ledger.orders.of_run, args=(RUN_ID,)),
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert ledger.orders.counts(RUN_ID) == {("draft", "sent"): 1, ("draft", "refused"): 1}
    assert ["does not answer" in line for line in said] == [True, False]
    assert "answers again" in said[1]
    assert PASSWORD not in "".join(said)
    assert ledger.verify() == []


def cut_before(words: str) -> Callable[..., str]:
    """Make what an engine calls before each statement; it returns the words once it has come to them."""

    def is_it(_connection: sa.Connection, _cursor: Any, statement: str, *_: Any) -> str:
        return words if words in statement else ""

    return is_it


def commit_first(connection: sa.Connection) -> str:
    """Commit, so that only the answer is lost."""
    assert connection.connection.dbapi_connection is not None
    connection.connection.dbapi_connection.commit()
    return "committed"


@pytest.mark.parametrize(
    ("event", "comes_to_it"),
    [
        ("before_cursor_execute", cut_before("UPDATE orders")),
        ("before_cursor_execute", cut_before("pg_current_xact_id")),
        ("commit", commit_first),
    ],
    ids=["in the middle", "before the commit", "after the commit"],
)
def test_a_transaction_whose_connection_breaks_is_carried_out_once(
    event: str, comes_to_it: Callable[..., str], ledger: Ledger, postgresql: PostgresqlServer
) -> None:
    """Whether it was committed or not is asked of the server, never guessed."""
    broken: list[str] = []

    def cut(connection: sa.Connection, *rest: Any) -> None:
        if not broken and (what := comes_to_it(connection, *rest)):
            broken.append(what)
            driver: Any = connection.connection.dbapi_connection
            postgresql.run("postgres", f"SELECT pg_terminate_backend({driver.info.backend_pid}, 5000)")

    sa.event.listen(ledger.database.engine, event, cut)
    ledger.orders.send(an_order(), Limits(), NOON)
    assert broken
    (record,) = ledger.orders.of_run(RUN_ID, "sent")
    assert ledger.orders.charged_usd(RUN_ID) == record.order.estimate_usd
    assert ledger.verify() == []


AWAY_S = 3.0
"""Longer than a busy machine takes to fail at once."""


def test_a_server_that_stays_away_is_given_up_once(postgresql: PostgresqlServer, tmp_path: Path) -> None:
    """After the limit all that wait fail, and what comes after fails at once; a new start finds it again."""
    database = Database(ledger_url(tmp_path, postgresql.new_ledger()), away_s=AWAY_S)

    def read(one: Database = database) -> None:
        with one.read() as connection:
            connection.execute(sa.text("SELECT 1"))

    read()
    postgresql.stop()
    began_s = time.monotonic()
    try:
        with ThreadPoolExecutor(3) as threads:
            waiting = [threads.submit(read) for _ in range(3)]
            assert [type(one.exception()) for one in waiting] == [LedgerError] * 3
        waited_s = time.monotonic() - began_s
        for one in (database, Database(database.url)):
            with pytest.raises(LedgerError, match="refused"):
                read(one)
        assert time.monotonic() - began_s - waited_s < AWAY_S <= waited_s
    finally:
        postgresql.start()
    read()
    database.close()


def test_a_server_that_never_answered_is_not_waited_for() -> None:
    """A wrong address is an error at once."""
    nowhere = Database(sa.make_url("postgresql+psycopg://x@127.0.0.1:1/x"))
    with pytest.raises(LedgerError, match="refused"), nowhere.read():
        pass


def test_a_frozen_server_is_told_and_waited_for(
    ledger: Ledger, postgresql: PostgresqlServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It still has its connections, so that nothing but the time tells; thawed, it has written once."""
    monkeypatch.setattr(postgresql_engine, "SILENT_S", 0.2)
    said: list[str] = []
    ledger.database.say = said.append
    thread = threading.Thread(target=ledger.orders.send, args=(an_order(), Limits(), NOON))
    with postgresql.frozen():
        thread.start()
        wait_until(lambda: bool(said), 10)
        assert thread.is_alive()
    thread.join()
    assert ["does not answer" in line for line in said] == [True, False]
    assert ledger.orders.counts(RUN_ID) == {("draft", "sent"): 1, ("draft", "planned"): 1}


def test_a_server_that_stays_frozen_is_given_up(ledger: Ledger, postgresql: PostgresqlServer) -> None:
    """As one that stays away: no thread waits for it for ever."""
    database = Database(ledger.database.url, wait_s=0.1, away_s=0.3)

    def read_while_it_freezes() -> None:
        with database.read() as connection:
            connection.execute(sa.select(1))
            with postgresql.frozen():
                connection.execute(sa.text("SELECT 2"))

    with pytest.raises(ConnectionLostError, match="no answer within 0 s"):
        read_while_it_freezes()
    database.close()


def test_a_transaction_that_two_processes_block_each_other_in_is_run_again(ledger: Ledger) -> None:
    """An earlier version may lock in another sequence; the server ends one of them, which wrote nothing."""
    first, second = an_order(), an_order(1)
    ledger.orders.send(first, Limits(), NOON)  # which opens the budgets
    other = ledger.database.engine.connect()
    with other, other.begin():
        other.execute(
            sa.text("SET LOCAL deadlock_timeout = '60s'")
        )  # so that it is not the one that is ended
        other.execute(sa.select(budgets).with_for_update())
        sending = ledger.orders.begin_send(second, Limits(), NOON)
        wait_until(lambda: is_anybody_waiting(ledger))
        other.execute(sa.select(orders).where(orders.c.order_id == second.order_id).with_for_update())
    sending.result(60)
    assert ledger.orders.counts(RUN_ID) == {("draft", "sent"): 2}
    assert ledger.verify() == []


def is_anybody_waiting(ledger: Ledger) -> bool:
    """Whether a transaction waits for another one's lock."""
    with ledger.database.read() as connection:
        waiting = sa.text("SELECT count(*) FROM pg_locks WHERE NOT granted")
        return bool(connection.execute(waiting).scalar())


SUSPENDED = """
import sys, threading, time
from sqlalchemy import make_url
from tasks.ledger.database import Database
database = Database(make_url(f"sqlite:///{sys.argv[1]}/ledger.db"), wait_s=0.6)
ends = []

def write(for_s):
    try:
        with database.write():
            time.sleep(for_s)
    except Exception as error:
        ends.append(repr(error))
    else:
        ends.append("written")

threads = [threading.Thread(target=write, args=(for_s,)) for for_s in (0.3, 0.0)]
threads[0].start()
time.sleep(0.1)
threads[1].start()
print("waiting", flush=True)
for thread in threads:
    thread.join()
print(ends, flush=True)
"""


def test_a_process_that_was_suspended_while_it_waited_goes_on(tmp_path: Path) -> None:
    """Longer than it would wait for a lock: nobody has kept the ledger meanwhile, and nobody is blamed."""
    program = [sys.executable, "-c", SUSPENDED, str(tmp_path)]
    with started(program, stdout=subprocess.PIPE, cwd=Path(__file__).parents[2]) as child:
        assert read_line(child) == "waiting\n"
        child.send_signal(signal.SIGSTOP)
        time.sleep(1.0)
        child.send_signal(signal.SIGCONT)
        out, _ = wait_for_end(child)
    assert out == "['written', 'written']\n"
