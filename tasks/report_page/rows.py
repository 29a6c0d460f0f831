"""A report row as the page reads it, and the questions asked of many rows at once."""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from tasks.order import may_be_billed

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
    """Tell whether a row may have been billed at a cost nobody knows: its estimate stands for it.

    The ledger's own figure is ``OrderRecord.estimated_usd``; the report has no column of it.
    """
    return row["cost_usd"] is None and may_be_billed(row["state"], row["error_code"])


def is_draft(row: Row) -> bool:
    """Tell whether a row is of a draft's order."""
    return bool(row["stage"] == "draft")


def is_final(row: Row) -> bool:
    """Tell whether a row is of a final's order."""
    return bool(row["stage"] == "final")


def is_copy(row: Row) -> bool:
    """Tell whether a row is a picture that another one represents."""
    return bool(row["status"] == "duplicate")


def is_survivor(row: Row) -> bool:
    """Tell whether a row is a unique image: a draft that is no duplicate, and fit to show."""
    return is_draft(row) and bool(row["status"] == "survivor")


def is_finalist(row: Row) -> bool:
    """Tell whether a row is a draft to be bought again."""
    return is_draft(row) and bool(row["finalist"])


def merit(row: Row) -> tuple[bool, int, float, int]:
    """Sort key: by rank, then by score, then in the order they were made; what is unknown comes last."""
    rank, score = row["rank"], row["score"]
    return (rank is None, rank or 0, -(-1.0 if score is None else score), row["replicate"] or 0)
