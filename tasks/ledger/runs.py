"""Runs: one execution of a campaign each, found by id, by a unique prefix of it, or as ``latest``."""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from tasks.errors import RunError
from tasks.ledger.database import Database, insert_new, reconnecting
from tasks.ledger.homes import place_of
from tasks.ledger.run_hold import require_hold
from tasks.ledger.schema import runs, slots

RunState = Literal["running", "stopped", "waiting", "awaiting review", "done", "cancelled"]
_BASE32 = "abcdefghijklmnopqrstuvwxyz234567"


@dataclass(frozen=True, slots=True)
class RunRecord:
    """A run as stored in the ledger.

    Args:
        run_id: ``YYYYMMDD-HHMMSS-xxxx``, UTC and four random base32 characters.
        campaign: The campaign's name.
        provider: The provider's name.
        state: ``running``, ``stopped`` (ended early, may be resumed), ``waiting`` (the provider works on a
            batch), ``awaiting review``, ``done`` or ``cancelled`` (only a person takes it up again).
        started_at: Aware UTC time.
        finished_at: The same, or ``None`` while it is unfinished.
        warnings: Its warnings about models and settings.
        home: In which home its files are, with the machine; ``None`` if that was not written.
    """

    run_id: str
    campaign: str
    provider: str
    state: RunState
    started_at: datetime
    finished_at: datetime | None
    warnings: tuple[str, ...]
    home: str | None = None


def new_run_id(now: datetime) -> str:
    """Create a run id from a time and four random characters."""
    tail = "".join(secrets.choice(_BASE32) for _ in range(4))
    return f"{now.astimezone(UTC):%Y%m%d-%H%M%S}-{tail}"


@reconnecting
class Runs:
    """The runs of one ledger."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def start(
        self,
        run_id: str,
        *,
        campaign: str,
        provider: str,
        now: datetime,
        warnings: Sequence[str] = (),
        takes_up_cancelled: bool = False,
    ) -> None:
        """Insert a run as ``running``; one already stored becomes ``running`` and gets further warnings.

        Args:
            run_id: The run.
            campaign: The campaign's name.
            provider: The provider's name.
            now: Aware time.
            warnings: Its warnings about models and settings.
            takes_up_cancelled: A person takes the run up again, even if it was cancelled.

        Raises:
            RunError: The run was cancelled. Nothing was changed.
        """
        here = {"home": place_of(self._database.home)} if self._database.home else {}
        new = {
            "run_id": run_id,
            "campaign": campaign,
            "provider": provider,
            "state": "running",
            "started_at": now,
            "warnings": list(warnings),
            **here,
        }
        with self._database.write() as connection:
            if not insert_run(connection, new):
                this_run = runs.c.run_id == run_id
                query = sa.select(runs.c.warnings, runs.c.state).where(this_run).with_for_update()
                known = connection.execute(query).one()
                if known.state == "cancelled" and not takes_up_cancelled:
                    raise cancelled_error(run_id)
                all_warnings = dict.fromkeys([*known.warnings, *warnings])
                again = {"state": "running", "finished_at": None, "warnings": list(all_warnings), **here}
                connection.execute(runs.update().where(this_run).values(again))

    def end(self, run_id: str, state: RunState, now: datetime) -> None:
        """Record that a run ended, and its state; one that was cancelled stays so.

        Args:
            run_id: The run.
            state: Its state from now on.
            now: Aware time.

        Raises:
            RunError: Another process has taken the run over; its state is that process's now.
        """
        with self._database.write() as connection:
            require_hold(connection, self._database, run_id)
            is_kept = (runs.c.run_id == run_id) & (runs.c.state != "cancelled")
            connection.execute(runs.update().where(is_kept).values(state=state, finished_at=now))

    def cancel(self, run_id: str, now: datetime) -> None:
        """Give a run up for good: no slot resumes it, and a process that works on it sends nothing more.

        Args:
            run_id: The run.
            now: Aware time.
        """
        given_up = {"state": "cancelled", "finished_at": now}
        with self._database.write() as connection:
            connection.execute(runs.update().where(runs.c.run_id == run_id).values(given_up))
            connection.execute(
                slots.update().where(slots.c.run_id == run_id, slots.c.state == "open").values(state="ended")
            )

    def is_cancelled(self, run_id: str) -> bool:
        """Whether a run was given up for good."""
        with self._database.read() as connection:
            state = connection.execute(sa.select(runs.c.state).where(runs.c.run_id == run_id)).scalar()
        return bool(state == "cancelled")

    def is_known(self, run_id: str) -> bool:
        """Whether there is a run of that id."""
        with self._database.read() as connection:
            found = connection.execute(sa.select(runs.c.run_id).where(runs.c.run_id == run_id)).first()
        return found is not None

    def all(self) -> list[RunRecord]:
        """List every run, the one begun last first, also where the clock was set back in between."""
        newest_first = (runs.c.number.desc(), runs.c.started_at.desc(), runs.c.run_id.desc())
        with self._database.read() as connection:
            return [_record(row) for row in connection.execute(sa.select(runs).order_by(*newest_first))]

    def find(self, name: str) -> RunRecord:
        """Find a run by its id, a unique prefix of it, or ``latest``.

        Raises:
            RunError: There is no such run, or more than one.
        """
        known = self.all()
        # Everything begins with nothing, which is what a variable gives that a script has not set.
        begun = [run for run in known if name and run.run_id.startswith(name)]
        found = known[:1] if name == "latest" else begun
        if len(found) == 1:
            return found[0]
        what = f"{name!r} begins {len(found)} runs" if found else f"there is no run {name!r}"
        if not known:
            what = "no run has been made yet"
        raise RunError(
            where=f"ledger {self._database.name}",
            what=what,
            accepted=", ".join(run.run_id for run in (found or known)[:5]),
            next_step="List them with: runoff runs" if known else "Begin with: runoff demo",
        )


def cancelled_error(run_id: str) -> RunError:
    """Build the error for a run that was cancelled and that nobody asked to take up again."""
    return RunError(
        where=f"run {run_id}",
        what="was cancelled, and only a person can take it up again",
        money="Nothing more was bought.",
        next_step=f"To go on with it after all: runoff run --resume {run_id}",
    )


def insert_run(connection: Connection, values: Mapping[str, Any]) -> bool:
    """Insert a run with the next number, unless it is stored already; return whether it was inserted.

    Args:
        connection: The caller's transaction.
        values: All columns but the number.
    """
    next_number = sa.select(sa.func.coalesce(sa.func.max(runs.c.number), 0) + 1).scalar_subquery()
    new = insert_new(connection, runs).values({**values, "number": next_number})
    # Not the row count, which PostgreSQL's driver does not report for such an insert.
    return connection.execute(new.returning(runs.c.run_id)).first() is not None


def _record(row: sa.Row[Any]) -> RunRecord:
    return RunRecord(
        run_id=row.run_id,
        campaign=row.campaign,
        provider=row.provider,
        state=row.state,
        started_at=row.started_at,
        finished_at=row.finished_at,
        warnings=tuple(row.warnings),
        home=row.home,
    )
