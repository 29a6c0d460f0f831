"""Verifies the ledger: its sums, its states and its pictures."""

import hashlib
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from tasks.ledger.budgets import scopes_of
from tasks.ledger.database import Database
from tasks.ledger.schema import answers, budgets, candidates, orders, runs, scores
from tasks.money import from_nanousd
from tasks.order import ORDER_STATES
from tasks.storage.home import run_folder
from tasks.storage.mirror import store_of

OPEN_STATES = ("planned", "sent", "unknown")


def verify(database: Database, home: Path | None = None) -> list[str]:
    """List every inconsistency of the ledger with itself or with its pictures.

    Args:
        database: The ledger's database.
        home: Where the pictures are; with an object store, it is checked too; ``None`` skips them.

    Returns:
        One sentence for each fault, with the expected and the actual value; empty when there are none.
    """
    with database.read() as connection:
        return [
            *_wrong_sums(connection),
            *_wrong_charges(connection),
            *_orphans(connection),
            *([] if home is None else _lost_pictures(connection, home)),
        ]


def _wrong_sums(connection: Connection) -> list[str]:
    expected: dict[str, int] = {}
    columns = (orders.c.run_id, orders.c.campaign, orders.c.month)
    query = (
        sa.select(*columns, sa.func.sum(orders.c.charged_nanousd))
        .where(orders.c.month.is_not(None))
        .group_by(*columns)
    )
    for run_id, campaign, month, charged in connection.execute(query):
        for scope in scopes_of(run_id, campaign, month):
            expected[scope.name] = expected.get(scope.name, 0) + int(charged)
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


def _lost_pictures(connection: Connection, home: Path) -> list[str]:
    query = sa.select(
        candidates.c.candidate_id, candidates.c.file, candidates.c.sha256, runs.c.campaign, runs.c.run_id
    ).join(runs, runs.c.run_id == candidates.c.run_id)
    query = query.where(candidates.c.pruned_at.is_(None))  # those were deleted on purpose
    store = store_of(home)
    kept = store.sizes(home) if store else None
    faults = []
    for row in connection.execute(query):
        file = run_folder(home, row.campaign, row.run_id) / row.file
        if not file.exists():
            faults.append(f"candidate {row.candidate_id}: {file} is missing.")
        elif kept is not None and file not in kept:
            faults.append(f"candidate {row.candidate_id}: {file} is on this machine and not in the store.")
        elif hashlib.sha256(file.read_bytes()).hexdigest() != row.sha256:
            faults.append(f"candidate {row.candidate_id}: {file} is not what was received.")
    return faults
