"""Opening a home's ledger as the environment of the test says: SQLite, or the PostgreSQL of the fixture."""

import os
from pathlib import Path

from tasks.ledger import Ledger
from tasks.ledger import open_ledger as open_by_environment
from tasks.ledger.database import WAIT_FOR_LOCK_S


def open_ledger(home: Path, wait_s: float = WAIT_FOR_LOCK_S) -> Ledger:
    """Open the ledger of a home."""
    return open_by_environment(home, os.environ, wait_s)
