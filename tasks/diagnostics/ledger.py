"""Checks the ledger: that it opens, has this version's schema, and is consistent."""

from collections.abc import Iterator, Mapping
from pathlib import Path

import sqlalchemy as sa

from tasks.diagnostics.finding import Finding
from tasks.errors import LedgerError
from tasks.ledger.database import LEDGER_VARIABLE, Database, ledger_url
from tasks.ledger.migrating import require_own, version_of
from tasks.ledger.schema import HEAD, orders
from tasks.ledger.strays import lost_runs, require_complete
from tasks.ledger.verify import verify
from tasks.money import format_usd, from_nanousd
from tasks.storage.home import paid_runs

WAIT_S = 5.0
_WAY_OUT = "Check that the database is running and readable, or use another home with --home."


def check_ledger(home: Path, environ: Mapping[str, str]) -> Iterator[Finding]:
    """Open the ledger without creating or migrating it, and check its sums.

    ``runoff ledger verify`` also checks the pictures, reading every byte of them.
    """
    try:
        url = ledger_url(home, environ.get(LEDGER_VARIABLE))
        file = url.database or ""
        if url.get_backend_name() == "sqlite" and not Path(file).exists():
            if folders := list(paid_runs(home)):
                raise lost_runs(Database(url, home=home), home, folders)
            yield Finding("ledger", "ok", "none yet; the first run creates it")
            return
        with Database(url, WAIT_S, home=home) as database:
            yield from _look(database, home)
    except LedgerError as error:
        yield Finding("ledger", "fault", f"{error.where}: {error.what}", error.next_step or _WAY_OUT)


def _look(database: Database, home: Path) -> Iterator[Finding]:
    found = version_of(database)
    if found is not None and found > HEAD:
        what = f"version {found}, written by a newer Runoff; this one knows {HEAD}"
        yield Finding("ledger", "fault", what, "Install the newer Runoff, or use another home.")
        return
    if found != HEAD:
        was = "empty" if found is None else f"version {found}"
        try:
            require_own(database, found)
        except LedgerError as error:
            yield Finding("ledger", "fault", f"{was}; this Runoff needs {HEAD}", error.next_step)
            return
        yield Finding("ledger", "ok", f"{was}; the next command migrates it to {HEAD}")
        return
    faults = verify(database)
    if faults:
        more = f" and {len(faults) - 1} more" if len(faults) > 1 else ""
        yield Finding("ledger", "fault", f"{faults[0]}{more}", "See all: runoff ledger verify")
        return
    require_complete(database, home)
    yield Finding("ledger", "ok", f"version {found}; its sums and states agree")
    yield from _unknown(database)


def _unknown(database: Database) -> Iterator[Finding]:
    query = sa.select(sa.func.count(), sa.func.sum(orders.c.charged_nanousd))
    with database.read() as connection:
        count, charged = connection.execute(query.where(orders.c.state == "unknown")).one()
    if count:
        noun = "order is" if count == 1 else "orders are"
        what = f"{count} {noun} unknown and charged {format_usd(from_nanousd(int(charged)))} at estimate"
        yield Finding(
            "unknown", "warning", what, "Reconcile them with the provider's bill: runoff ledger reconcile"
        )
