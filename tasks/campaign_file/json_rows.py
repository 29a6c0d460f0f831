"""Rows from JSON lines: one mapping per line, whose numbers and booleans keep their types."""

import json
from pathlib import Path
from typing import Any

from tasks.campaign_file.row_values import (
    Row,
    Rows,
    RowsFaultError,
    check_names,
    check_number,
    check_same,
    check_value,
    fault_at,
)


def read_json_lines(file: Path, text: str) -> Rows:
    """Read rows from the text of a JSON lines file.

    Raises:
        RowsFaultError: A line is not a mapping of values, or has other variables than the first one.
    """
    rows: list[Row] = []
    places = []
    for number, line in enumerate(text.replace("\r\n", "\n").replace("\r", "\n").split("\n"), start=1):
        if not line.strip():
            continue
        row = _row(file, number, line)
        if rows:
            check_same(file, number, row, rows[0])
        check_number(file, number, len(rows) + 1)
        rows.append(row)
        places.append(f"{file.name}:{number}")
    return Rows(rows, places)


def _row(file: Path, number: int, line: str) -> Row:
    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        check_names(file, number, [name for name, _ in pairs])
        return dict(pairs)

    try:
        row = json.loads(line, object_pairs_hook=once)
    except json.JSONDecodeError as error:
        raise fault_at(file, number, f"is not JSON ({error.msg}, column {error.colno})") from error
    except RecursionError as error:
        raise fault_at(file, number, "is nested too deeply; accepted: a mapping of variables") from error
    except RowsFaultError:
        raise
    except ValueError as error:  # Python reads no longer ones
        raise fault_at(file, number, "has a number of more than 4,300 digits") from error
    if not isinstance(row, dict):
        raise fault_at(
            file, number, "is not a mapping", 'a mapping of variables, such as {"action": "asleep"}'
        )
    return {name: check_value(file, number, name, value) for name, value in row.items()}
