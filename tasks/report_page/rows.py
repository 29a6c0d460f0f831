"""A report row as the page reads it, and the questions asked of many rows at once."""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from tasks.order import BILLED_WITHOUT_PICTURE

Row = Mapping[str, Any]


def count_orders(rows: Iterable[Row], *states: str) -> int:
    """Count the different orders in any of these states; an order with several pictures has several rows."""
    return len({row["order_id"] for row in rows if row["state"] in states})


def count_pictures(rows: Iterable[Row]) -> int:
    """Count the rows that have a picture."""
    return sum(1 for row in rows if row["candidate_id"])


def add_usd(rows: Iterable[Row], column: str) -> Decimal:
    """Add a money column up, exactly; rows whose amount is unknown add nothing."""
    return sum((row[column] for row in rows if row[column] is not None), Decimal(0))


def is_estimated(row: Row) -> bool:
    """Tell whether a row was, or may have been, billed at a cost nobody knows: its estimate stands for it.

    The ledger's own figure is ``OrderRecord.estimated_usd``; a row has no column of it.
    """
    is_billed = row["state"] in ("sent", "unknown", "received") or row["error_code"] == BILLED_WITHOUT_PICTURE
    return row["cost_usd"] is None and is_billed


def is_copy(row: Row) -> bool:
    """Tell whether a row is a picture that was folded under another."""
    return bool(row["status"] == "duplicate")


def is_survivor(row: Row) -> bool:
    """Tell whether a row is a draft that is no copy and fit to show."""
    return bool(row["stage"] == "draft" and row["status"] == "survivor")
