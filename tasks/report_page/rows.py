"""Report rows: their type, and the predicates, counts and sums that the report needs."""

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from tasks.campaign.rounds import added_round_of
from tasks.order import may_be_billed

Row = Mapping[str, Any]


def count_orders(rows: Iterable[Row], *states: str) -> int:
    """Count the different orders in any of these states; an order with several pictures has several rows."""
    return len({row["order_id"] for row in rows if row["state"] in states})


def count_pictures(rows: Iterable[Row]) -> int:
    """Count the rows that have a picture."""
    return sum(1 for row in rows if row["candidate_id"])


def add_usd(rows: Iterable[Row], column: str) -> Decimal:
    """Sum a money column exactly; rows whose amount is unknown add nothing."""
    return sum((row[column] for row in rows if row[column] is not None), Decimal(0))


def is_estimated(row: Row) -> bool:
    """Return whether a row may have been billed at an unknown cost, so that its estimate is charged.

    The ledger's figure is ``OrderRecord.estimated_usd``; the report has no column for it.
    """
    return row["cost_usd"] is None and may_be_billed(row["state"], row["error_code"])


def is_draft(row: Row) -> bool:
    """Return whether a row belongs to a draft's order."""
    return bool(row["stage"] == "draft")


def is_campaign_draft(row: Row) -> bool:
    """Return whether a row belongs to a draft that the campaign itself asks for: evidence about its arm."""
    return is_draft(row) and row.get("further_round") is None


def first_made(rows: Iterable[Row], added_from: Sequence[int]) -> list[Row]:
    """Keep the drafts by which arms are described: of each arm those of the round that made it first.

    A round that adds arms makes some of before again, to compare the new ones with; and further rounds are
    asked for of pictures that looked good. Neither counts for an arm of before.

    Args:
        rows: The report's rows.
        added_from: The first replicate of each added round, in order.
    """
    made = [(row, added_round_of(row["replicate"], added_from)) for row in rows if is_campaign_draft(row)]
    first: dict[str, int] = {}
    for row, number in made:
        first[row["arm"]] = min(number, first.get(row["arm"], number))
    return [row for row, number in made if number == first[row["arm"]]]


def is_final(row: Row) -> bool:
    """Return whether a row belongs to a final's order."""
    return bool(row["stage"] == "final")


def is_duplicate(row: Row) -> bool:
    """Return whether a row is a duplicate of another picture."""
    return bool(row["status"] == "duplicate")


def is_unique_image(row: Row) -> bool:
    """Return whether a row is a unique image: a draft that is no duplicate and is fit to show."""
    return is_draft(row) and bool(row["status"] == "survivor")


def is_finalist(row: Row) -> bool:
    """Return whether a row is a finalist."""
    return is_draft(row) and bool(row["finalist"])


def ancestors(draft: Row, drafts: Mapping[str, Row]) -> list[Row]:
    """List the drafts that a draft grew from, the nearest first; none for the campaign's own.

    Args:
        draft: The draft's row.
        drafts: All drafts of the run, by candidate id.
    """
    found: list[Row] = []
    while draft.get("further_round") and (origin := drafts.get(draft["draft_id"])) and origin not in found:
        found.append(origin)
        draft = origin
    return found


def merit(row: Row) -> tuple[bool, int, float, int]:
    """Sort by rank, then by score, then by replicate; unknown values are last."""
    rank, score = row["rank"], row["score"]
    return (rank is None, rank or 0, -(-1.0 if score is None else score), row["replicate"] or 0)


def name_verdict(row: Row, min_fidelity: float | None) -> str:
    """Name what became of a final: whether it still is its draft's picture, or another one was taken.

    Args:
        row: The final's row.
        min_fidelity: The fidelity below which a final is not accepted; ``None`` if editions differ.
    """
    if row["accepted"] is None:
        return "not compared yet"
    if row["accepted"]:
        return "accepted"
    fidelity = row["fidelity"]
    return (
        "not taken" if None not in (fidelity, min_fidelity) and fidelity >= min_fidelity else "not faithful"
    )
