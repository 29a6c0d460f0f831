"""Ledgers of every earlier version, full of rows, are brought up to date on SQLite and PostgreSQL alike."""

from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from alembic import command

from tasks.ledger import Ledger, open_ledger
from tasks.ledger import ledger as ledger_module
from tasks.ledger.schema import HEAD

SCRIPTS = Path(ledger_module.__file__).parent / "migrations" / "versions"
EARLIER = sorted(file.name[1:5] for file in SCRIPTS.glob("m*.py"))[:-1]
NOON = datetime(2026, 11, 22, 12)  # as the database keeps it: UTC without a zone


def tables_of(connection: sa.Connection) -> list[sa.Table]:
    """Read the tables that are really there, those first that others point to."""
    metadata = sa.MetaData()
    metadata.reflect(connection)
    return [table for table in metadata.sorted_tables if table.name != "alembic_version"]


def a_row(table: sa.Table, number: int) -> dict[str, Any]:
    """Make a row that every column holds something of; the second one holds only what it must."""
    return {column.name: a_value(column, number) for column in table.columns}


def a_value(column: sa.Column[Any], number: int) -> object:
    """Make a value of a column's type; where it points to another table, the same row's there."""
    if number and column.nullable:
        return None
    for pointer in column.foreign_keys:
        return a_value(pointer.column, number)
    kind = column.type
    if isinstance(kind, sa.JSON):
        return {"said": ["é", number]}
    if isinstance(kind, sa.Boolean):
        return number == 0
    if isinstance(kind, sa.Integer):
        return 7 + number
    if isinstance(kind, sa.Numeric | sa.Float):
        return 0.5
    if isinstance(kind, sa.DateTime):
        return NOON
    text = f"{number} {column.table.name} {column.name}"
    return text[: getattr(kind, "length", None) or 200]


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


@pytest.mark.parametrize("version", EARLIER)
def test_a_full_ledger_of_every_version_keeps_all_its_rows(
    home: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch, version: str
) -> None:
    """Upgraded, each row says what it said, and the tables are those of a new ledger."""
    with monkeypatch.context() as patch:
        upgrade = command.upgrade
        patch.setattr(command, "upgrade", lambda config, _: upgrade(config, version))
        older = open_ledger(home)
    with older.database.write() as connection:
        for table in tables_of(connection):
            connection.execute(table.insert(), [a_row(table, number) for number in range(2)])
    before = rows_of(older)
    assert all(len(rows) == 2 for rows in before.values())
    older.close()

    newer = open_ledger(home)
    after = rows_of(newer)
    with newer.database.read() as connection:
        assert connection.execute(sa.text("SELECT version_num FROM alembic_version")).scalar() == HEAD
    for name, rows in before.items():
        kept = [{key: row[key] for key in rows[0]} for row in after[name]]
        assert sorted(kept, key=str) == sorted(rows, key=str), name
    shape = shape_of(newer)
    newer.close()
    if newer.database.url.get_backend_name() == "sqlite":
        fresh = open_ledger(tmp_path_factory.mktemp("fresh"))
        assert shape == shape_of(fresh)
        fresh.close()
