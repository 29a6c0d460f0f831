"""Rows for every table that a ledger really has, whatever its version."""

from datetime import datetime
from typing import Any

import sqlalchemy as sa

STORED_NOON = datetime(2026, 11, 22, 12)  # as the database keeps it: UTC without a zone


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
        return STORED_NOON
    text = f"{number} {column.table.name} {column.name}"
    return text[: getattr(kind, "length", None) or 200]
