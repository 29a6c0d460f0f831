"""What a command left when it was over: rows, files and the bill, and how two such ends differ."""

import json
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path
from typing import Any

from tasks.ledger import open_ledger

UNKNOWN_ONLY = {"error_code", "error_message", "attempts", "latency_s", "vendor_request_id", "is_charged"}
MADE_UP = {"answer_id", "latency_s", "vendor_request_id", "batch_key", "input_file_id", "vendor_batch_id"}
OF_THE_MOMENT = {"allowances", "batch_orders", "uploads"}
"""Tables of the last minute's requests, and of names that the provider makes up."""

Rows = dict[str, list[dict[str, Any]]]


@dataclass(frozen=True)
class End:
    """What a command left.

    Args:
        rows: Every table's rows.
        files: Every file below the run's folder with the digest of its bytes.
        charged: What the provider charged for each order, nano-dollars, one a request.
        log: What the commands printed.
        faults: What is wrong in itself.
    """

    rows: Rows
    files: Mapping[str, str]
    charged: Mapping[str, list[int]]
    log: str
    faults: Sequence[str]

    def unknown(self) -> frozenset[str]:
        """Name the orders that are unknown."""
        return frozenset(row["order_id"] for row in self.rows["orders"] if row["state"] == "unknown")


def end_of(home: Path, charged: Mapping[str, list[int]]) -> End:
    """Look at what is left in a home.

    Args:
        home: Runoff's home; what was printed is in ``log`` beside it.
        charged: What the provider charged for each order, nano-dollars, one a request.
    """
    rows = _rows(home / "ledger.db")
    return End(rows, _files(home), charged, log_of(home), [*_faults(home, rows, charged)])


def without_parts(end: End) -> End:
    """Leave half files out."""
    faults = [fault for fault in end.faults if not fault.endswith(" was left")]
    files = {name: digest for name, digest in end.files.items() if not name.endswith(".part")}
    return replace(end, faults=faults, files=files)


def log_of(home: Path) -> str:
    """Read what the commands of a home printed."""
    file = home.parent / "log"
    return file.read_text() if file.exists() else ""


def _rows(ledger: Path) -> Rows:
    with closing(sqlite3.connect(ledger)) as connection:
        connection.row_factory = sqlite3.Row
        names = [row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        return {name: [dict(row) for row in connection.execute(f"SELECT * FROM {name}")] for name in names}


def _files(home: Path) -> dict[str, str]:
    """Digest every file of the home but the ledger's and Prefect's."""
    found = {}
    for file in sorted(home.rglob("*")):
        name = file.relative_to(home).as_posix()
        if file.is_file() and not name.startswith((".prefect", ".backups", "ledger.db")):
            found[name] = sha256(file.read_bytes()).hexdigest()
    return found


def _faults(home: Path, rows: Rows, charged: Mapping[str, list[int]]) -> Iterator[str]:
    """Find what no end may be: orders without an end, money that disagrees, leftovers of writing."""
    with open_ledger(home, {}) as ledger:
        yield from ledger.verify(home)
    for run in rows["runs"]:
        if run["state"] not in ("done", "awaiting review", "cancelled"):
            yield f"the run is {run['state']}"
    for order in rows["orders"]:
        yield from _order_faults(order, charged.get(order["order_id"], []))
    for order_id in charged.keys() - {order["order_id"] for order in rows["orders"]}:
        yield f"order {order_id} was bought and is in no ledger"
    for part in home.rglob("*.part"):
        if part.parent.name != ".backups":  # there a later one deletes it
            yield f"{part.relative_to(home)} was left"


def _order_faults(order: Mapping[str, Any], paid: Sequence[int]) -> Iterator[str]:
    name = f"order {order['order_id']} ({order['state']})"
    if order["state"] not in ("received", "unknown"):
        yield f"{name} has no end"
    if any(paid[:-1]):
        yield f"{name} was bought more than once: {paid}"
    if order["state"] == "received" and paid and order["charged_nanousd"] != sum(paid):
        yield f"{name} holds {order['charged_nanousd']}, its bill is {paid}"
    if order["charged_nanousd"] < sum(paid):
        yield f"{name} holds less than its bill {paid}"


def differences(found: End, expected: End) -> Iterator[str]:
    """Compare two ends: every row and every file, but what differs by the moment."""
    for table, rows in expected.rows.items():
        if table in OF_THE_MOMENT:
            continue
        ours, theirs = _stable(table, found.rows[table]), _stable(table, rows)
        for row in ours - theirs:
            yield f"{table} has {row}"
        for row in theirs - ours:
            yield f"{table} lacks {row}"
    for name in expected.files.keys() ^ found.files.keys():
        if "/batches/" in name:
            continue
        yield f"{name} is {'missing' if name in expected.files else 'not of the undisturbed'}"
    for name in expected.files.keys() & found.files.keys():
        if name.endswith((".png", ".webp")) and found.files[name] != expected.files[name]:
            yield f"{name} is another picture"


def _stable(table: str, rows: Sequence[Mapping[str, Any]]) -> set[str]:
    """Render rows for comparing; a batch that was withdrawn before it was asked for counts as none."""
    if table == "batches":
        rows = [row for row in rows if row["state"] != "withdrawn"]
    return {json.dumps(_stable_row(table, row), sort_keys=True, default=str) for row in rows}


def _stable_row(table: str, row: Mapping[str, Any]) -> dict[str, Any]:
    volatile = {name for name in row if name.endswith("_at")} | MADE_UP
    if table == "orders" and row["state"] == "unknown":
        volatile |= UNKNOWN_ONLY
    if table == "orders" and row["stage"] == "judge":
        volatile |= {"position"}  # counted among the questions that still have no answer
    if table == "shortlists":
        volatile |= {"revision"}  # a list that was confirmed gets another one to be confirmed again
    if table == "scores" and row["value"] is None:
        volatile |= {"reason"}  # it says why an answer is unknown
    return {name: value for name, value in row.items() if name not in volatile}
