"""A ledger that was damaged, emptied or set back: it is never called right, and nothing is spent by it."""

import os
import random
import shutil
import sqlite3
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from flows.command_line import runoff
from flows.runs.checking import check_ledger
from tasks.errors import LedgerError, RunoffError
from tasks.ledger import Ledger, open_existing_ledger
from tasks.settings import Settings
from tests.support.builders import NOON, RUN_ID, an_order
from tests.support.fuzzing import bounded, fuzz
from tests.support.ledgers import open_ledger
from tests.support.paid_home import buy, paid_home

NOISE_BYTES = 8192
OTHER_RUN = "20261123-120000-othr"


@pytest.fixture(scope="module")
def pristine(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with a run of 40 drafts, for copies."""
    home = tmp_path_factory.mktemp("pristine")
    paid_home(home, 40)
    return home


@pytest.fixture
def paid(pristine: Path, tmp_path: Path) -> Path:
    """A home with a run of 40 drafts."""
    shutil.copytree(pristine, tmp_path / "home")
    return tmp_path / "home"


def spoil(file: Path, offset: int, n_bytes: int, seed: int = 0) -> None:
    """Write noise into a file."""
    with file.open("r+b") as stream:
        stream.seek(offset)
        stream.write(random.Random(seed).randbytes(n_bytes))


def page_of(file: Path, text: bytes) -> int:
    """Find the last page of a database that holds a text: opening it needs no page of pictures."""
    return file.read_bytes().rindex(text) // 4096 * 4096


def tamper(ledger: Ledger, statement: str) -> None:
    """Change the ledger behind its back."""
    with ledger.database.write() as connection:
        connection.execute(sa.text(statement))


def said(*words: str | Path) -> tuple[int, str]:
    """Give the command; returns its exit code and all that it says, an error's sentence included."""
    done = CliRunner().invoke(runoff, [str(word) for word in words])
    if isinstance(done.exception, RunoffError):
        return done.exception.exit_code, done.output + str(done.exception)
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    return done.exit_code, done.output


def read_all(home: Path) -> None:
    """Read what a ledger has, and trust it."""
    with open_ledger(home) as ledger:
        for run in ledger.runs.all():
            assert sum(record.n_sends for record in ledger.orders.of_run(run.run_id)) >= 0
            assert all(candidate.name for candidate in ledger.candidates.of_run(run.run_id))
        ledger.spending.by("run")


def test_noise_in_the_middle_is_damage_and_never_right(paid: Path) -> None:
    """What SQLite itself can tell is asked for, and the answer leads to a way back."""
    file = paid / "ledger.db"
    spoil(file, page_of(file, b"drafts/"), NOISE_BYTES)
    checked = check_ledger(Settings.of(paid, {}))
    assert checked.faults
    assert "runoff ledger rebuild" in checked.next_step
    assert "1 run" in checked.next_step
    with open_ledger(paid) as ledger, pytest.raises(LedgerError, match="is damaged"):
        ledger.require_fit_to_spend(paid)
    code, text = said("ledger", "verify", "--home", paid)
    assert code == 1
    assert "consistent" not in text


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ("UPDATE orders SET n_sends = 'often' WHERE replicate = 1", "orders.n_sends holds 1 values"),
        ("UPDATE orders SET sent_at = 'yesterday' WHERE replicate = 1", "the table orders has a row that"),
        ("UPDATE orders SET parameters = '{' WHERE replicate = 1", "the table orders has a row that"),
        ("UPDATE candidates SET file = x'ff' WHERE replicate = 1", "candidates.file holds 1 values"),
        ("UPDATE runs SET campaign = CAST(x'ff41' AS TEXT)", "the table runs has a row that"),
    ],
)
def test_values_that_nobody_wrote_are_damage(paid: Path, change: str, fault: str) -> None:
    """SQLite finds nothing wrong with them; who reads them gets one sentence, not a traceback."""
    with open_ledger(paid) as ledger:
        tamper(ledger, change)
        assert fault in " ".join(ledger.damage())
        assert ledger.verify() == ledger.damage()
    with pytest.raises(LedgerError, match="is damaged"):
        read_all(paid)


def test_a_bug_stays_a_bug_where_the_ledger_is_sound(paid: Path) -> None:
    """An exception is blamed on the ledger only if the ledger is damaged."""
    message = "its own"
    with pytest.raises(KeyError), open_ledger(paid):
        raise KeyError(RUN_ID)
    with open_ledger(paid) as ledger, pytest.raises(ValueError, match="own"), ledger.database.read():
        raise ValueError(message)


def test_a_reference_to_nothing_is_told(paid: Path) -> None:
    """A row whose order is gone is no damage of the database, but a fault."""
    with open_ledger(paid) as ledger:
        with closing(sqlite3.connect(paid / "ledger.db")) as connection, connection:
            connection.execute("DELETE FROM orders WHERE replicate = 3")
        assert ledger.damage() == []
        assert "1 row of candidates point to orders that are not there." in ledger.verify()


def test_a_budget_that_no_order_charged_is_told(home: Path) -> None:
    """A sum without orders is as wrong as orders without a sum."""
    with open_ledger(home) as ledger:
        tamper(ledger, "INSERT INTO budgets (scope, charged_nanousd) VALUES ('run:none', 5000000000)")
        assert ledger.verify() == ["budget run:none holds 5 dollars; its orders add up to 0."]


def test_a_ledger_without_its_log_is_not_a_home_without_runs(tmp_path: Path) -> None:
    """Killed, and its log deleted: the file is empty beside paid pictures, and every door says so."""
    live, home = tmp_path / "live", tmp_path / "home"
    live.mkdir()
    ledger = open_ledger(live)
    ledger.runs.start(RUN_ID, campaign="otters", provider="emulator", now=NOON)
    buy(ledger, live, [an_order(0)])
    shutil.copytree(live, home, ignore=shutil.ignore_patterns("*-wal", "*-shm"))
    ledger.close()
    with open_ledger(home) as emptied:
        assert emptied.runs.all() == []
        assert f"run otters/{RUN_ID}" in " ".join(emptied.verify(home))
        with pytest.raises(LedgerError, match=r"does not know 1 run .*missing from every budget"):
            emptied.require_fit_to_spend(home)
    for words in (["runs"], ["ledger", "spend"], ["ledger", "verify"], ["report"]):
        _, text = said(*words, "--home", home)
        assert RUN_ID in text
        assert "runoff ledger rebuild" in text
        assert "no runs" not in text


@pytest.mark.parametrize("offset", [0, 24, 4200, 9000, 40_000])
def test_noise_in_the_log_loses_nothing_in_silence(tmp_path: Path, offset: int) -> None:
    """SQLite reads a log up to the first frame that is not what was written; the disk knows the rest."""
    live, home = tmp_path / "live", tmp_path / "home"
    live.mkdir()
    ledger = open_ledger(live)
    ledger.runs.start(RUN_ID, campaign="otters", provider="emulator", now=NOON)
    buy(ledger, live, [an_order(k) for k in range(4)])
    shutil.copytree(live, home, ignore=shutil.ignore_patterns("*-shm"))
    ledger.close()
    spoil(home / "ledger.db-wal", offset, 100)
    with open_ledger(home) as left, pytest.raises(LedgerError, match=r"does not know|is damaged"):
        left.require_fit_to_spend(home)


def test_a_missing_ledger_beside_paid_pictures_is_told(paid: Path, tmp_path: Path) -> None:
    """The home is not new; where there is nothing at all, it is."""
    (paid / "ledger.db").unlink()
    with pytest.raises(LedgerError, match=f"is missing and .*{RUN_ID}.*with paid pictures on disk"):
        open_existing_ledger(paid, {})
    code, text = said("runs", "--home", paid)
    assert (code, RUN_ID in text) == (1, True)
    assert "There are no runs" in said("runs", "--home", tmp_path / "nothing")[1]


def test_a_ledger_set_back_within_a_run_is_told(paid: Path) -> None:
    """An answer whose order is planned or unknown was paid; nothing is bought until somebody decides."""
    with open_ledger(paid) as ledger:
        ledger.require_fit_to_spend(paid)
        assert ledger.verify(paid) == []
        first, second, *_ = ledger.orders.of_run(RUN_ID)
        tamper(ledger, f"DELETE FROM candidates WHERE order_id = '{first.order.order_id}'")
        tamper(ledger, f"DELETE FROM orders WHERE order_id = '{first.order.order_id}'")
        tamper(ledger, f"UPDATE orders SET state = 'planned' WHERE order_id = '{second.order.order_id}'")
        with pytest.raises(LedgerError, match=r"does not know 2 paid answers .*missing from every budget"):
            ledger.require_fit_to_spend(paid)
        faults = " ".join(ledger.verify(paid))
    assert f"answer {paid}/otters/{RUN_ID}/answers/{first.order.order_id}.json" in faults
    assert f"picture {paid}/otters/{RUN_ID}/drafts/A-000-000.png is unknown" in faults


def test_what_just_arrives_is_not_unknown(paid: Path) -> None:
    """A picture and its sidecar are on disk before the ledger has them: their order is in flight."""
    order = an_order(50)
    with open_ledger(paid) as ledger:
        buy(ledger, paid, [order])
        tamper(ledger, f"DELETE FROM candidates WHERE order_id = '{order.order_id}'")
        tamper(
            ledger,
            "UPDATE orders SET state = 'sent', cost_nanousd = NULL, charged_nanousd = 8000000, "
            f"estimate_nanousd = 8000000 WHERE order_id = '{order.order_id}'",
        )
        assert ledger.verify(paid) == []


def test_a_run_that_only_began_is_not_missed(paid: Path) -> None:
    """Another process makes the folder before the ledger knows the run; nothing is paid in it."""
    (paid / "otters" / OTHER_RUN / "answers").mkdir(parents=True)
    (paid / "otters" / OTHER_RUN / "campaign.yaml").write_text("name: otters")
    with open_ledger(paid) as ledger:
        ledger.require_fit_to_spend(paid)
        assert ledger.verify(paid) == []


@pytest.mark.parametrize("offset", [0, 100, 4096])
def test_a_ledger_that_cannot_be_opened_names_its_backup(paid: Path, offset: int) -> None:
    """A broken header, or a broken list of tables, says which backup there is and what lies beside it."""
    with open_ledger(paid) as ledger:
        ledger.back_up(NOON + timedelta(hours=1))
    spoil(paid / "ledger.db", offset, 2000)
    with pytest.raises(LedgerError, match="is damaged") as caught, open_ledger(paid) as ledger:
        ledger.orders.of_run(RUN_ID)
    text = str(caught.value)
    assert "2026-11-22 13:00:00 UTC" in text
    assert "pictures and answers of 1 run" in text
    assert "runoff ledger restore" in text
    assert "ledger verify" not in text


def test_a_list_of_tables_that_is_not_text_is_damage(paid: Path) -> None:
    """SQLite's message quotes the noise, and Python cannot read the message."""
    with closing(sqlite3.connect(paid / "ledger.db")) as connection, connection:
        connection.execute("PRAGMA writable_schema = ON")
        noise = "name = CAST(x'cd41' AS TEXT), sql = 'CREATE nothing'"
        connection.execute(f"UPDATE sqlite_schema SET {noise} WHERE name = 'orders'")
    with pytest.raises(LedgerError, match=r"is damaged: The list of its tables is not text\."):
        read_all(paid)


def use(home: Path) -> None:
    """Read all that a ledger has, and buy one order."""
    read_all(home)
    with open_ledger(home) as ledger:
        ledger.require_fit_to_spend(home)
        new = an_order(90)
        ledger.orders.plan([new])
        buy(ledger, home, [an_order(91)])
        ledger.runs.end(RUN_ID, "done", NOON)


@fuzz(examples=10)
@given(data=st.data())
def test_any_damage_to_pages_has_a_name(pristine: Path, tmp_path: Path, data: Any) -> None:
    """Wherever noise falls: no traceback, and nothing is read as right that the check calls damaged."""
    shutil.rmtree(tmp_path, ignore_errors=True)
    shutil.copytree(pristine, tmp_path)
    file = tmp_path / "ledger.db"
    size = file.stat().st_size
    for _ in range(data.draw(st.integers(1, 3))):
        spoil(
            file,
            data.draw(st.integers(0, size - 1)),
            data.draw(st.integers(1, NOISE_BYTES)),
            data.draw(st.integers(0, 2**32)),
        )
    os.truncate(file, data.draw(st.integers(size - 4096, size) | st.integers(0, size)))
    with bounded():
        faults = []
        try:
            faults = check_ledger(Settings.of(tmp_path, {})).faults
            use(tmp_path)
        except LedgerError:
            return
        assert not any("malformed" in fault for fault in faults)
