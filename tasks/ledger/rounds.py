"""Which arms went on from which round of a run: decided once, so that a resumed run decides the same."""

from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from tasks.ledger.database import Database, insert_new
from tasks.ledger.schema import rounds
from tasks.rounds import ArmStanding, RoundDecision


class Rounds:
    """The decided rounds of one ledger."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def record(self, run_id: str, decision: RoundDecision, now: datetime) -> None:
        """Keep a decision; one that is known stays as it is.

        Raises:
            LedgerError: The ledger knows no such run. Nothing was written.
        """
        standings = [asdict(standing) for standing in decision.standings]
        row = {"run_id": run_id, "number": decision.number, "standings": standings, "decided_at": now}
        with self._database.write() as connection:
            connection.execute(insert_new(connection, rounds).values(row))

    def of_run(self, run_id: str) -> list[RoundDecision]:
        """List a run's decisions, the first round first."""
        query = sa.select(rounds).where(rounds.c.run_id == run_id).order_by(rounds.c.number)
        with self._database.read() as connection:
            return [RoundDecision(row.number, _standings(row.standings)) for row in connection.execute(query)]


def _standings(kept: list[Mapping[str, Any]]) -> tuple[ArmStanding, ...]:
    return tuple(ArmStanding(**standing) for standing in kept)
