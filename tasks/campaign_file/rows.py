"""Reading rows from a file: CSV, JSON lines, parquet, or the pictures of a folder.

Values are text, numbers, true or false. A null, a column that is missing or occurs twice, and anything nested
is a fault with its line, because the prompt would be incomplete and would still be paid for.
"""

import csv
import json
import math
from collections.abc import Iterable, Iterator, Mapping
from datetime import date, datetime
from pathlib import Path
from typing import Any, Protocol

Scalar = str | int | float | bool

ACCEPTED = (
    "a .csv with the variables in its first line, a .jsonl with one mapping per line, a .parquet, "
    "or a folder of pictures"
)
PICTURE_ENDINGS = (".png", ".jpg", ".jpeg", ".webp")
_WILD = "*?["


class RowsFaultError(ValueError):
    """Rows cannot be read from a file; the message says where and why."""


def read_rows(folder: Path, name: str) -> list[dict[str, Scalar]]:
    """Read the rows that a campaign's ``rows`` names.

    Args:
        folder: Where the campaign file is.
        name: A file, a folder of pictures or a pattern such as ``products/*.png``, relative to it. Pictures
            become rows of ``file``, the path relative to the campaign, and ``name``, the file's name without
            its ending; they are sorted by path.

    Raises:
        RowsFaultError: It cannot be read, has no rows, or a row is incomplete.
    """
    path = folder / name
    if any(letter in name for letter in _WILD) and not path.exists():
        return _pictures(folder, sorted(folder.glob(name)), name)
    if path.is_dir():
        return _pictures(folder, sorted(path.iterdir()), name)
    reader = _READERS.get(path.suffix.lower())
    if reader is None:
        message = f"{path} is not a kind of file that rows can be read from"
        raise RowsFaultError(message)
    try:
        rows = reader(path)
    except (OSError, UnicodeDecodeError) as error:
        message = f"{path} cannot be read ({error})"
        raise RowsFaultError(message) from error
    if not rows:
        message = f"{path} has no rows"
        raise RowsFaultError(message)
    return rows


def _pictures(folder: Path, files: Iterable[Path], name: str) -> list[dict[str, Scalar]]:
    found = [file for file in files if file.suffix.lower() in PICTURE_ENDINGS and file.is_file()]
    if not found:
        message = f"{folder / name} has no png, jpeg or webp pictures"
        raise RowsFaultError(message)
    return [
        {"file": str(file.relative_to(folder) if file.is_relative_to(folder) else file), "name": file.stem}
        for file in found
    ]


def _fault(file: Path, line: int, what: str) -> RowsFaultError:
    return RowsFaultError(f"{file}:{line}: {what}")


def _read_csv(file: Path) -> list[dict[str, Scalar]]:
    with file.open(encoding="utf-8-sig", newline="") as lines:
        reader = csv.reader(lines, strict=True)
        try:
            return list(_csv_rows(file, reader))
        except csv.Error as error:
            raise _fault(file, reader.line_num, str(error)) from error


class _Reader(Protocol):
    """The type of ``csv.reader``'s result: fields, line by line."""

    line_num: int

    def __iter__(self) -> Iterator[list[str]]: ...


def _csv_rows(file: Path, reader: "_Reader") -> Iterator[dict[str, Scalar]]:
    names: list[str] = []
    for fields in reader:
        if not fields:
            continue
        if not names:
            names = [name.strip() for name in fields]
            _check_names(file, reader.line_num, names)
        elif len(fields) != len(names):
            held = f"{len(fields)} fields, but the first line has {len(names)}"
            missing = "" if len(fields) > len(names) else f"; {', '.join(names[len(fields) :])} is missing"
            raise _fault(file, reader.line_num, held + missing)
        else:
            yield dict(zip(names, fields, strict=True))


def _check_names(file: Path, line: int, names: list[str]) -> None:
    twice = sorted({name for name in names if names.count(name) > 1 and name})
    if twice:
        raise _fault(file, line, f"the column {', '.join(twice)} occurs twice")
    if "" in names:
        raise _fault(file, line, f"column {names.index('') + 1} has no name")


def _read_json_lines(file: Path) -> list[dict[str, Scalar]]:
    rows: list[dict[str, Scalar]] = []
    with file.open(encoding="utf-8-sig") as lines:
        for number, line in enumerate(lines, start=1):
            if not line.strip():
                continue
            row = _json_row(file, number, line)
            if rows:
                _check_same(file, number, row, rows[0])
            rows.append(row)
    return rows


def _json_row(file: Path, number: int, line: str) -> dict[str, Scalar]:
    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        _check_names(file, number, [name for name, _ in pairs])
        return dict(pairs)

    try:
        row = json.loads(line, object_pairs_hook=once)
    except json.JSONDecodeError as error:
        raise _fault(file, number, f"is not JSON ({error.msg}, column {error.colno})") from error
    if not isinstance(row, dict):
        raise _fault(file, number, "is not a mapping of variables")
    return {name: _value(file, number, name, value) for name, value in row.items()}


def _check_same(file: Path, number: int, row: Mapping[str, object], first: Mapping[str, object]) -> None:
    if missing := [name for name in first if name not in row]:
        raise _fault(file, number, f"{', '.join(missing)} is missing, but the first row has it")
    if added := [name for name in row if name not in first]:
        raise _fault(file, number, f"{', '.join(added)} is not in the first row")


def _value(file: Path, number: int, name: str, value: object) -> Scalar:
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, str | bool | int) or (isinstance(value, float) and math.isfinite(value)):
        return value
    if value is None or isinstance(value, float):
        raise _fault(
            file, number, f"{name} is {'null' if value is None else value}, but a prompt needs a value"
        )
    raise _fault(file, number, f"{name} is a {type(value).__name__}; accepted: text, a number, true or false")


def _read_parquet(file: Path) -> list[dict[str, Scalar]]:
    import pyarrow
    import pyarrow.parquet

    try:
        with pyarrow.parquet.ParquetFile(file) as opened:
            names = opened.schema_arrow.names
            _check_names(file, 1, names)
            table = opened.read()
    except pyarrow.ArrowException as error:
        message = f"{file} cannot be read ({str(error).splitlines()[0]})"
        raise RowsFaultError(message) from error
    columns = [column.to_pylist() for column in table.columns]
    # Lines of a parquet file are its rows, counted from 1.
    return [
        {name: _value(file, number, name, value) for name, value in zip(names, values, strict=True)}
        for number, values in enumerate(zip(*columns, strict=True), start=1)
    ]


_READERS = {
    ".csv": _read_csv,
    ".jsonl": _read_json_lines,
    ".ndjson": _read_json_lines,
    ".parquet": _read_parquet,
}
