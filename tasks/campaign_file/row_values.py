"""The values and names of rows that are read from a file, and the faults of both."""

import math
import re
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import NamedTuple

from tasks.campaign.accepted import VARIABLE_WORDS, nearest_name
from tasks.campaign.campaign import VARIABLE_PATTERN
from tasks.campaign.statements import VARIABLE
from tasks.limits import ROWS
from tasks.text import escape_unprintable, find_no_text

ACCEPTED_VALUE = "text, a number, true or false"
Scalar = str | int | float | bool
Row = dict[str, Scalar]


class RowsFaultError(ValueError):
    """Rows cannot be read from a file; the message says where, why and what is accepted.

    Args:
        what: Where and why.
        accepted: What would be accepted; empty where the first says enough.
        others: Further faults of the same file.
    """

    def __init__(self, what: str, accepted: str = "", others: Sequence["RowsFaultError"] = ()) -> None:
        super().__init__(f"{what}, accepted: {accepted}" if accepted else what)
        self.what = what
        self.accepted = accepted
        self.others = tuple(others)


class Rows(NamedTuple):
    """Rows that were read.

    Args:
        rows: The rows in their order.
        places: Where each was read: its file and line, or the file alone if it is a picture.
        n_blank: How many lines without any value were left out.
    """

    rows: list[Row]
    places: list[str]
    n_blank: int = 0


def check_number(file: Path, line: int, number: int) -> None:
    """Check that a campaign may have one more row than those read so far; ``number`` counts it.

    Raises:
        RowsFaultError: It may not.
    """
    if number > ROWS:
        raise fault_at(file, line, f"is row {number:,}, and a campaign may have {ROWS:,}")


def fault_at(file: Path, line: int, what: str, accepted: str = "") -> RowsFaultError:
    """Make the fault of one line, counted from 1."""
    where = f"{escape_unprintable(str(file))}:{line}"
    return RowsFaultError(f"{where}: {escape_unprintable(what)}", accepted)


def check_names(file: Path, line: int, names: Sequence[str]) -> None:
    """Check the names of a row's variables.

    Raises:
        RowsFaultError: One occurs twice, is empty, or is no name of a variable.
    """
    twice = sorted({name for name in names if names.count(name) > 1 and name})
    if twice:
        what = f"the column {', '.join(twice)} occurs twice"
        raise fault_at(file, line, what, "another name for each column")
    if "" in names:
        what = f"column {names.index('') + 1} has no name"
        raise fault_at(file, line, what, "a name in the first line above every column with values")
    for name in names:
        if not re.fullmatch(VARIABLE_PATTERN, name):
            near = nearest_name(name, VARIABLE_PATTERN)
            hint = f" (did you mean {near}?)" if near else ""
            what = f"the column {name[:80]!r} is no name of a variable{hint}"
            raise fault_at(file, line, what, f"{VARIABLE_WORDS}, in the first line")


def check_value(file: Path, line: int, name: str, value: object) -> Scalar:
    """Check one value; days and times become text, and a list of statements becomes its lines.

    Raises:
        RowsFaultError: It is null, not finite, nested, or holds what cannot be sent or stored.
    """
    if isinstance(value, datetime | date):
        return value.isoformat()
    if name == VARIABLE and isinstance(value, list) and all(isinstance(one, str) for one in value):
        value = "\n".join(value)
    if isinstance(value, str) and (found := find_no_text(value)):
        raise fault_at(file, line, f"{name} holds {found}", "text")
    if isinstance(value, str | bool | int) or (isinstance(value, float) and math.isfinite(value)):
        return value
    if value is None or isinstance(value, float):
        shown = "null" if value is None else value
        raise fault_at(file, line, f"{name} is {shown}", ACCEPTED_VALUE)
    raise fault_at(file, line, f"{name} is a {type(value).__name__}", ACCEPTED_VALUE)


def check_same(file: Path, line: int, row: Mapping[str, object], first: Mapping[str, object]) -> None:
    """Check that a row has the variables of the first one.

    Raises:
        RowsFaultError: It has not.
    """
    if missing := [name for name in first if name not in row]:
        raise fault_at(file, line, f"{', '.join(missing)} is missing, but the first row has it")
    if added := [name for name in row if name not in first]:
        raise fault_at(file, line, f"{', '.join(added)} is not in the first row")
