"""Which arms went on from which round of a run, and to what: decided once, for a resumed run too.

The round that a decision begins is written down too, so that its orders do not change with a later campaign
file, nor with a Runoff that plans rounds in another way.
"""

from collections.abc import Mapping
from dataclasses import asdict, fields
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from tasks.campaign.rounds import ArmStanding, RoundDecision
from tasks.ledger.database import Database, insert_new
from tasks.ledger.schema import rounds


class Rounds:
    """The decided rounds of one ledger."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def record(self, run_id: str, decision: RoundDecision, now: datetime) -> None:
        """Keep a decision; one that is known stays as it is.

        Raises:
            LedgerError: The ledger knows no such run. Nothing was written.
        """
        row = {"run_id": run_id, "decided_at": now, **asdict(decision)}
        with self._database.write() as connection:
            connection.execute(insert_new(connection, rounds).values(row))

    def of_run(self, run_id: str) -> list[RoundDecision]:
        """List a run's decisions, the first round first."""
        query = sa.select(rounds).where(rounds.c.run_id == run_id).order_by(rounds.c.number)
        with self._database.read() as connection:
            return [_decision(dict(row._mapping)) for row in connection.execute(query)]


def _decision(row: Mapping[str, Any]) -> RoundDecision:
    kept = {field.name: row[field.name] for field in fields(RoundDecision)}
    return RoundDecision(**kept | {"standings": tuple(ArmStanding(**one) for one in row["standings"])})
