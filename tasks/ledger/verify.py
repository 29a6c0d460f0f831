"""Verifies the ledger: the database itself, its sums, its states, and the files, in both directions.

A damaged database is all that is reported of it: sums of what cannot be read mean nothing.
"""

from collections import Counter
from collections.abc import Collection
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from tasks.errors import PictureError
from tasks.ledger.budgets import sums_of_orders
from tasks.ledger.database import Database, run_again
from tasks.ledger.homes import elsewhere
from tasks.ledger.schema import answers, budgets, candidates, orders, runs, scores
from tasks.ledger.strays import describe_strays
from tasks.money import count_of, from_nanousd
from tasks.order import ORDER_STATES
from tasks.pictures.bought import read_bought
from tasks.storage.home import run_folder
from tasks.storage.mirror import store_of

OPEN_STATES = ("planned", "sent", "unknown")


@run_again
def verify(database: Database, home: Path | None = None) -> list[str]:
    """List every fault of the ledger: damage, or where it is inconsistent with itself or with the files.

    Args:
        database: The ledger's database.
        home: Where the pictures are; with an object store, it is checked too; ``None`` skips them. Those of
            runs of another home are not looked for.

    Returns:
        One sentence for each fault, with the expected and the actual value; empty when there are none.
    """
    if damage := database.damage():
        return damage
    with database.read() as connection:
        faults = [*_broken_references(connection), *find_wrong_sums(connection), *_wrong_charges(connection)]
        faults += _orphans(connection)
        if home is not None:
            others = elsewhere(database, connection, home)
            faults += [*_lost_pictures(connection, home, others), *describe_strays(connection, home)]
    return faults


def _broken_references(connection: Connection) -> list[str]:
    """Find rows that point to rows that are not there; PostgreSQL always enforces that."""
    if connection.dialect.name != "sqlite":
        return []
    found = Counter(
        (table, parent) for table, _, parent, _ in connection.exec_driver_sql("PRAGMA foreign_key_check")
    )
    return [
        f"{count_of(count, 'row')} of {table} point to {parent} that are not there."
        for (table, parent), count in sorted(found.items())
    ]


def find_wrong_sums(connection: Connection) -> list[str]:
    """List the budgets that are not the sum of their orders, in a sentence each."""
    expected = sums_of_orders(connection)
    held = {row.scope: row.charged_nanousd for row in connection.execute(sa.select(budgets))}
    return [
        f"budget {scope} holds {from_nanousd(held.get(scope, 0))} dollars; "
        f"its orders add up to {from_nanousd(expected.get(scope, 0))}."
        for scope in sorted(expected.keys() | held.keys())
        if held.get(scope, 0) != expected.get(scope, 0)
    ]


def _wrong_charges(connection: Connection) -> list[str]:
    faults = []
    charged, estimate, cost = orders.c.charged_nanousd, orders.c.estimate_nanousd, orders.c.cost_nanousd
    checks = {
        "has an unknown state": ~orders.c.state.in_(ORDER_STATES),
        "is planned and charged": (orders.c.state == "planned") & (charged != 0),
        "is sent and not charged its estimate": (orders.c.state == "sent") & (charged != estimate),
        "has a cost and is charged something else": cost.is_not(None) & (charged != cost),
        "is unknown and not charged its estimate": (orders.c.state == "unknown")
        & cost.is_(None)
        & (charged != estimate),
        "has ended, but is charged neither 0 nor its estimate": orders.c.state.not_in(OPEN_STATES)
        & cost.is_(None)
        & charged.not_in((0, estimate)),
    }
    for fault, condition in checks.items():
        ids = connection.execute(sa.select(orders.c.order_id).where(condition)).scalars()
        faults += [f"order {order_id} {fault}." for order_id in ids]
    return faults


def _orphans(connection: Connection) -> list[str]:
    received = sa.select(orders.c.order_id).where(orders.c.state == "received")
    stray = sa.select(candidates.c.candidate_id).where(~candidates.c.order_id.in_(received))
    is_chat = orders.c.endpoint == "chat"
    empty = received.where(~is_chat, ~orders.c.order_id.in_(sa.select(candidates.c.order_id)))
    mute = received.where(is_chat, ~orders.c.order_id.in_(sa.select(answers.c.order_id)))
    unknown = sa.select(scores.c.candidate_id).where(
        ~scores.c.candidate_id.in_(sa.select(candidates.c.candidate_id))
    )
    return [
        *(f"candidate {name} belongs to no received order." for name in connection.execute(stray).scalars()),
        *(f"order {name} is received and has no picture." for name in connection.execute(empty).scalars()),
        *(f"order {name} is received and has no answer." for name in connection.execute(mute).scalars()),
        *(f"score of {name} belongs to no candidate." for name in connection.execute(unknown).scalars()),
    ]


def _lost_pictures(connection: Connection, home: Path, elsewhere: Collection[str]) -> list[str]:
    query = sa.select(
        candidates.c.candidate_id, candidates.c.file, candidates.c.sha256, runs.c.campaign, runs.c.run_id
    ).join(runs, runs.c.run_id == candidates.c.run_id)
    query = query.where(candidates.c.pruned_at.is_(None))  # those were deleted on purpose
    store = store_of(home)
    kept = store.sizes(home) if store else None
    faults = []
    for row in connection.execute(query):
        if row.run_id in elsewhere:
            continue
        file = run_folder(home, row.campaign, row.run_id) / row.file
        if not file.exists():
            faults.append(f"candidate {row.candidate_id}: {file} is missing.")
        elif kept is not None and file not in kept:
            faults.append(f"candidate {row.candidate_id}: {file} is on this machine and not in the store.")
        elif lack := _lack(file, row.sha256):
            faults.append(f"candidate {row.candidate_id}: {file} {lack}.")
    return faults


def _lack(file: Path, sha256: str) -> str | None:
    """Read a picture, also one that was read before."""
    try:
        read_bought(file, sha256)
    except PictureError as fault:
        return fault.what
    return None
