"""The ledger object: opens, migrates and verifies the database."""

from collections.abc import Mapping
from contextlib import AbstractContextManager
from datetime import datetime
from pathlib import Path
from typing import Self

from tasks.errors import LedgerError, RunError
from tasks.ledger.allowances import Allowances
from tasks.ledger.answers import Answers
from tasks.ledger.backups import back_up, sqlite_file
from tasks.ledger.batches import Batches, Uploads
from tasks.ledger.candidates import Candidates
from tasks.ledger.database import LEDGER_VARIABLE, WAIT_FOR_LOCK_S, Database, ledger_url
from tasks.ledger.decisions import Acceptances, DuplicateDecisions, Shortlists, Votes
from tasks.ledger.further_rounds import FurtherRounds
from tasks.ledger.homes import describe_elsewhere
from tasks.ledger.invitations import Invitations
from tasks.ledger.latencies import Latencies
from tasks.ledger.migrating import require_own, upgrade, version_of
from tasks.ledger.orders import Orders
from tasks.ledger.people_answers import PeopleAnswers
from tasks.ledger.pictures import Pictures
from tasks.ledger.pruning import Pruning
from tasks.ledger.reconciliation import Reconciliations
from tasks.ledger.remarks import Remarks
from tasks.ledger.rounds import Rounds
from tasks.ledger.run_hold import hold_run, is_held
from tasks.ledger.runs import Runs
from tasks.ledger.schema import HEAD
from tasks.ledger.slots import Slots
from tasks.ledger.spending import Spending
from tasks.ledger.spending_limits import SpendingLimits
from tasks.ledger.strays import describe_strays, lost_runs, note_of_lost_runs, require_complete
from tasks.ledger.verify import find_wrong_sums, verify
from tasks.storage.home import paid_runs
from tasks.storage.mirror import home_address


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
        self.further_rounds = FurtherRounds(database)
        self.uploads = Uploads(database)
        self.reconciliations = Reconciliations(database)
        self.spending = Spending(database)
        self.spending_limits = SpendingLimits(database)
        self.latencies = Latencies(database)
        self.slots = Slots(database)
        self.allowances = Allowances(database)
        self.pruning = Pruning(database)
        self.votes = Votes(database)
        self.duplicate_decisions = DuplicateDecisions(database)
        self.shortlists = Shortlists(database)
        self.acceptances = Acceptances(database)
        self.invitations = Invitations(database)
        self.people_answers = PeopleAnswers(database)
        self.remarks = Remarks(database)

    def hold(self, run_id: str, lock_file: str = "") -> AbstractContextManager[None]:
        """Hold a run for this process, among all machines that share this ledger.

        Args:
            run_id: The run.
            lock_file: Identifies a lock file that this process has locked, among all machines.

        Raises:
            RunError: Another process works on it.
            LedgerError: The database cannot be reached.
        """
        return hold_run(self.database, run_id, lock_file)

    def hold_of(self, run_id: str) -> str:
        """Return the token of a run that this process holds; empty with a SQLite ledger."""
        return self.database.holds.get(run_id, "")

    def share_hold(self, run_id: str, token: str) -> None:
        """Work on a run that another process holds: nothing is sent once that process has lost it.

        Args:
            run_id: The run.
            token: The holder's; empty with a SQLite ledger.
        """
        if token:
            self.database.holds[run_id] = token

    def is_held(self, run_id: str) -> bool:
        """Return whether a process on any machine that shares this ledger holds a run.

        Raises:
            LedgerError: The database cannot be reached.
        """
        return is_held(self.database, run_id)

    def verify(self, home: Path | None = None) -> list[str]:
        """List every fault: damage to the database, or what is inconsistent with itself or with the files.

        Args:
            home: Where the pictures are; ``None`` skips them.

        Returns:
            One sentence for each fault; empty when there are none.
        """
        return verify(self.database, home)

    def damage(self) -> list[str]:
        """List what of the database itself is damaged, one sentence each; reads all of it."""
        return self.database.damage()

    def back_up(self, now: datetime, to: Path | None = None) -> Path | None:
        """Write a checked backup beside the ledger, and keep a few of the earlier ones.

        Args:
            now: Aware time.
            to: Where to write it instead; must not exist yet.

        Returns:
            Its file; ``None`` for a ledger that is not a SQLite file.

        Raises:
            LedgerError: The ledger is damaged, or the backup cannot be written.
        """
        file = sqlite_file(self.database.url)
        return None if file is None else back_up(file, now, to)

    def elsewhere(self, home: Path) -> list[str]:
        """Say how many pictures are in other homes of this ledger, one sentence for each home.

        Args:
            home: Runoff's home.
        """
        with self.database.read() as connection:
            return list(describe_elsewhere(self.database, connection, home))

    def strays(self, home: Path) -> list[str]:
        """List the runs, answers and pictures on disk that the ledger does not know, in a sentence each.

        Args:
            home: Runoff's home.
        """
        with self.database.read() as connection:
            return describe_strays(connection, home)

    def mendable(self, home: Path) -> list[str]:
        """List the faults that ``runoff ledger rebuild`` mends: wrong sums, and what only the disk knows.

        Args:
            home: Runoff's home.
        """
        with self.database.read() as connection:
            return [*find_wrong_sums(connection), *describe_strays(connection, home)]

    def require_fit_to_spend(self, home: Path) -> None:
        """Refuse to spend by a ledger that is damaged, or that knows less than the disk.

        Args:
            home: Runoff's home.

        Raises:
            LedgerError: It is damaged, or runs or answers that were paid are unknown to it.
        """
        if faults := self.database.damage(is_quick=True):
            raise self.database.damaged(faults)
        require_complete(self.database, home)

    def note_of_lost_runs(self, home: Path) -> str | None:
        """Say which runs on disk the ledger does not know, and what to do; ``None`` when it knows all.

        Args:
            home: Runoff's home.
        """
        return note_of_lost_runs(self.database, home)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        """Close it. An exception that damaged values caused becomes a ``LedgerError``."""
        with self.database:
            self.orders.close()
            if error is not None:
                self.database.raise_if_damaged(error)

    def close(self) -> None:
        """Wait for what was begun, and close every connection; leaving a ``with`` block does so too."""
        self.orders.close()
        self.database.close()


def open_ledger(home: Path, environ: Mapping[str, str], wait_s: float = WAIT_FOR_LOCK_S) -> Ledger:
    """Open the ledger of a home folder; a new one is created, an older SQLite file migrated after a backup.

    A PostgreSQL ledger is shared, and others may work on it by an earlier version: it is migrated only by
    ``tasks.ledger.migrating.migrate``.

    Args:
        home: Runoff's home; must exist when the ledger is the SQLite file in it.
        environ: Where ``RUNOFF_LEDGER_URL`` may name another database.
        wait_s: How long a write waits for other writers before it gives up, seconds.

    Raises:
        LedgerError: It cannot be opened, is damaged, cannot be backed up before its migration, is shared and
            not migrated yet, or was written by a newer Runoff. Nothing was changed.
    """
    database = Database(ledger_url(home, environ.get(LEDGER_VARIABLE)), wait_s, home=home)
    try:
        version = version_of(database)
        if version != HEAD:
            require_own(database, version)
            upgrade(database, version)
    except LedgerError:
        database.close()
        raise
    return Ledger(database)


def open_existing_ledger(home: Path, environ: Mapping[str, str]) -> Ledger:
    """Open the ledger of a home for reading what was made there; none is created.

    Raises:
        RunError: There is no ledger yet.
        LedgerError: It cannot be opened, or was written by a newer Runoff; or there is none beside the
            pictures of runs. Nothing was changed.
    """
    if not has_ledger(home, environ):
        if folders := list(paid_runs(home)):
            raise lost_runs(Database(ledger_url(home, None), home=home), home, folders)
        raise RunError(
            where=f"home {home_address(home)}",
            what="no run has been made here",
            next_step="Start with: runoff demo",
        )
    return open_ledger(home, environ)


def has_ledger(home: Path, environ: Mapping[str, str]) -> bool:
    """Return whether a home has a ledger already: its own file, or one given by address."""
    return LEDGER_VARIABLE in environ or (home / "ledger.db").exists()
