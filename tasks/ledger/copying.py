"""Copying a whole ledger into an empty one: SQLite to PostgreSQL and back, checked row by row and by sums.

The rows are read from one snapshot, written in one transaction, read back from it and compared; it is
committed only if every row and every sum is the same. The ledger that is copied is not changed.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from tasks.errors import LedgerError
from tasks.ledger.budgets import sums_of_orders
from tasks.ledger.database import Database
from tasks.ledger.schema import metadata

_ROWS_AT_ONCE = 400
"""SQLite takes some 32,000 values in a statement."""
_COPIED_FROM = "Nothing was copied, and the ledger that was to be copied is unchanged."


@dataclass(frozen=True, slots=True)
class Copied:
    """What was copied.

    Args:
        to: The new ledger, without secrets.
        rows: How many rows each table has, by its name.
        charged_nanousd: What all orders are charged, nano-dollars: the same in both.
    """

    to: str
    rows: dict[str, int]
    charged_nanousd: int


def copy_ledger(source: Database, target: Database) -> Copied:
    """Copy every row of a ledger into an empty one of the same version, and compare both.

    Args:
        source: The ledger.
        target: An empty ledger, with tables and without rows.

    Raises:
        LedgerError: The target has rows, cannot hold a row, or differs afterwards. It is as it was.
    """
    with source.read() as read, target.write() as written:
        _require_empty(written, target)
        rows = {table.name: _copy(table, read, written, target) for table in metadata.sorted_tables}
        for table in metadata.sorted_tables:
            if _count(written, table) != rows[table.name]:
                raise _differs(target, f"{table.name} has another number of rows")
        sums = sums_of_orders(read)
        if sums_of_orders(written) != sums:
            raise _differs(target, "the sums of the orders are others")
        _go_on_numbering(written)
        charged = sum(amount for scope, amount in sums.items() if scope.startswith("run:"))
    return Copied(target.name, rows, charged)


def _require_empty(connection: Connection, target: Database) -> None:
    full = [table.name for table in metadata.sorted_tables if _count(connection, table)]
    if full:
        raise LedgerError(
            where=f"ledger {target.name}",
            what=f"has rows already, in {', '.join(full[:5])}",
            accepted="an empty database",
            money=_COPIED_FROM,
            next_step="Name a database of its own, or empty this one yourself.",
        )


def _count(connection: Connection, table: sa.Table) -> int:
    return int(connection.execute(sa.select(sa.func.count()).select_from(table)).scalar_one())


def _copy(table: sa.Table, read: Connection, written: Connection, target: Database) -> int:
    """Copy a table and read it back; returns how many rows it has."""
    n_rows = 0
    for rows in _chunks(table, read):
        written.execute(table.insert(), rows)
        keys = list(table.primary_key.columns)
        names = [tuple(row[key.name] for key in keys) for row in rows]
        wanted = sa.tuple_(*keys).in_(names) if len(keys) > 1 else keys[0].in_([name[0] for name in names])
        found = written.execute(sa.select(table).where(wanted)).mappings()
        there = {tuple(row[key.name] for key in keys): dict(row) for row in found}
        for name, row in zip(names, rows, strict=True):
            if there.get(name) != row:
                raise _differs(target, f"a row of {table.name} is another: {', '.join(map(str, name))}")
        n_rows += len(rows)
    return n_rows


def _chunks(table: sa.Table, read: Connection) -> Iterator[Sequence[dict[str, Any]]]:
    for part in read.execute(sa.select(table)).mappings().partitions(_ROWS_AT_ONCE):
        yield [dict(row) for row in part]


def _go_on_numbering(connection: Connection) -> None:
    """Have PostgreSQL number the next rows after those that were copied with their numbers."""
    if connection.dialect.name != "postgresql":
        return
    for table in metadata.sorted_tables:
        column = table.autoincrement_column
        if column is None or not isinstance(column.type, sa.Integer):
            continue
        sequence = sa.func.pg_get_serial_sequence(table.name, column.name)
        highest = connection.execute(sa.select(sa.func.max(column))).scalar()
        if highest is not None and connection.execute(sa.select(sequence)).scalar():
            connection.execute(sa.select(sa.func.setval(sequence, highest)))


def _differs(target: Database, what: str) -> LedgerError:
    return LedgerError(
        where=f"ledger {target.name}",
        what=f"would not be the same: {what}",
        money=_COPIED_FROM,
        next_step="Check the ledger first: runoff ledger verify",
    )
