"""Slots: the scheduled starts of campaigns, one row each, so that each start makes at most one run.

A slot is claimed before anything is bought. A process that starts it again (a retry, a second worker, a
restarted machine) finds the first claim and its run. It stays ``open`` until its run has ended; a run left by
a killed process is found by its open slot.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

import sqlalchemy as sa

from tasks.ledger.database import Database, insert_new, reconnecting
from tasks.ledger.schema import runs, slots

SlotState = Literal["open", "ended", "skipped", "failed"]


@dataclass(frozen=True, slots=True)
class Slot:
    """A scheduled start.

    Args:
        name: A unique name of the schedule and the time.
        campaign: The campaign's name.
        due_at: When it was to start, aware UTC time.
        state: ``open``, ``ended``, ``skipped`` (no run was made) or ``failed`` (none could be made).
        run_id: The run that it starts or continues; if skipped or failed, no such run exists.
        reason: Why it was skipped or failed; empty otherwise.
        started_by: What started it, such as the id of a flow run.
    """

    name: str
    campaign: str
    due_at: datetime
    state: SlotState
    run_id: str
    reason: str = ""
    started_by: str = ""


@reconnecting
class Slots:
    """The slots of one ledger."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def claim(self, slot: Slot) -> Slot:
        """Insert a slot, unless it or another of the same starter is stored; return the one that counts.

        All processes that claim one slot at the same time get the same result.
        """
        with self._database.write() as connection:
            if slot.started_by and (known := _one(connection, slots.c.started_by == slot.started_by)):
                return known
            values = {key: getattr(slot, key) for key in _COLUMNS}
            connection.execute(insert_new(connection, slots).values(values))
            found = _one(connection, slots.c.name == slot.name)
        assert found is not None
        return found

    def change(self, name: str, state: SlotState, reason: str = "") -> None:
        """Record a slot's state, with a reason if there is one.

        Args:
            name: The slot's name.
            state: Its state from now on.
            reason: Why it was skipped or failed; empty otherwise.
        """
        with self._database.write() as connection:
            connection.execute(slots.update().where(slots.c.name == name).values(state=state, reason=reason))

    def end_run(self, run_id: str) -> None:
        """Record that a run ended: every open slot of it becomes ``ended``."""
        is_open = (slots.c.run_id == run_id) & (slots.c.state == "open")
        with self._database.write() as connection:
            connection.execute(slots.update().where(is_open).values(state="ended"))

    def all(self) -> list[Slot]:
        """List every slot, the newest first."""
        with self._database.read() as connection:
            return _many(connection, sa.true())

    def open_runs(self, campaigns: Sequence[str]) -> dict[str, int]:
        """Find the runs with open slots, with the number of slots of each; oldest first."""
        is_open = (slots.c.state == "open") & slots.c.campaign.in_(campaigns)
        begun = slots.c.run_id.in_(sa.select(runs.c.run_id))
        with self._database.read() as connection:
            found = [slot.run_id for slot in reversed(_many(connection, is_open & begun))]
        return {run_id: found.count(run_id) for run_id in found}

    def run_of(self, started_by: str) -> str | None:
        """Find the run that a starter started; ``None`` when it started none."""
        with self._database.read() as connection:
            slot = _one(connection, slots.c.started_by == started_by)
        return slot.run_id if slot else None


_COLUMNS = ("name", "campaign", "due_at", "state", "run_id", "reason", "started_by")


def _many(connection: sa.Connection, condition: sa.ColumnElement[bool]) -> list[Slot]:
    query = sa.select(slots).where(condition).order_by(slots.c.due_at.desc(), slots.c.name.desc())
    return [Slot(**{key: getattr(row, key) for key in _COLUMNS}) for row in connection.execute(query)]


def _one(connection: sa.Connection, condition: sa.ColumnElement[bool]) -> Slot | None:
    return next(iter(_many(connection, condition)), None)
