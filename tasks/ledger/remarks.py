"""People's remarks about pictures: all are stored; a comment can be taken back by its author."""

from dataclasses import asdict

import sqlalchemy as sa

from tasks.ledger.database import Database, reconnecting
from tasks.ledger.schema import remarks
from tasks.remarks import Remark


@reconnecting
class Remarks:
    """The remarks of one ledger."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, remark: Remark) -> None:
        """Store a remark.

        Raises:
            LedgerError: The ledger knows no such run or picture. Nothing was written.
        """
        values = {name: value for name, value in asdict(remark).items() if name != "remark_id"}
        with self._database.write() as connection:
            connection.execute(remarks.insert().values(values))

    def take_back(self, run_id: str, remark_id: int, said_by: str) -> None:
        """Take a person's own comment back; it stays stored. Somebody else's, or an unknown one, stays.

        Args:
            run_id: The run.
            remark_id: The comment.
            said_by: Its author.
        """
        own = (remarks.c.run_id == run_id) & (remarks.c.remark_id == remark_id)
        own &= (remarks.c.said_by == said_by) & (remarks.c.kind == "comment")
        with self._database.write() as connection:
            connection.execute(remarks.update().where(own).values(is_set=False))

    def of_run(self, run_id: str) -> list[Remark]:
        """List every remark about a run's pictures, oldest first."""
        query = sa.select(remarks).where(remarks.c.run_id == run_id).order_by(remarks.c.remark_id)
        with self._database.read() as connection:
            return [Remark(**row._mapping) for row in connection.execute(query)]
