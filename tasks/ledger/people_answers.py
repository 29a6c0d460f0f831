"""People's answers to statements about pictures: all are stored, and a person's last answer counts."""

from dataclasses import asdict

import sqlalchemy as sa

from tasks.judging.people_answers import PersonAnswer
from tasks.ledger.database import Database, reconnecting
from tasks.ledger.schema import people_answers


@reconnecting
class PeopleAnswers:
    """People's answers of one ledger."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, answer: PersonAnswer) -> None:
        """Store an answer.

        Raises:
            LedgerError: The ledger knows no such run or picture. Nothing was written.
        """
        with self._database.write() as connection:
            connection.execute(people_answers.insert().values(asdict(answer)))

    def of_run(self, run_id: str) -> list[PersonAnswer]:
        """List every answer about a run's pictures, oldest first."""
        columns = [column for column in people_answers.c if column.name != "answer_id"]
        query = sa.select(*columns).where(people_answers.c.run_id == run_id)
        with self._database.read() as connection:
            rows = connection.execute(query.order_by(people_answers.c.answer_id))
            return [PersonAnswer(**row._mapping) for row in rows]
