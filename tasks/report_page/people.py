"""What people said: the pictures they remarked on, and the pairs on which they and a scorer disagree most."""

from collections.abc import Sequence
from dataclasses import dataclass

from tasks.report_page.facts import RunFacts
from tasks.report_page.pictures import Picture
from tasks.report_page.rows import Row
from tasks.report_page.sources import Sources

MOST_SHOWN = 6
MOST_REMARKED = 60


@dataclass(frozen=True, slots=True)
class DisputedPair:
    """One pair of pictures that people and a scorer rank in opposite order.

    Args:
        preferred: The picture that people prefer.
        other: The one that the scorer prefers.
        margin: The difference of their scores.
    """

    preferred: Picture
    other: Picture
    margin: float


def show_disputed(drafts: Sequence[Row], facts: RunFacts, sources: Sources) -> list[DisputedPair]:
    """List the worst disagreements whose pictures are both known, the worst first.

    Args:
        drafts: The report rows of stage ``draft``.
        facts: The run's facts, with the calibration.
        sources: Gives thumbnails.
    """
    rows = {row["candidate_id"]: row for row in drafts if row["candidate_id"]}
    disagreements = (facts.calibration or {}).get("disagreements") or ()
    pairs = [pair for pair in disagreements if pair["preferred"] in rows and pair["other"] in rows]
    return [
        DisputedPair(
            _show(rows[pair["preferred"]], sources), _show(rows[pair["other"]], sources), pair["margin"]
        )
        for pair in pairs[:MOST_SHOWN]
    ]


def show_remarked(drafts: Sequence[Row], sources: Sources) -> list[Picture]:
    """List the drafts that people commented on, labelled or gave stars, commented ones and the best first.

    Args:
        drafts: The report rows of stage ``draft``.
        sources: Gives thumbnails.
    """
    said = [row for row in drafts if row["labels"] or row["comments"] or row["stars"] is not None]
    said.sort(key=lambda row: (row["comments"] is None, -(row["stars"] or 0), -(row["score"] or 0)))
    return [_show(row, sources) for row in said[:MOST_REMARKED]]


def _show(row: Row, sources: Sources) -> Picture:
    return Picture(row, sources.thumbnail(row["thumbnail"]))
