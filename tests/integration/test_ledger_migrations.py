"""Ledgers of every earlier version, full of rows, are brought up to date on SQLite and PostgreSQL alike."""

from collections import Counter
from datetime import UTC
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from tasks.ledger import Ledger, Limits, Settlement
from tasks.ledger import ledger as ledger_module
from tasks.ledger import open_ledger as open_new_ledger
from tasks.ledger.migrating import version_of
from tasks.ledger.new_sqlite import migrate_from_nothing
from tasks.ledger.schema import HEAD
from tasks.ledger.spending import GROUPS
from tasks.order import OrderState
from tests.support.builders import RUN_ID, a_receipt, an_order
from tests.support.ledger_rows import STORED_NOON, a_row, tables_of
from tests.support.ledgers import open_ledger, open_migrated_ledger, open_older_ledger

SCRIPTS = Path(ledger_module.__file__).parent / "migrations" / "versions"
EARLIER = sorted(file.name[1:5] for file in SCRIPTS.glob("m*.py"))[:-1]
AWARE_NOON = STORED_NOON.replace(tzinfo=UTC)

# Every day the first version, which passes through all the others, which on PostgreSQL take minutes.
HOMES = [
    pytest.param(home, version, marks=[later] * (version != EARLIER[0]))
    for home, later in (("sqlite", pytest.mark.slow), ("postgresql", pytest.mark.long))
    for version in EARLIER
]


def rows_of(ledger: Ledger) -> dict[str, list[dict[str, Any]]]:
    """Read every row of every table."""
    with ledger.database.read() as connection:
        return {
            table.name: [dict(row._mapping) for row in connection.execute(sa.select(table))]
            for table in tables_of(connection)
        }


def shape_of(ledger: Ledger) -> dict[str, list[tuple[Any, ...]]]:
    """Tell each table's columns and indexes."""
    with ledger.database.read() as connection:
        return {
            table.name: [
                *sorted((c.name, str(c.type), c.nullable, c.primary_key) for c in table.columns),
                *sorted((str(index.name), *sorted(c.name for c in index.columns)) for index in table.indexes),
            ]
            for table in tables_of(connection)
        }


@pytest.mark.parametrize(("home", "version"), HOMES, indirect=["home"])
def test_a_full_ledger_of_every_version_keeps_all_its_rows(
    home: Path,
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
    monkeypatch: pytest.MonkeyPatch,
    version: str,
) -> None:
    """Upgraded, each row says what it said, and the tables are those of a new ledger."""
    older = open_older_ledger(home, version)
    with older.database.write() as connection:
        for table in tables_of(connection):
            connection.execute(table.insert(), [a_row(table, number) for number in range(2)])
    before = rows_of(older)
    assert all(len(rows) == 2 for rows in before.values())
    older.close()

    newer = open_migrated_ledger(home)
    after = rows_of(newer)
    with newer.database.read() as connection:
        assert connection.execute(sa.text("SELECT version_num FROM alembic_version")).scalar() == HEAD
    for name, rows in before.items():
        kept = [{key: row[key] for key in rows[0]} for row in after[name]]
        assert sorted(kept, key=str) == sorted(rows, key=str), name
    shape = shape_of(newer)
    newer.close()
    if newer.database.url.get_backend_name() == "postgresql":
        monkeypatch.setenv("RUNOFF_LEDGER_URL", request.getfixturevalue("postgresql").new_database())
    fresh = open_ledger(tmp_path_factory.mktemp("fresh"))
    assert shape == shape_of(fresh)
    fresh.close()


@pytest.fixture
def rows_of_a_run(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> dict[str, list[dict[str, Any]]]:
    """Make a run with drafts, finals, refused and unknown orders, and read its rows as they are kept."""
    with monkeypatch.context() as patch:
        patch.delenv("RUNOFF_LEDGER_URL", raising=False)
        ledger = open_ledger(tmp_path_factory.mktemp("model"))
    ledger.runs.start(RUN_ID, campaign="otters", provider="emulator", now=AWARE_NOON)
    ordered = [an_order(k, arm="AB"[k % 2]) for k in range(4)]
    ordered.append(an_order(9, stage="final", draft_id=a_receipt(ordered[0]).candidate_id))
    ledger.orders.plan([*ordered, an_order(10)])
    for order in ordered:
        ledger.orders.send(order, Limits(), AWARE_NOON)
    ends: tuple[OrderState, ...] = ("received", "received", "refused", "unknown", "received")
    for order, state in zip(ordered, ends, strict=True):
        is_there = state == "received"
        settlement = Settlement(state, cost_usd=Decimal("0.007") if is_there else None)
        ledger.orders.settle(order.order_id, settlement, [a_receipt(order)] if is_there else [])
    ledger.runs.end(RUN_ID, "done", AWARE_NOON)
    found = rows_of(ledger)
    ledger.close()
    return found


@pytest.mark.parametrize(("home", "version"), HOMES, indirect=["home"])
def test_a_run_of_every_version_is_read_as_it_was(
    home: Path, rows_of_a_run: dict[str, list[dict[str, Any]]], version: str
) -> None:
    """Its orders, pictures and money are what they were, its sums are proven, and it goes on."""
    older = open_older_ledger(home, version)
    with older.database.write() as connection:
        for table in tables_of(connection):
            known = [column.name for column in table.columns]
            rows = [{name: row[name] for name in known} for row in rows_of_a_run[table.name]]
            if rows:
                connection.execute(table.insert(), rows)
    older.close()

    with open_migrated_ledger(home) as newer:
        assert newer.verify() == []
        (run,) = newer.runs.all()
        assert (run.run_id, run.state) == (RUN_ID, "done")
        states = Counter(record.state for record in newer.orders.of_run(RUN_ID))
        assert states == {"received": 3, "refused": 1, "unknown": 1, "planned": 1}
        first, _, final = newer.candidates.of_run(RUN_ID)
        assert (first.stage, final.draft_id, final.edition) == ("draft", first.candidate_id, None)
        assert (first.is_pruned, first.is_liked) == (False, False)
        assert len(newer.reconciliations.unknown(RUN_ID)) == 1
        for group in GROUPS:
            spent = newer.spending.by(group)
            assert sum(one.spent_usd for one in spent) == Decimal("0.031"), group
        (waiting,) = newer.orders.of_run(RUN_ID, "planned")
        newer.orders.send(waiting.order, Limits(), AWARE_NOON)
        newer.orders.settle(waiting.order.order_id, Settlement("received"), [a_receipt(waiting.order)])
        assert newer.verify() == []


def test_a_new_ledger_is_the_one_that_all_migrations_make(tmp_path: Path) -> None:
    """Statement for statement, though it is made of a prepared file, and without loading Alembic."""
    with open_new_ledger(tmp_path, {}) as ledger, ledger.database.read() as connection:
        made = connection.execute(
            sa.text("SELECT sql FROM sqlite_master WHERE sql IS NOT NULL ORDER BY rowid")
        )
        statements, version = list(made.scalars()), version_of(ledger.database)
    folder = tmp_path / "migrated"
    folder.mkdir()
    assert {"version": version, "statements": statements} == migrate_from_nothing(folder)
