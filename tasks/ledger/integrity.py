"""Damage to the database itself: pages, indexes and values that cannot be what was written.

SQLite checks its own pages and indexes. It keeps no checksum of a value, so that every value is also checked
against the type of its column and read once. PostgreSQL enforces types and references itself; there each row
is read, which fails on a damaged page.
"""

from collections.abc import Iterator

import sqlalchemy as sa
from sqlalchemy.engine import Connection
from sqlalchemy.exc import SQLAlchemyError

from tasks.ledger.schema import metadata

MOST_FAULTS = 20
"""How many faults of one kind are listed."""

_ROWS_AT_ONCE = 1000
_UNREADABLE = (SQLAlchemyError, ValueError, TypeError, ArithmeticError, RecursionError)


def find_damage(connection: Connection) -> list[str]:
    """Check the whole database, which reads all of it; one sentence for each fault, none when it is sound."""
    return _damaged_pages(connection, "integrity_check") or list(_damaged_values(connection))


def find_damaged_pages(connection: Connection) -> list[str]:
    """Check every page of a SQLite database, but not its indexes, in a fraction of the time."""
    return _damaged_pages(connection, "quick_check")


def _damaged_pages(connection: Connection, check: str) -> list[str]:
    if connection.dialect.name != "sqlite":
        return []
    try:
        found = connection.exec_driver_sql(f"PRAGMA {check}({MOST_FAULTS})").scalars().all()
    except SQLAlchemyError as error:
        return [f"{getattr(error, 'orig', error)}."]
    return [] if found == ["ok"] else [f"{line}." for text in found for line in str(text).splitlines()]


def _damaged_values(connection: Connection) -> Iterator[str]:
    known = sa.inspect(connection).get_table_names()
    for table in metadata.sorted_tables:
        if table.name not in known:
            yield f"the table {table.name} is missing."
            continue
        try:
            if connection.dialect.name == "sqlite":
                yield from _wrong_types(connection, table)
            for _ in connection.execution_options(yield_per=_ROWS_AT_ONCE).execute(sa.select(table)):
                pass
        except _UNREADABLE as error:
            reason = str(getattr(error, "orig", error)).partition("\n")[0]
            yield f"the table {table.name} has a row that cannot be read: {reason}."
            return


def _wrong_types(connection: Connection, table: sa.Table) -> Iterator[str]:
    misfits = {column.name: _misfit(column) for column in table.columns}

    def count(condition: str) -> int:
        found = connection.exec_driver_sql(f'SELECT count(*) FROM "{table.name}" WHERE {condition}')
        return int(found.scalar_one())

    if not count(" OR ".join(misfits.values())):
        return
    for name, misfit in misfits.items():
        if n_wrong := count(misfit):
            yield f"{table.name}.{name} holds {n_wrong} values of another type."


def _misfit(column: sa.Column[object]) -> str:
    """Write the condition that a value is not stored as the column's type, which SQLite does not enforce.

    As text: SQLAlchemy would take a tenth of a second to build and compile those of all tables.
    """
    kind = column.type.impl_instance if isinstance(column.type, sa.TypeDecorator) else column.type
    kinds = ["null"] if column.nullable else []
    if isinstance(kind, sa.Integer | sa.Boolean):
        kinds += ["integer"]
    elif isinstance(kind, sa.Float):
        kinds += ["real", "integer"]
    else:  # texts, JSON and times
        kinds += ["text"]
    listed = ", ".join(f"'{kind}'" for kind in kinds)
    return f'typeof("{column.name}") NOT IN ({listed})'
