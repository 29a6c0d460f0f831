"""Pictures whose files are dropped to save room: which may go, and that they went. Their rows stay."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from tasks.ledger.database import Database
from tasks.ledger.schema import candidates, orders, runs, shortlists


@dataclass(frozen=True, slots=True)
class Droppable:
    """A losing draft whose file may go.

    Args:
        candidate_id: The picture.
        run_id: Its run.
        campaign: The run's campaign.
        file: Its file, relative to the run's folder.
        thumbnail: Its thumbnail, likewise; ``None`` when it has none.
    """

    candidate_id: str
    run_id: str
    campaign: str
    file: str
    thumbnail: str | None


class Pruning:
    """Dropped pictures of one ledger."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def losers(self, before: datetime) -> list[Droppable]:
        """List the drafts of runs done before a moment that nobody chose, liked, ticked or bought again."""
        columns = (candidates.c.candidate_id, candidates.c.run_id, runs.c.campaign, candidates.c.file,
                   candidates.c.thumbnail)  # fmt: skip
        bought = sa.select(orders.c.draft_id).where(orders.c.draft_id.is_not(None))
        query = (
            sa.select(*columns)
            .join(orders, orders.c.order_id == candidates.c.order_id)
            .join(runs, runs.c.run_id == candidates.c.run_id)
            .where(runs.c.state == "done", runs.c.finished_at < before, orders.c.stage == "draft")
            .where(candidates.c.pruned_at.is_(None), candidates.c.is_liked.is_(False))
            .where(candidates.c.is_finalist.is_not(True), candidates.c.candidate_id.not_in(bought))
            .order_by(candidates.c.run_id, candidates.c.candidate_id)
        )
        with self._database.read() as connection:
            lists = connection.execute(sa.select(shortlists.c.candidate_ids)).scalars()
            ticked = {name for names in lists for name in names}
            rows = connection.execute(query)
            return [Droppable(**row._mapping) for row in rows if row.candidate_id not in ticked]

    def record(self, candidate_ids: Sequence[str], now: datetime) -> None:
        """Write that the files of pictures were dropped."""
        with self._database.write() as connection:
            for name in candidate_ids:
                this = candidates.update().where(candidates.c.candidate_id == name)
                connection.execute(this.values(pruned_at=now))
