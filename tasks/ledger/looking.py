"""Looking into a ledger for a plan, which neither creates nor migrates it, nor waits long for it."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy.engine import Connection

from tasks.ledger.database import LEDGER_VARIABLE, Database, ledger_url

LOOK_S = 2.0
"""How long a plan waits for a ledger."""


@contextmanager
def looking_into(home: Path, environ: Mapping[str, str]) -> Iterator[Connection | None]:
    """Open a home's ledger to read from it; ``None`` where it is a file that is not there.

    Args:
        home: Runoff's home.
        environ: The environment.

    Raises:
        LedgerError: It cannot be opened, or not in time.
    """
    url = ledger_url(home, environ.get(LEDGER_VARIABLE))
    if url.get_backend_name() == "sqlite" and not Path(str(url.database)).exists():
        yield None
        return
    with Database(url, LOOK_S, home=home) as database, database.read() as connection:
        yield connection
