"""Rows from a CSV file, as spreadsheets export it.

The separator is a comma, a semicolon, a tab or a bar, whichever splits the first line into names. Separators
at a line's end and lines without any value are what spreadsheets leave behind, and are dropped.
"""

import csv
import io
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Protocol

from tasks.campaign.campaign import VARIABLE_PATTERN
from tasks.campaign_file.row_values import Row, Rows, check_names, check_number, check_value, fault_at
from tasks.text import is_blank

SEPARATORS = ",;\t|"
_EXCEL_SEPARATOR = re.compile(rf"sep=([{re.escape(SEPARATORS)}])\r?\n?", re.IGNORECASE)
"""Excel reads the separator from such a first line, and hides it."""


class _Reader(Protocol):
    """The type of ``csv.reader``'s result: fields, line by line."""

    line_num: int

    def __iter__(self) -> Iterator[list[str]]: ...

    def __next__(self) -> list[str]: ...


def read_csv(file: Path, text: str, naming: Callable[[list[str]], list[str]] = list) -> Rows:
    """Read rows from the text of a CSV file; every value is text.

    Args:
        file: The file, for faults.
        text: Its text.
        naming: Makes variables' names of the columns'.

    Raises:
        RowsFaultError: A line has too few or too many fields, or a name or a value is not accepted.
    """
    stated = _EXCEL_SEPARATOR.match(text)
    n_above, separator = (1, stated[1]) if stated else (0, _find_separator(text))
    reader = _reader(text[stated.end() :] if stated else text, separator)
    names: list[str] = []
    rows: list[Row] = []
    places, n_blank = [], 0
    try:
        for fields in reader:
            line = reader.line_num + n_above
            if all(map(is_blank, fields)):
                n_blank += bool(fields)
            elif not names:
                names = _names(file, line, fields, naming)
            else:
                check_number(file, line, len(rows) + 1)
                rows.append(_row(file, line, names, fields))
                places.append(f"{file.name}:{line}")
    except csv.Error as error:
        raise fault_at(file, reader.line_num + n_above, str(error)) from error
    return Rows(rows, places, n_blank)


def _find_separator(text: str) -> str:
    """Find which separator splits the first line into names; of several, the one that makes the most."""

    def split(separator: str) -> tuple[bool, int]:
        try:
            names = [name.strip() for name in next(_reader(text, separator), [])]
        except csv.Error:
            return False, 0
        return all(re.fullmatch(VARIABLE_PATTERN, name) for name in names if name), len(names)

    return max(SEPARATORS, key=split)


def _reader(text: str, separator: str) -> _Reader:
    return csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)


def _names(file: Path, line: int, fields: list[str], naming: Callable[[list[str]], list[str]]) -> list[str]:
    names = [name.strip() for name in fields]
    while is_blank(names[-1]):
        del names[-1]
    names = naming(names)
    check_names(file, line, names)
    return names


def _row(file: Path, line: int, names: list[str], fields: list[str]) -> Row:
    named, more = fields[: len(names)], fields[len(names) :]
    if len(named) < len(names) or not all(map(is_blank, more)):
        held = f"{len(fields)} fields, but the first line has {len(names)}"
        missing = f"; {', '.join(names[len(named) :])} is missing" if len(named) < len(names) else ""
        raise fault_at(file, line, held + missing)
    return {name: check_value(file, line, name, value) for name, value in zip(names, named, strict=True)}
