"""Opening a ledger: addresses, older ledgers, many at once, and databases that are locked or read-only."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path

import pytest
import sqlalchemy as sa

from tasks.errors import LedgerError
from tasks.ledger import Ledger, Limits, Settlement
from tasks.ledger import ledger as ledger_module
from tasks.ledger.database import LEDGER_VARIABLE, ledger_url
from tasks.ledger.schema import HEAD
from tests.support.builders import NOON, RUN_ID, a_receipt, an_order
from tests.support.child_process import TextProcess, read_line, started, wait_for_end
from tests.support.ledgers import open_ledger, open_migrated_ledger, open_older_ledger
from tests.support.postgresql_server import PASSWORD, PostgresqlServer

REPOSITORY = Path(__file__).parents[2]
SHORT_WAIT_S = 0.2
# Another process that keeps the ledger to itself until its input ends.
HOLD = """
import os, sys
import sqlalchemy as sa
from pathlib import Path
from tests.support.ledgers import open_ledger, open_older_ledger
ledger = open_ledger(Path(sys.argv[1]))
with ledger.database.write() as connection:
    if connection.dialect.name == "postgresql":
        connection.execute(sa.text("LOCK TABLE orders IN EXCLUSIVE MODE"))
    print("held", flush=True)
    sys.stdin.read()
"""
OPEN = """
import sys
from pathlib import Path
from tests.support.ledgers import open_ledger, open_older_ledger
sys.stdin.read()
open_ledger(Path(sys.argv[1])).close()
"""


def _start(script: str, home: Path) -> AbstractContextManager[TextProcess]:
    words = [sys.executable, "-c", script, str(home)]
    pipes = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
    return started(words, cwd=REPOSITORY, **pipes)


@contextmanager
def _held_elsewhere(home: Path) -> Iterator[None]:
    with _start(HOLD, home) as holder:
        assert read_line(holder) == "held\n"
        yield
        wait_for_end(holder)


@pytest.fixture
def planned(home: Path) -> Iterator[Ledger]:
    """A ledger that does not wait long, with one planned order."""
    ledger = open_ledger(home, SHORT_WAIT_S)
    ledger.runs.start(RUN_ID, campaign="otters", provider="emulator", now=NOON)
    ledger.orders.plan([an_order()])
    yield ledger
    ledger.close()


def test_a_locked_ledger_is_told_and_nothing_is_sent(home: Path, planned: Ledger) -> None:
    """Whoever waits too long for another process gets one clear error; afterwards all goes on."""
    with _held_elsewhere(home), pytest.raises(LedgerError, match=r"ledger .* locked|lock timeout") as caught:
        planned.orders.send(an_order(), Limits(), NOON)
    assert "runoff run --resume" in str(caught.value)
    assert [record.state for record in planned.orders.of_run(RUN_ID)] == ["planned"]
    planned.orders.send(an_order(), Limits(), NOON)
    assert planned.verify() == []


def test_a_thread_that_waits_too_long_is_told(planned: Ledger) -> None:
    """Threads of one process wait for one another as long as for other processes, and no longer."""
    with (
        planned.database.write(),
        pytest.raises(LedgerError, match=r"is busy: another writer has kept it for 0\.2 s"),
    ):
        planned.orders.send(an_order(), Limits(), NOON)


def test_a_read_only_ledger_is_told_and_nothing_is_sent(
    home: Path, planned: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What may be read and not written is one clear error at the first order."""
    if planned.database.url.get_backend_name() == "sqlite":
        address = f"sqlite:///file:{home / 'ledger.db'}?mode=ro&uri=true"
    else:
        options = {"options": "-c default_transaction_read_only=on"}
        address = planned.database.url.set(query=options).render_as_string(hide_password=False)
    monkeypatch.setenv("RUNOFF_LEDGER_URL", address)
    read_only = open_ledger(home)
    assert [record.state for record in read_only.orders.of_run(RUN_ID)] == ["planned"]
    with pytest.raises(LedgerError, match=r"readonly|read-only"):
        read_only.orders.send(an_order(), Limits(), NOON)
    read_only.close()
    assert planned.orders.charged_usd(RUN_ID) == 0


@pytest.mark.slow
@pytest.mark.parametrize("home", ["sqlite", "postgresql"], indirect=True)
def test_many_processes_open_a_new_ledger_at_once(home: Path) -> None:
    """The tables are made once, and every process finds them."""
    with ExitStack() as stack:
        openers = [stack.enter_context(_start(OPEN, home)) for _ in range(3)]
        for opener in openers:
            assert opener.stdin is not None
            opener.stdin.close()
        errors = [wait_for_end(opener)[1] for opener in openers]
    assert errors == [""] * 3
    ledger = open_ledger(home)
    assert ledger.verify() == []
    ledger.close()


def copy_what_fits(today: Ledger, older: Ledger) -> None:
    """Write today's rows into an older ledger's tables, as far as those have the columns."""
    tables, own = sa.MetaData(), sa.MetaData()
    with today.database.read() as source, older.database.write() as target:
        tables.reflect(target)
        own.reflect(source)
        for table in tables.sorted_tables:
            if table.name == "alembic_version":
                continue
            names = [column.name for column in table.columns]
            rows = source.execute(sa.select(*(own.tables[table.name].c[name] for name in names))).all()
            if rows:
                target.execute(table.insert(), [dict(zip(names, row, strict=True)) for row in rows])


def test_what_the_first_version_wrote_is_brought_up_to_date(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A ledger of version 0001 keeps its orders, sums and pictures, and can do what is new."""
    received, lost = an_order(), an_order(replicate=1)
    older = open_older_ledger(home, "0001")
    with monkeypatch.context() as patch:
        patch.delenv(LEDGER_VARIABLE, raising=False)
        (home / "today").mkdir()
        today = open_ledger(home / "today")
    today.runs.start(RUN_ID, campaign="otters", provider="emulator", now=NOON)
    today.orders.plan([received, lost])
    today.orders.send(received, Limits(), NOON)
    today.orders.settle(received.order_id, Settlement("received", is_charged=True), [a_receipt(received)])
    today.orders.send(lost, Limits(), NOON)
    today.orders.settle(lost.order_id, Settlement("unknown"))
    before = today.orders.of_run(RUN_ID)
    copy_what_fits(today, older)
    with older.database.read() as connection:
        assert not sa.inspect(connection).has_table("reconciliations")
    today.close()
    older.close()
    newer = open_migrated_ledger(home)
    assert newer.orders.of_run(RUN_ID) == before
    (picture,) = newer.candidates.of_run(RUN_ID)
    assert (picture.candidate_id, picture.sha256) == (a_receipt(received).candidate_id, received.file_stem())
    assert newer.verify() == []
    newer.reconciliations.record([lost.order_id], "unbilled", by="mara", now=NOON)
    assert newer.verify() == []
    newer.close()


def test_head_is_the_newest_migration() -> None:
    """The version that code asks for is the last one that the scripts make."""
    scripts = Path(ledger_module.__file__).parent / "migrations" / "versions"
    assert sorted(scripts.glob("m*.py"))[-1].name.startswith(f"m{HEAD}_")


@pytest.mark.parametrize(
    ("address", "what"),
    [
        ("sqlite:////nowhere/at/all/ledger.db", "its folder /nowhere/at/all does not exist"),
        ("not an address with s3cret", "is not a database address"),
        ("postgresql://u:s3cret@host:notaport/x", "is not a database address"),
        ("mysql://u:s3cret@host/x", "names a mysql database"),
        ("oracle+nothing://u:s3cret@host/x", "names a oracle"),
        ("sqlite://", "is an in-memory ledger"),
        ("sqlite:///:memory:", "is an in-memory ledger"),
        ("postgresql://u:s3cret@127.0.0.1:1/x?password=s3cret", "refused"),
    ],
)
def test_an_address_that_is_none_is_told_without_its_password(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, address: str, what: str
) -> None:
    """A ledger that cannot be reached is one clear error, and no secret is in it."""
    monkeypatch.setenv("RUNOFF_LEDGER_URL", address)
    with pytest.raises(LedgerError, match=what) as caught:
        open_ledger(tmp_path)
    assert "s3cret" not in str(caught.value)


def test_a_wrong_password_is_told_without_it(
    tmp_path: Path, postgresql: PostgresqlServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The server's refusal is passed on, the password is not."""
    monkeypatch.setenv("RUNOFF_LEDGER_URL", postgresql.new_database().replace(PASSWORD, "s3cret"))
    with pytest.raises(LedgerError, match="password authentication failed") as caught:
        open_ledger(tmp_path)
    assert "s3cret" not in str(caught.value)


def test_postgresql_without_its_driver_says_how_to_get_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The driver is an extra; who lacks it is told its name."""
    monkeypatch.setitem(sys.modules, "psycopg", None)
    monkeypatch.setenv("RUNOFF_LEDGER_URL", "postgres://u@host/x")
    with pytest.raises(LedgerError, match=r"pip install 'psycopg\[binary\]>=3.2'"):
        open_ledger(tmp_path)


def test_an_error_without_words_is_still_a_sentence(tmp_path: Path) -> None:
    """A driver that says nothing at all is told as one that does not answer."""
    ledger = open_ledger(tmp_path)
    with pytest.raises(LedgerError, match="does not answer"), ledger.database.read():
        raise sa.exc.DBAPIError(None, None, Exception(""))
    with pytest.raises(LedgerError, match="no connection left"), ledger.database.read():
        raise sa.exc.TimeoutError("no connection left")  # noqa: EM101
    ledger.close()


def test_the_ledger_is_in_the_home_unless_an_address_is_given(tmp_path: Path) -> None:
    """Without an address it is a file beside the pictures."""
    assert ledger_url(tmp_path, None).database == str(tmp_path / "ledger.db")
    assert ledger_url(tmp_path, "postgres://u@h/x").drivername == "postgresql+psycopg"
