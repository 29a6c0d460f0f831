"""Runs: one execution of a campaign each, found by id, by a unique prefix of it, or as ``latest``."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

import sqlalchemy as sa

from tasks.errors import RunError
from tasks.ledger.database import Database, insert_new
from tasks.ledger.schema import runs

RunState = Literal["running", "stopped", "waiting", "awaiting review", "done"]
_BASE32 = "abcdefghijklmnopqrstuvwxyz234567"


@dataclass(frozen=True, slots=True)
class RunRecord:
    """A run as stored in the ledger.

    Args:
        run_id: ``YYYYMMDD-HHMMSS-xxxx``, UTC and four random base32 characters.
        campaign: The campaign's name.
        provider: The provider's name.
        state: ``running``, ``stopped`` (ended early, may be resumed), ``waiting`` (the provider works on a
            batch), ``awaiting review`` or ``done``.
        started_at: Aware UTC time.
        finished_at: The same, or ``None`` while it is unfinished.
        warnings: Its warnings about models and settings.
    """

    run_id: str
    campaign: str
    provider: str
    state: RunState
    started_at: datetime
    finished_at: datetime | None
    warnings: tuple[str, ...]


def new_run_id(now: datetime) -> str:
    """Create a run id from a time and four random characters."""
    tail = "".join(secrets.choice(_BASE32) for _ in range(4))
    return f"{now.astimezone(UTC):%Y%m%d-%H%M%S}-{tail}"


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
    ) -> None:
        """Insert a run as ``running``; one already stored becomes ``running`` and gets further warnings.

        Args:
            run_id: The run.
            campaign: The campaign's name.
            provider: The provider's name.
            now: Aware time.
            warnings: Its warnings about models and settings.
        """
        new = {
            "run_id": run_id,
            "campaign": campaign,
            "provider": provider,
            "state": "running",
            "started_at": now,
            "warnings": list(warnings),
        }
        with self._database.write() as connection:
            # Not the row count, which PostgreSQL's driver does not report for such an insert.
            made = insert_new(connection, runs).values(new).returning(runs.c.run_id)
            if connection.execute(made).first() is None:
                this_run = runs.c.run_id == run_id
                known = sa.select(runs.c.warnings).where(this_run).with_for_update()
                all_warnings = dict.fromkeys([*connection.execute(known).scalar_one(), *warnings])
                again = {"state": "running", "finished_at": None, "warnings": list(all_warnings)}
                connection.execute(runs.update().where(this_run).values(again))

    def end(self, run_id: str, state: RunState, now: datetime) -> None:
        """Record that a run ended, and its state.

        Args:
            run_id: The run.
            state: Its state from now on.
            now: Aware time.
        """
        with self._database.write() as connection:
            connection.execute(
                runs.update().where(runs.c.run_id == run_id).values(state=state, finished_at=now)
            )

    def all(self) -> list[RunRecord]:
        """List every run, newest first."""
        with self._database.read() as connection:
            rows = connection.execute(
                sa.select(runs).order_by(runs.c.started_at.desc(), runs.c.run_id.desc())
            )
            return [_record(row) for row in rows]

    def find(self, name: str) -> RunRecord:
        """Find a run by its id, a unique prefix of it, or ``latest``.

        Raises:
            RunError: There is no such run, or more than one.
        """
        known = self.all()
        found = known[:1] if name == "latest" else [run for run in known if run.run_id.startswith(name)]
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


def _record(row: sa.Row[Any]) -> RunRecord:
    return RunRecord(
        run_id=row.run_id,
        campaign=row.campaign,
        provider=row.provider,
        state=row.state,
        started_at=row.started_at,
        finished_at=row.finished_at,
        warnings=tuple(row.warnings),
    )
