"""Looks up single pictures by id and counts runs' pictures, quickly enough for a web page.

Pages use ids only. The file is looked up here, so that no path ever comes from a request.
"""

from dataclasses import dataclass

import sqlalchemy as sa

from tasks.ledger.database import Database, reconnecting
from tasks.ledger.schema import candidates, orders, runs


@dataclass(frozen=True, slots=True)
class PictureFile:
    """Where a picture is.

    Args:
        run_id: Its run.
        campaign: The run's campaign.
        file: Path relative to the run's folder.
        thumbnail: The same for its thumbnail, or ``None`` before it was inspected.
        sha256: Hex digest of the picture's bytes as received.
    """

    run_id: str
    campaign: str
    file: str
    thumbnail: str | None
    sha256: str


@dataclass(frozen=True, slots=True)
class RunTally:
    """A run's numbers of pictures.

    Args:
        n_drafts: Drafts received.
        n_copies: Drafts that are duplicates.
        n_finalists: Drafts chosen.
        n_finals: Finals received.
        n_accepted: Finals accepted.
    """

    n_drafts: int = 0
    n_duplicates: int = 0
    n_finalists: int = 0
    n_finals: int = 0
    n_accepted: int = 0


@reconnecting
class Pictures:
    """The pictures of one ledger, found by id."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def find(self, candidate_id: str) -> PictureFile | None:
        """Find a picture; ``None`` when the ledger has none with that id."""
        query = (
            sa.select(
                candidates.c.run_id,
                runs.c.campaign,
                candidates.c.file,
                candidates.c.thumbnail,
                candidates.c.sha256,
            )
            .join(runs, runs.c.run_id == candidates.c.run_id)
            .where(candidates.c.candidate_id == candidate_id)
        )
        with self._database.read() as connection:
            row = connection.execute(query).first()
        return None if row is None else PictureFile(*row)

    def tallies(self) -> dict[str, RunTally]:
        """Count every run's pictures, by run id; runs without any are left out."""
        is_draft = orders.c.stage == "draft"
        query = (
            sa.select(
                candidates.c.run_id,
                _count(is_draft),
                _count(is_draft & (candidates.c.status == "duplicate")),
                _count(is_draft & candidates.c.is_finalist),
                _count(orders.c.stage == "final"),
                _count((orders.c.stage == "final") & candidates.c.is_accepted),
            )
            .join(orders, orders.c.order_id == candidates.c.order_id)
            .group_by(candidates.c.run_id)
        )
        with self._database.read() as connection:
            return {run_id: RunTally(*map(int, counts)) for run_id, *counts in connection.execute(query)}

    def best(self, n_best: int) -> dict[str, list[str]]:
        """List the ids of every run's best drafts, best first, by run id."""
        query = (
            sa.select(candidates.c.run_id, candidates.c.candidate_id)
            .where(candidates.c.rank <= n_best)
            .order_by(candidates.c.run_id, candidates.c.rank)
        )
        found: dict[str, list[str]] = {}
        with self._database.read() as connection:
            for run_id, candidate_id in connection.execute(query):
                found.setdefault(run_id, []).append(candidate_id)
        return found


def _count(condition: sa.ColumnElement[bool]) -> sa.ColumnElement[int]:
    return sa.func.coalesce(sa.func.sum(sa.case((condition, 1), else_=0)), 0)
