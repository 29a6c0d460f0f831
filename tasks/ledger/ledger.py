"""The ledger object: opens, migrates and verifies the database."""

from collections.abc import Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Self

import sqlalchemy as sa

from tasks.errors import LedgerError, RunError
from tasks.ledger.advisory_lock import hold_run
from tasks.ledger.allowances import Allowances
from tasks.ledger.answers import Answers
from tasks.ledger.batches import Batches, Uploads
from tasks.ledger.candidates import Candidates
from tasks.ledger.database import LEDGER_VARIABLE, WAIT_FOR_LOCK_S, Database, ledger_url
from tasks.ledger.decisions import Acceptances, DuplicateDecisions, Shortlists, Votes
from tasks.ledger.orders import Orders
from tasks.ledger.pictures import Pictures
from tasks.ledger.pruning import Pruning
from tasks.ledger.reconciliation import Reconciliations
from tasks.ledger.rounds import Rounds
from tasks.ledger.runs import Runs
from tasks.ledger.schema import HEAD
from tasks.ledger.slots import Slots
from tasks.ledger.spending import Spending
from tasks.ledger.verify import verify

# Keeps two processes that open a new ledger at once from both creating its tables. Any fixed number will do.
_UPGRADE_LOCK = 7_266_863_301


class Ledger:
    """The runs, orders, candidates and decisions in one database.

    Args:
        database: Where they are stored.
    """

    def __init__(self, database: Database) -> None:
        self.database = database
        self.runs = Runs(database)
        self.orders = Orders(database)
        self.batches = Batches(database)
        self.candidates = Candidates(database)
        self.pictures = Pictures(database)
        self.answers = Answers(database)
        self.rounds = Rounds(database)
        self.uploads = Uploads(database)
        self.reconciliations = Reconciliations(database)
        self.spending = Spending(database)
        self.slots = Slots(database)
        self.allowances = Allowances(database)
        self.pruning = Pruning(database)
        self.votes = Votes(database)
        self.duplicate_decisions = DuplicateDecisions(database)
        self.shortlists = Shortlists(database)
        self.acceptances = Acceptances(database)

    def hold(self, run_id: str) -> AbstractContextManager[None]:
        """Lock a run for this process, among all machines that share this ledger.

        Raises:
            RunError: Another process works on it.
            LedgerError: The database cannot be reached.
        """
        return hold_run(self.database, run_id)

    def verify(self, home: Path | None = None) -> list[str]:
        """List every inconsistency of the ledger with itself or with the pictures on disk.

        Args:
            home: Where the pictures are; ``None`` skips them.

        Returns:
            One sentence for each fault; empty when there are none.
        """
        return verify(self.database, home)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close every connection; leaving a ``with`` block does so too."""
        self.database.close()


def open_ledger(home: Path, environ: Mapping[str, str], wait_s: float = WAIT_FOR_LOCK_S) -> Ledger:
    """Open the ledger of a home folder, creating or migrating it when needed.

    Args:
        home: Runoff's home; must exist when the ledger is the SQLite file in it.
        environ: Where ``RUNOFF_LEDGER_URL`` may name another database.
        wait_s: How long a write waits for other writers before it gives up, seconds.

    Raises:
        LedgerError: It cannot be opened, or was written by a newer Runoff. Nothing was changed.
    """
    database = Database(ledger_url(home, environ.get(LEDGER_VARIABLE)), wait_s)
    try:
        version = _version(database)
        if version != HEAD:
            _upgrade(database, version)
    except LedgerError:
        database.close()
        raise
    return Ledger(database)


def open_existing_ledger(home: Path, environ: Mapping[str, str]) -> Ledger:
    """Open the ledger of a home for reading what was made there; none is created.

    Raises:
        RunError: There is no ledger yet.
        LedgerError: It cannot be opened, or was written by a newer Runoff. Nothing was changed.
    """
    if not has_ledger(home, environ):
        raise RunError(
            where=f"home {home}", what="no run has been made here", next_step="Start with: runoff demo"
        )
    return open_ledger(home, environ)


def has_ledger(home: Path, environ: Mapping[str, str]) -> bool:
    """Return whether a home has a ledger already: its own file, or one given by address."""
    return LEDGER_VARIABLE in environ or (home / "ledger.db").exists()


def _version(database: Database) -> str | None:
    with database.read() as connection:
        if not sa.inspect(connection).has_table("alembic_version"):
            return None
        version: str | None = connection.execute(sa.text("SELECT version_num FROM alembic_version")).scalar()
        return version


def _upgrade(database: Database, version: str | None) -> None:
    # Alembic is imported only when there is something to do: it is slow to load.
    from alembic import command
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    if version is not None and version not in known:
        raise LedgerError(
            where=f"ledger {database.name}",
            what=f"has version {version!r}, written by a newer Runoff",
            accepted=f"up to {HEAD!r}",
            next_step="Install the newer Runoff, or name another home with --home.",
        )
    with database.write() as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_UPGRADE_LOCK)))
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
