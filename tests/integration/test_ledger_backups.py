"""Backups of the ledger: whole and checked, a few kept, put back without losing what was there."""

import asyncio
import os
import shutil
import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from unittest.mock import patch

import pytest

from flows.commands.buy import DEMO
from flows.runs.ledger_backups import backups, last_sound, make_backup, restore
from flows.session.prepare import prepare
from flows.session.session import open_session
from tasks.catalogue import configs_folder
from tasks.errors import LedgerError, RunError
from tasks.ledger.backups import KEPT_DAYS, KEPT_NEWEST, back_up, check_file, list_backups
from tasks.settings import Settings
from tasks.storage.home import run_lock
from tests.support.builders import NOON, RUN_ID, an_order
from tests.support.ledgers import open_ledger, open_older_ledger
from tests.support.paid_home import buy, paid_home

OTHER_RUN = "20261123-120000-othr"


@pytest.fixture
def paid(tmp_path: Path) -> Path:
    """A home with a run of four drafts."""
    home = tmp_path / "home"
    home.mkdir()
    paid_home(home)
    return home


@pytest.fixture
def settings(paid: Path) -> Settings:
    """Its settings."""
    return Settings.of(paid, {})


def test_a_backup_is_whole_while_others_write(paid: Path) -> None:
    """What was committed is in it, also what is only in the log; it is one file that checks as sound."""
    with open_ledger(paid) as ledger:
        buy(ledger, paid, [an_order(10)])
        file = ledger.back_up(NOON)
        assert file is not None
        buy(ledger, paid, [an_order(11)])
    assert check_file(file) == []
    assert [name.name for name in file.parent.iterdir()] == ["ledger-000001-20261122T120000Z.db"]
    with closing(sqlite3.connect(file)) as copy:
        assert copy.execute("SELECT count(*) FROM orders").fetchone() == (5,)


def test_a_few_are_kept_and_the_newest_is_the_one_made_last(paid: Path) -> None:
    """The last three, and the last ones of three earlier days, also where the clock was set back."""
    file = paid / "ledger.db"
    for day in range(5):
        for hour in range(2):
            back_up(file, NOON + timedelta(days=day, hours=hour))
    last = back_up(file, NOON - timedelta(days=30))
    kept = list_backups(file)
    assert (kept[0].file, kept[0].number) == (last, 11)
    assert len(kept) == KEPT_NEWEST + KEPT_DAYS
    assert [backup.made_at.day for backup in kept] == [23, 26, 26, 25, 24, 23]


def test_what_killed_backups_left_is_deleted_by_a_later_one(paid: Path) -> None:
    """An old unfinished copy goes; a young one may be what another process is writing."""
    folder = back_up(paid / "ledger.db", NOON).parent
    old, young = folder / ".ledger-000009.db.0123.part", folder / ".ledger-000009.db.4567.part"
    for part, made_at in ((old, NOON - timedelta(hours=2)), (young, NOON - timedelta(minutes=2))):
        part.touch()
        os.utime(part, (made_at.timestamp(), made_at.timestamp()))
    back_up(paid / "ledger.db", NOON)
    assert (old.exists(), young.exists()) == (False, True)


def test_a_damaged_ledger_does_not_replace_a_good_backup(paid: Path) -> None:
    """The copy is checked before it gets its name; what is left of it goes."""
    good = back_up(paid / "ledger.db", NOON)
    with (paid / "ledger.db").open("r+b") as stream:
        stream.seek(8192)
        stream.write(b"\xff" * 8192)
    with pytest.raises(LedgerError, match=r"was not backed up: .* earlier backups are unchanged"):
        back_up(paid / "ledger.db", NOON)
    assert [file.name for file in good.parent.iterdir()] == [good.name]


def test_no_backup_fills_the_disk(paid: Path) -> None:
    """With too little room there is none, and that is said."""
    with (
        patch("shutil.disk_usage", lambda _: shutil._ntuple_diskusage(10, 9, 10**6)),
        pytest.raises(LedgerError, match=r"1 MB are left on its disk; .* take 5[01] MB"),
    ):
        back_up(paid / "ledger.db", NOON)
    assert list_backups(paid / "ledger.db") == []


def test_a_migration_leaves_a_backup_of_what_was(tmp_path: Path) -> None:
    """The older ledger can be opened again by the older Runoff."""
    open_older_ledger(tmp_path, "0009").close()
    open_ledger(tmp_path).close()
    (backup,) = list_backups(tmp_path / "ledger.db")
    with closing(sqlite3.connect(backup.file)) as copy:
        assert copy.execute("SELECT version_num FROM alembic_version").fetchone() == ("0009",)


def test_an_older_ledger_that_cannot_be_backed_up_is_not_migrated(tmp_path: Path) -> None:
    """Nothing is changed before there is a way back."""
    open_older_ledger(tmp_path, "0009").close()
    with (
        patch("shutil.disk_usage", lambda _: shutil._ntuple_diskusage(10, 9, 10**6)),
        pytest.raises(LedgerError, match="was not backed up"),
    ):
        open_ledger(tmp_path)
    with closing(sqlite3.connect(tmp_path / "ledger.db")) as ledger:
        assert ledger.execute("SELECT version_num FROM alembic_version").fetchone() == ("0009",)


def test_a_backup_is_put_back_and_nothing_is_lost(paid: Path, settings: Settings) -> None:
    """The ledger before stays beside it, whole with its log; what is newer on disk is counted."""
    backup = make_backup(settings)
    with open_ledger(paid) as ledger:
        buy(ledger, paid, [an_order(10), an_order(11)])
        restored = restore(settings, backup)
        assert restored.before is not None
    assert (restored.n_runs, restored.n_unread) == (1, 4), "two answers and two pictures"
    with open_ledger(paid) as ledger:
        assert len(ledger.orders.of_run(RUN_ID)) == 4
        with pytest.raises(LedgerError, match="does not know 2 paid answers"):
            ledger.require_fit_to_spend(paid)
    with closing(sqlite3.connect(restored.before)) as before:
        assert before.execute("SELECT count(*) FROM orders").fetchone() == (6,)


def test_a_left_log_is_not_played_into_what_is_restored(paid: Path, settings: Settings) -> None:
    """A log of the ledger before, without that ledger, goes aside too."""
    backup = make_backup(settings)
    ledger = open_ledger(paid)
    buy(ledger, paid, [an_order(10)])
    log = (paid / "ledger.db-wal").read_bytes()
    ledger.close()
    (paid / "ledger.db").unlink()
    (paid / "ledger.db-wal").write_bytes(log)
    restore(settings, backup)
    with open_ledger(paid) as ledger:
        assert len(ledger.orders.of_run(RUN_ID)) == 4
        assert ledger.damage() == []


def test_the_newest_sound_backup_is_chosen(settings: Settings) -> None:
    """One that was damaged since is passed over; with none there is another way."""
    first = make_backup(settings)
    second = make_backup(settings)
    assert last_sound(settings) == second
    second.write_bytes(b"noise")
    assert last_sound(settings) == first
    first.unlink()
    with pytest.raises(LedgerError, match=r"has no sound backup.*ledger rebuild"):
        last_sound(settings)


@pytest.mark.parametrize(
    ("content", "what"),
    [(b"noise" * 999, "is damaged"), (b"", "is not a ledger of Runoff"), (None, "is not there")],
)
def test_what_is_no_backup_replaces_nothing(
    paid: Path, settings: Settings, tmp_path: Path, content: bytes | None, what: str
) -> None:
    """The ledger stays as it is."""
    other = tmp_path / "other.db"
    if content is not None:
        other.write_bytes(content)
    with pytest.raises(LedgerError, match=f"{what}.*was not replaced"):
        restore(settings, other)
    with open_ledger(paid) as ledger:
        assert len(ledger.orders.of_run(RUN_ID)) == 4


def test_nothing_is_restored_under_a_run_that_works(paid: Path, settings: Settings) -> None:
    """The process that works on it would go on writing into the ledger before."""
    backup = make_backup(settings)
    with run_lock(paid / "otters" / RUN_ID), pytest.raises(RunError, match="another process"):
        restore(settings, backup)
    assert backups(settings)


def test_a_postgresql_ledger_is_told_its_own_tools(paid: Path) -> None:
    """The commands can be pasted, and hold no password."""
    settings = Settings.of(paid, {"RUNOFF_LEDGER_URL": "postgresql://runoff:s3cret@db.example/ledger"})
    for refused in (make_backup, backups, last_sound):
        with pytest.raises(LedgerError, match="pg_dump --format=custom") as caught:
            refused(settings)
        assert "s3cret" not in str(caught.value)
        assert "pg_restore" in str(caught.value)


def work(settings: Settings, error: Exception | None = None) -> None:
    """Open a session of a new run, and leave it, perhaps by an error."""

    async def begin() -> None:
        async with open_session(prepare(configs_folder() / DEMO, settings, OTHER_RUN)):
            if error is not None:
                raise error

    asyncio.run(begin())


def test_a_session_leaves_a_backup_however_it_ends(paid: Path, settings: Settings) -> None:
    """A run that an error ended has one, with its state."""
    with pytest.raises(ValueError, match="ended"):
        work(settings, ValueError("ended"))
    (backup,) = list_backups(paid / "ledger.db")
    assert datetime.now(UTC) - backup.made_at < timedelta(minutes=5)
    with closing(sqlite3.connect(backup.file)) as copy:
        found = copy.execute("SELECT state FROM runs WHERE run_id = ?", [OTHER_RUN]).fetchone()
    assert found == ("stopped",)


def test_a_session_is_not_opened_on_a_ledger_that_lost_a_run(paid: Path, settings: Settings) -> None:
    """Nothing is recorded of the new run, and nothing can be bought."""
    (paid / "ledger.db").unlink()
    with pytest.raises(LedgerError, match=f"does not know 1 run .*{RUN_ID}"):
        work(settings)
    with open_ledger(paid) as ledger:
        assert ledger.runs.all() == []
