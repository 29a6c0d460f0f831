"""Votes of people on pairs of drafts, kept for the ranking and to judge the scorers by."""

from dataclasses import asdict

import sqlalchemy as sa

from tasks.ledger.database import Database, insert_new
from tasks.ledger.schema import votes
from tasks.pairwise.votes import Vote


class Votes:
    """The votes of one ledger."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, vote: Vote) -> None:
        """Keep a vote; one that is known stays as it is.

        Raises:
            LedgerError: The ledger knows no such run or pictures. Nothing was written.
        """
        with self._database.write() as connection:
            connection.execute(insert_new(connection, votes).values(asdict(vote)))

    def withdraw(self, vote_id: str) -> None:
        """Take a vote back, as if it had not been given; an unknown one changes nothing."""
        with self._database.write() as connection:
            connection.execute(votes.delete().where(votes.c.vote_id == vote_id))

    def of_run(self, run_id: str) -> list[Vote]:
        """List a run's votes, oldest first."""
        query = sa.select(votes).where(votes.c.run_id == run_id)
        with self._database.read() as connection:
            rows = connection.execute(query.order_by(votes.c.voted_at, votes.c.vote_id))
            return [Vote(**row._mapping) for row in rows]
