"""Pictures whose files are deleted to save disk space; their rows stay."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from tasks.ledger.database import Database, reconnecting
from tasks.ledger.schema import candidates, orders, runs, shortlists


@dataclass(frozen=True, slots=True)
class Droppable:
    """A losing draft whose files may be deleted.

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

    @property
    def files(self) -> tuple[str, ...]:
        """Its files, relative to the run's folder."""
        return (self.file,) if self.thumbnail is None else (self.file, self.thumbnail)


_COLUMNS = (candidates.c.candidate_id, candidates.c.run_id, runs.c.campaign, candidates.c.file,
            candidates.c.thumbnail)  # fmt: skip


@reconnecting
class Pruning:
    """The pruned pictures of one ledger."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def losers(
        self,
        before: datetime,
        run_id: str | None = None,
        campaign: str | None = None,
        *,
        of_declined: bool = False,
    ) -> dict[tuple[str, str], list[Droppable]]:
        """List the drafts of runs done before a time that were not chosen, liked, ticked or bought as finals.

        Args:
            before: Aware time.
            run_id: Only this run; by default all runs.
            campaign: Only runs of this campaign; by default of all.
            of_declined: Only runs of which nobody chose a picture; what was ticked there before counts for
                nothing.

        Returns:
            The drafts by run id and campaign, oldest run first.
        """
        bought = sa.select(orders.c.draft_id).where(orders.c.draft_id.is_not(None))
        query = (
            sa.select(*_COLUMNS)
            .join(orders, orders.c.order_id == candidates.c.order_id)
            .join(runs, runs.c.run_id == candidates.c.run_id)
            .where(runs.c.state == "done", runs.c.finished_at < before, orders.c.stage == "draft")
            .where(candidates.c.pruned_at.is_(None), candidates.c.is_liked.is_(False))
            .where(candidates.c.is_finalist.is_not(True), candidates.c.candidate_id.not_in(bought))
            .order_by(candidates.c.run_id, candidates.c.candidate_id)
        )
        if run_id is not None:
            query = query.where(candidates.c.run_id == run_id)
        if campaign is not None:
            query = query.where(runs.c.campaign == campaign)
        found: dict[tuple[str, str], list[Droppable]] = {}
        with self._database.read() as connection:
            lists = connection.execute(sa.select(shortlists).order_by(shortlists.c.revision)).all()
            ticked = {name for one in lists for name in one.candidate_ids}
            last = {one.run_id: one for one in lists}
            declined = {name for name, one in last.items() if one.confirmed_at and not one.candidate_ids}
            for row in connection.execute(query):
                is_wanted = row.run_id in declined if of_declined else row.candidate_id not in ticked
                if is_wanted:
                    found.setdefault((row.run_id, row.campaign), []).append(Droppable(**row._mapping))
        return found

    def dropped(self, run_id: str) -> list[Droppable]:
        """List the pictures of a run whose files were deleted."""
        query = (
            sa.select(*_COLUMNS)
            .join(runs, runs.c.run_id == candidates.c.run_id)
            .where(candidates.c.run_id == run_id, candidates.c.pruned_at.is_not(None))
        )
        with self._database.read() as connection:
            return [Droppable(**row._mapping) for row in connection.execute(query)]

    def record(self, candidate_ids: Sequence[str], now: datetime) -> None:
        """Record that the files of pictures were deleted."""
        with self._database.write() as connection:
            this = candidates.update().where(candidates.c.candidate_id == sa.bindparam("name"))
            if candidate_ids:
                dropped = [{"name": name} for name in candidate_ids]
                connection.execute(this.values(pruned_at=now), dropped)
