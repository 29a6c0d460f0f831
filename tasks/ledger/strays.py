"""What was paid and lies on disk, and the ledger does not know: runs, answers and pictures.

A ledger that was lost, emptied or set back knows less than the disk. Its budgets then begin too low, and what
was bought would be bought again. So nothing is spent until a person has decided about it.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from tasks.errors import LedgerError
from tasks.ledger.backups import list_backups, sqlite_file
from tasks.ledger.database import Database
from tasks.ledger.order_rows import order_record
from tasks.ledger.schema import candidates, orders, runs
from tasks.storage.home import ANSWERS, STAGE_FOLDERS, paid_runs, run_folder

RUNS_CHECKED = 20
"""Before spending, the answers of this many runs are looked for, those begun last."""
_NAMED = 3
_SIDECAR = ".json"


def unknown_runs(connection: Connection, home: Path) -> list[Path]:
    """List the run folders with answers or pictures whose run the ledger does not know."""
    known = set(connection.execute(sa.select(runs.c.run_id)).scalars())
    return list(paid_runs(home, known))


def unknown_answers(connection: Connection, home: Path, n_runs: int | None = None) -> list[Path]:
    """List the sidecars of orders that the ledger does not know, or knows as not sent yet.

    Args:
        connection: A transaction.
        home: Runoff's home.
        n_runs: Only of this many runs, those begun last; default: of all.
    """
    query = sa.select(runs.c.run_id, runs.c.campaign).order_by(runs.c.number.desc()).limit(n_runs)
    return [
        folder / ANSWERS / f"{order_id}{_SIDECAR}"
        for run_id, campaign in connection.execute(query).all()
        for folder in [run_folder(home, campaign, run_id)]
        for order_id in sorted(_answered(folder) - _sent(connection, run_id))
    ]


def unknown_pictures(connection: Connection, home: Path) -> list[Path]:
    """List the pictures in the folders of known runs that the ledger neither has nor waits for."""
    found = []
    for run_id, campaign in connection.execute(sa.select(runs.c.run_id, runs.c.campaign)).all():
        query = sa.select(candidates.c.file).where(candidates.c.run_id == run_id)
        known = set(connection.execute(query).scalars())
        folder = run_folder(home, campaign, run_id)
        if unknown := sorted(_pictures(folder) - known):
            awaited = _awaited(connection, run_id)
            found += [folder / name for name in unknown if _stem(name) not in awaited]
    return found


def describe_strays(connection: Connection, home: Path) -> list[str]:
    """List all that is on disk and unknown to the ledger, one sentence each."""
    return [
        *(f"run {folder.parent.name}/{folder.name}: the ledger does not know it: {folder}."
          for folder in unknown_runs(connection, home)),
        *(f"answer {file} belongs to no order that the ledger has as sent."
          for file in unknown_answers(connection, home)),
        *(f"picture {file} is unknown to the ledger." for file in unknown_pictures(connection, home)),
    ]  # fmt: skip


def require_complete(database: Database, home: Path) -> None:
    """Refuse to spend by a ledger that knows less than the disk.

    Args:
        database: The ledger's database.
        home: Runoff's home.

    Raises:
        LedgerError: Runs or answers that were paid are unknown to it. Nothing was changed.
    """
    with database.read() as connection:
        folders = unknown_runs(connection, home)
        files = unknown_answers(connection, home, RUNS_CHECKED)
    if folders:
        raise lost_runs(database, home, folders)
    if files:
        raise _incomplete(database, home, f"does not know {_some(files, 'paid answer')}")


def note_of_lost_runs(database: Database, home: Path) -> str | None:
    """Say which runs on disk the ledger does not know; ``None`` when it knows all."""
    with database.read() as connection:
        folders = unknown_runs(connection, home)
    return str(lost_runs(database, home, folders)) if folders else None


def lost_runs(database: Database, home: Path, folders: Sequence[Path]) -> LedgerError:
    """Build the error for a ledger that does not know runs whose pictures are on disk.

    Args:
        database: The ledger's database, which may not exist yet.
        home: Runoff's home.
        folders: The folders of those runs.
    """
    what = f"does not know {_some(folders, 'run')} with paid pictures on disk"
    return _incomplete(database, home, what)


def _incomplete(database: Database, home: Path, what: str) -> LedgerError:
    file = sqlite_file(database.url)
    backups = list_backups(file) if file else []
    restore = (
        f"If the ledger was lost, restore its last backup, of {backups[0].made_at:%Y-%m-%d %H:%M:%S} UTC, "
        "with: runoff ledger restore. "
        if backups
        else ""
    )
    missing = "is missing and " if file and not file.exists() else ""
    return LedgerError(
        where=f"ledger {database.name}",
        what=f"{missing}{what}: what they cost would be missing from every budget",
        next_step=f"{restore}To go on without them, move their folders out of {home}. "
        "Read them back with: runoff ledger rebuild",
    )


def _some(paths: Sequence[Path], noun: str) -> str:
    named = ", ".join(str(path) for path in paths[:_NAMED])
    more = f" and {len(paths) - _NAMED} more" if len(paths) > _NAMED else ""
    return f"{len(paths)} {noun}{'' if len(paths) == 1 else 's'} ({named}{more})"


def _answered(folder: Path) -> set[str]:
    return {file.stem for file in _files(folder / ANSWERS) if file.suffix == _SIDECAR}


def _sent(connection: Connection, run_id: str) -> set[str]:
    query = sa.select(orders.c.order_id).where(orders.c.run_id == run_id, orders.c.state != "planned")
    return set(connection.execute(query).scalars())


def _stem(name: str) -> str:
    return str(PurePosixPath(name).with_suffix(""))


def _awaited(connection: Connection, run_id: str) -> set[str]:
    """List the pictures of orders in flight, without their endings: they come before the ledger knows it."""
    query = sa.select(orders).where(orders.c.run_id == run_id, orders.c.state == "sent")
    sent = [order_record(row).order for row in connection.execute(query)]
    return {
        f"{STAGE_FOLDERS[order.stage]}/{order.file_stem(index)}"
        for order in sent
        if order.stage in STAGE_FOLDERS
        for index in range(order.n)
    }


def _pictures(folder: Path) -> set[str]:
    return {
        f"{place}/{file.name}"
        for place in STAGE_FOLDERS.values()
        for file in _files(folder / place)
        if file.suffix != _SIDECAR  # the lineage of a final
    }


def _files(folder: Path) -> Iterator[Path]:
    if folder.is_dir():
        yield from (file for file in folder.iterdir() if not file.name.startswith("."))
