"""The report's tables as Parquet and CSV, written by pandas a thousand rows at a time: memory stays flat."""

import io
import re
from codecs import BOM_UTF8
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, NamedTuple

from tasks.report_page.columns import COLUMNS, VARIABLE, Column, complete_columns, read_cell

if TYPE_CHECKING:
    import pandas as pd

Rows = Sequence[Mapping[str, Any]]

_ROWS_AT_ONCE = 1_000
_MONTH = (
    "jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?"
    "|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?"
)
_CHANGED_TEXTS = "|".join(
    (
        r"0\d+|\d{12,}|\d{1,3}(?:,\d{3})+|\d+(?:\.\d+)?e[+-]?\d+",  # numbers, also in a hash of digits
        r"[$€£¥] ?\d[\d.,]*|\d[\d.,]* ?[%€]|\d+ \d+/\d+",
        r"\d{1,4}[-/.]\d{1,4}(?:[-/.]\d{1,4})?",  # 1-2, 2026-11-27, 1.10
        rf"\d{{1,2}}[-/. ]?(?:{_MONTH})(?:[-/. ]?\d{{1,4}})?",
        rf"(?:{_MONTH})[-/., ]{{0,2}}\d{{1,4}}(?:[-/., ]{{1,2}}\d{{1,4}})?",  # MAR1, Sept-2
        r"\d{1,4}:\d{1,2}(?::\d{1,2}(?:\.\d+)?)?(?: ?[ap]m?)?|\d{1,2} ?[ap]m?",  # 16:9
        "true|false",
    )
)
_MISREAD = re.compile(rf"[=+\-@\t\r\n\0＝＋－＠]|(?i:(?:{_CHANGED_TEXTS})$)")
"""Texts that a spreadsheet takes for a formula, or turns into a number, a date or a time."""


class Table(NamedTuple):
    """A table as files: ``parquet`` is exact and typed, ``csv`` is for spreadsheets."""

    parquet: bytes
    csv: bytes


def columns_of(rows: Rows) -> tuple[Column, ...]:
    """Return the columns of the report's rows.

    Raises:
        ValueError: A row's columns are not those of the table.
    """
    names = set(rows[0]) if rows else set()
    stranger = next((index for index, row in enumerate(rows) if row.keys() != names), None)
    if stranger is not None:
        message = f"report row {stranger} has other columns than the first one"
        raise ValueError(message)
    return complete_columns(rows[0], rows) if rows else COLUMNS


def frame_of(columns: Sequence[Column], rows: Rows) -> "pd.DataFrame":
    """Build the typed table: the columns in order, null where nothing was measured."""
    import pandas as pd

    return pd.DataFrame({column.name: _make_series(column, rows) for column in columns})


def _make_series(column: Column, rows: Rows) -> "pd.Series[Any]":
    import pandas as pd

    values = [read_cell(column.name, row) for row in rows]
    if column.dtype == "string" and column.name.startswith(VARIABLE):
        values = [_as_written(value) for value in values]
    if column.dtype.startswith("datetime64"):
        return pd.Series(pd.to_datetime(pd.Series(values, dtype=object), utc=True)).astype(column.dtype)
    if column.name.endswith("_usd"):
        values = [None if value is None else float(str(value)) for value in values]
    return pd.Series(values, dtype=column.dtype)


def _as_written(value: object) -> str | None:
    """Write a variable as a prompt has it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return None if value is None else str(value)


def write_table(columns: Sequence[Column], rows: Rows) -> Table:
    """Write a table as both files, a thousand rows at a time; see ``write_csv``."""
    parquet, csv = io.BytesIO(), io.BytesIO()
    _write(columns, rows, parquet, csv)
    return Table(parquet.getvalue(), csv.getvalue())


def write_parquet(columns: Sequence[Column], rows: Rows) -> bytes:
    """Write a table as Parquet, exact and typed."""
    file = io.BytesIO()
    _write(columns, rows, parquet=file)
    return file.getvalue()


def write_csv(columns: Sequence[Column], rows: Rows) -> bytes:
    """Write a table for spreadsheets.

    The CSV is UTF-8 with a byte order mark, zones in times, formulas escaped. Excel reads a file without the
    mark in the system's code page; other readers skip the mark. A text cell that a spreadsheet would take for
    a formula, or change into a number or a date, gets an apostrophe.
    Source: https://owasp.org/www-community/attacks/CSV_Injection, checked 2026-11-22; the null character from
    OWASP's ASVS 5.0, requirement 1.2.10, checked the same day.
    """
    file = io.BytesIO()
    _write(columns, rows, csv=file)
    return file.getvalue()


def _write(
    columns: Sequence[Column], rows: Rows, parquet: io.BytesIO | None = None, csv: io.BytesIO | None = None
) -> None:
    """Write the files that are wanted, from the same parts of the table."""
    import pyarrow as pa
    from pyarrow.parquet import ParquetWriter

    schema = None
    with ExitStack() as closing:
        for frame in _frames(columns, rows):
            if parquet is not None:
                part = pa.Table.from_pandas(frame, schema, preserve_index=False)
                if schema is None:
                    schema = part.schema
                    writer = closing.enter_context(ParquetWriter(parquet, schema))
                writer.write_table(part)
            if csv is not None:
                is_first = not csv.tell()
                csv.write((BOM_UTF8 if is_first else b"") + _csv_of(frame, has_head=is_first))


def _frames(columns: Sequence[Column], rows: Rows) -> "Iterator[pd.DataFrame]":
    """Divide a table; one without rows is one part, which has its types."""
    for start in range(0, max(len(rows), 1), _ROWS_AT_ONCE):
        yield frame_of(columns, rows[start : start + _ROWS_AT_ONCE])


def _csv_of(frame: "pd.DataFrame", *, has_head: bool) -> bytes:
    safe = frame.copy(deep=False)
    for name in frame.columns[frame.dtypes == "string"]:
        column = frame[name]
        risky = [text for text in column.dropna().unique() if _MISREAD.match(text)]
        if risky:
            safe[name] = column.mask(column.isin(risky), "'" + column)
    text: str = safe.to_csv(
        index=False, header=has_head, date_format="%Y-%m-%d %H:%M:%S+00:00", lineterminator="\r\n"
    )
    return text.encode()
