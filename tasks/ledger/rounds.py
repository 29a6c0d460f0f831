"""Decided rounds: which arms went on from each round of a run, stored once.

The round that follows from a decision is stored too, so that its orders do not change with a later campaign
file, or a version of Runoff that plans rounds differently.
"""

from collections.abc import Mapping
from dataclasses import asdict, fields
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from tasks.campaign.rounds import ArmStanding, RoundDecision
from tasks.ledger.database import Database, insert_new, reconnecting
from tasks.ledger.schema import rounds


@reconnecting
class Rounds:
    """The decided rounds of one ledger."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def record(self, run_id: str, decision: RoundDecision, now: datetime) -> None:
        """Store a decision; one already stored stays as it is.

        Args:
            run_id: The run.
            decision: The decision.
            now: Aware time.

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
