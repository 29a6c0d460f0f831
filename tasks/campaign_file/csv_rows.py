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
from tasks.campaign_file.row_values import (
    Row,
    Rows,
    RowsFaultError,
    check_names,
    check_number,
    check_value,
    fault_at,
)
from tasks.money import count_of
from tasks.text import is_blank

MOST_FAULTS = 20
"""The most faults of a file that are reported together."""
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
    places, n_blank, line = [], 0, 0
    faults: list[RowsFaultError] = []
    try:
        for fields in reader:
            line = reader.line_num + n_above
            if all(map(is_blank, fields)):
                n_blank += bool(fields)
            elif not names:
                names = _names(file, line, fields, naming)
            else:
                check_number(file, line, len(rows) + len(faults) + 1)
                try:
                    rows.append(_row(file, line, names, fields))
                    places.append(f"{file.name}:{line}")
                except RowsFaultError as fault:
                    faults.append(fault)
            if len(faults) == MOST_FAULTS:
                break
    except csv.Error as error:
        faults.append(_quote_fault(file, line + 1, reader.line_num + n_above, error))
    if faults:
        raise RowsFaultError(faults[0].what, faults[0].accepted, faults[1:])
    return Rows(rows, places, n_blank)


def _quote_fault(file: Path, first_line: int, last_line: int, error: csv.Error) -> RowsFaultError:
    """Say what is wrong with the quotes of a record, by the message of the module ``csv``."""
    if "unexpected end" in str(error):
        what = "a value that begins here with a quote has no closing quote"
        return fault_at(file, first_line, what, 'quotes around the whole value; inside it, each twice: ""')
    if "expected after" in str(error):
        return fault_at(file, last_line, "a quote stands inside a value in quotes", 'two of them there: ""')
    return fault_at(file, last_line, str(error))


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
        held = f"has {count_of(len(fields), 'value')}, but the first line has {count_of(len(names), 'name')}"
        if len(named) < len(names):
            what = f"{held}; {', '.join(names[len(named) :])} is missing"
            raise fault_at(file, line, what, f"{len(names)} values in every line")
        raise fault_at(file, line, held, "quotes around a value with the separator in it")
    return {name: check_value(file, line, name, value) for name, value in zip(names, named, strict=True)}
