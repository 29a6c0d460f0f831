"""The homes on a ledger: whose pictures are elsewhere, and are not looked for in this home.

Several homes may be on one ledger, each with the files of its own runs. Where a run was made is written when
it begins. Of a run from before that was written it is not known, and its files are looked for here.
"""

import platform
from collections.abc import Iterator
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from tasks.ledger.backups import sqlite_file
from tasks.ledger.database import Database
from tasks.ledger.schema import candidates, runs
from tasks.money import count_of
from tasks.storage.home import run_folder
from tasks.storage.mirror import home_address, store_of


def place_of(home: Path) -> str:
    """Name a home among all machines: the address of its store, else this machine and the folder."""
    address = home_address(home)
    return address if store_of(home) else f"{platform.node()[:200]}:{address}"


def elsewhere(database: Database, connection: Connection, home: Path) -> dict[str, str]:
    """Find the runs that were made in another home of this ledger, and are not here.

    A folder that is the same on another machine may be the same disk, so its runs are looked for here. So are
    all of a ledger that is a file in this home.

    Args:
        database: The ledger's database.
        connection: A transaction.
        home: Runoff's home.

    Returns:
        The other home of each, by its run id.
    """
    file = sqlite_file(database.url)
    if file is not None and file.parent.absolute() == home.absolute():
        return {}
    query = sa.select(runs.c.run_id, runs.c.campaign, runs.c.home).where(runs.c.home.is_not(None))
    here = _folder(place_of(home))
    return {
        row.run_id: row.home
        for row in connection.execute(query)
        if _folder(row.home) != here and not run_folder(home, row.campaign, row.run_id).exists()
    }


def describe_elsewhere(database: Database, connection: Connection, home: Path) -> Iterator[str]:
    """Say how many pictures are in other homes of this ledger, one sentence for each home."""
    others = elsewhere(database, connection, home)
    kept = sa.select(candidates.c.run_id, sa.func.count()).where(candidates.c.pruned_at.is_(None))
    n_pictures = dict(connection.execute(kept.group_by(candidates.c.run_id)).tuples().all())
    for other in sorted(set(others.values())):
        own = [run_id for run_id, place in others.items() if place == other]
        pictures = count_of(sum(n_pictures.get(run_id, 0) for run_id in own), "picture")
        yield f"{pictures} of {count_of(len(own), 'run')} are in the home {other}; check them there."


def _folder(place: str) -> str:
    """Return a place without its machine; the address of a store has none."""
    return place if "://" in place else place.partition(":")[2]
