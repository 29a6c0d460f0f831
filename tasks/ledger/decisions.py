"""People's decisions and votes: all are stored, and the last decision counts.

Shortlists have revisions. A change names the revision it was made from, a confirmation the one it was shown:
one based on an older revision fails and changes nothing. Votes on pairs are used for the ranking and to
evaluate the scorers. Votes can be withdrawn, and nothing else.
"""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from tasks.decisions import Acceptance, DuplicateDecision, Shortlist
from tasks.errors import RunError
from tasks.ledger.database import Database, insert_new, reconnecting
from tasks.ledger.schema import acceptances, duplicate_decisions, shortlists, votes
from tasks.pairwise.votes import Vote


@reconnecting
class DuplicateDecisions:
    """People's decisions about duplicates."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, decision: DuplicateDecision) -> None:
        """Store a decision about a pair of pictures.

        Raises:
            LedgerError: The ledger knows no such run or pictures. Nothing was written.
        """
        with self._database.write() as connection:
            connection.execute(duplicate_decisions.insert().values(asdict(decision)))

    def of_run(self, run_id: str) -> list[DuplicateDecision]:
        """List every decision about a run's pairs, oldest first."""
        query = sa.select(*_named(duplicate_decisions, "fold_id")).where(
            duplicate_decisions.c.run_id == run_id
        )
        with self._database.read() as connection:
            rows = connection.execute(query.order_by(duplicate_decisions.c.fold_id))
            return [DuplicateDecision(**row._mapping) for row in rows]


@reconnecting
class Shortlists:
    """Finalists chosen by people, as a sequence of revisions."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def last(self, run_id: str) -> Shortlist | None:
        """Read the newest revision; ``None`` when nobody has chosen."""
        query = sa.select(shortlists).where(shortlists.c.run_id == run_id)
        with self._database.read() as connection:
            row = connection.execute(query.order_by(shortlists.c.revision.desc()).limit(1)).first()
        return None if row is None else _shortlist(row)

    def choose(
        self, run_id: str, candidate_ids: Sequence[str], *, after: int, by: str, now: datetime
    ) -> Shortlist:
        """Write the next revision.

        Args:
            run_id: The run.
            candidate_ids: The drafts, the most important first; may be empty.
            after: The revision that this one changes; 0 for the first.
            by: Who chooses.
            now: Aware time.

        Raises:
            RunError: There is a newer revision. Nothing was written.
        """
        values = {
            "run_id": run_id, "revision": after + 1, "candidate_ids": list(candidate_ids), "chosen_by": by,
            "chosen_at": now,
        }  # fmt: skip
        with self._database.write() as connection:
            last = _last_revision(connection, run_id)
            made = insert_new(connection, shortlists).values(values).returning(shortlists.c.revision)
            if last != after or connection.execute(made).first() is None:
                raise _outdated(run_id, after)
        return Shortlist(run_id, after + 1, tuple(candidate_ids), by, now)

    def confirm(self, run_id: str, revision: int, *, by: str, now: datetime) -> None:
        """Confirm buying a revision: once, and only while it is the newest.

        Args:
            run_id: The run.
            revision: The revision that was shown.
            by: Who confirms.
            now: Aware time.

        Raises:
            RunError: It is not the newest, or was confirmed already. Nothing was written.
        """
        this_one = (shortlists.c.run_id == run_id) & (shortlists.c.revision == revision)
        with self._database.write() as connection:
            query = sa.select(shortlists).where(this_one).with_for_update()
            row = connection.execute(query).first()
            if row is None or _last_revision(connection, run_id) != revision:
                raise _outdated(run_id, revision)
            if row.confirmed_at is not None:
                raise _confirmed_before(_shortlist(row))
            connection.execute(shortlists.update().where(this_one).values(confirmed_by=by, confirmed_at=now))


@reconnecting
class Acceptances:
    """Finals that people accepted or rejected."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, acceptance: Acceptance) -> None:
        """Store a decision about a final.

        Raises:
            LedgerError: The ledger knows no such run or picture. Nothing was written.
        """
        with self._database.write() as connection:
            connection.execute(acceptances.insert().values(asdict(acceptance)))

    def of_run(self, run_id: str) -> list[Acceptance]:
        """List every decision about a run's finals, oldest first."""
        query = sa.select(*_named(acceptances, "acceptance_id")).where(acceptances.c.run_id == run_id)
        with self._database.read() as connection:
            rows = connection.execute(query.order_by(acceptances.c.acceptance_id))
            return [Acceptance(**row._mapping) for row in rows]


def _named(table: sa.Table, but: str) -> list[sa.Column[Any]]:
    return [column for column in table.c if column.name != but]


def _shortlist(row: sa.Row[Any]) -> Shortlist:
    return Shortlist(**{**row._mapping, "candidate_ids": tuple(row.candidate_ids)})


def _last_revision(connection: sa.Connection, run_id: str) -> int:
    query = sa.select(sa.func.max(shortlists.c.revision)).where(shortlists.c.run_id == run_id)
    return connection.execute(query).scalar() or 0


def _outdated(run_id: str, revision: int) -> RunError:
    return RunError(
        where=f"run {run_id}",
        what=f"the finalists were changed since revision {revision}",
        next_step="Reload them and choose again.",
    )


def _confirmed_before(shortlist: Shortlist) -> RunError:
    when = f"{shortlist.confirmed_at:%Y-%m-%d %H:%M} UTC"
    return RunError(
        where=f"run {shortlist.run_id}",
        what=f"these finalists were already confirmed, by {shortlist.confirmed_by} at {when}",
        money="Nothing more was bought.",
        next_step="See the progress under Finals.",
    )


@reconnecting
class Votes:
    """The votes of one ledger."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, vote: Vote) -> None:
        """Store a vote; one already stored stays as it is.

        Raises:
            LedgerError: The ledger knows no such run or pictures. Nothing was written.
        """
        with self._database.write() as connection:
            connection.execute(insert_new(connection, votes).values(asdict(vote)))

    def withdraw(self, vote_id: str, voter: str) -> bool:
        """Delete a person's own vote; returns whether there was one. Somebody else's stays."""
        own = (votes.c.vote_id == vote_id) & (votes.c.voter == voter)
        with self._database.write() as connection:
            return connection.execute(votes.delete().where(own)).rowcount > 0

    def of_run(self, run_id: str) -> list[Vote]:
        """List a run's votes, oldest first."""
        query = sa.select(votes).where(votes.c.run_id == run_id)
        with self._database.read() as connection:
            rows = connection.execute(query.order_by(votes.c.voted_at, votes.c.vote_id))
            return [Vote(**row._mapping) for row in rows]
