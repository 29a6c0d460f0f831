"""What the round makes that a decision began: until now that followed from the campaign file alone.

Of decisions made before, it is read off the orders. The arms that a round dropped have no later replicate, so
theirs tell where the next round begins; where that one ends is told by the arms dropped next, or by all that
is ordered. The rounds came down to two arms in the last one, and only there.
"""

from collections.abc import Iterator
from itertools import groupby
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"

JSON = sa.JSON(none_as_null=True)
ROUNDS = sa.table(
    "rounds",
    sa.column("run_id", sa.String),
    sa.column("number", sa.Integer),
    sa.column("standings", JSON),
    sa.column("next_first_replicate", sa.Integer),
    sa.column("next_replicates", sa.Integer),
    sa.column("is_next_last", sa.Boolean),
)
ORDERS = sa.table(
    "orders",
    sa.column("run_id", sa.String),
    sa.column("stage", sa.String),
    sa.column("arm", sa.String),
    sa.column("replicate", sa.Integer),
    sa.column("parameters", JSON),
)


def upgrade() -> None:
    """Add the columns and fill them."""
    op.add_column("rounds", sa.Column("next_first_replicate", sa.Integer, nullable=False, server_default="0"))
    op.add_column("rounds", sa.Column("next_replicates", sa.Integer, nullable=False, server_default="1"))
    op.add_column("rounds", sa.Column("is_next_last", sa.Boolean, nullable=False, server_default=sa.false()))
    connection = op.get_bind()
    query = sa.select(ROUNDS).order_by(ROUNDS.c.run_id, ROUNDS.c.number)
    decided = [dict(row) for row in connection.execute(query).mappings()]
    for run_id, of_run in groupby(decided, key=lambda row: row["run_id"]):
        for number, values in _begun(list(of_run), _ends(connection, run_id)):
            this = (ROUNDS.c.run_id == run_id) & (ROUNDS.c.number == number)
            connection.execute(ROUNDS.update().where(this).values(values))


def _ends(connection: sa.Connection, run_id: str) -> dict[str, int]:
    """Tell where each arm's replicates end."""
    drafts = sa.select(ORDERS).where((ORDERS.c.run_id == run_id) & (ORDERS.c.stage == "draft"))
    ends: dict[str, int] = {}
    for order in connection.execute(drafts).mappings():
        end = order["replicate"] + int(order["parameters"].get("n", 1))
        ends[order["arm"]] = max(end, ends.get(order["arm"], 0))
    return ends


def _begun(decided: list[dict[str, Any]], ends: dict[str, int]) -> Iterator[tuple[int, dict[str, Any]]]:
    firsts = [_first_of_next(row["standings"], ends) for row in decided]
    for row, first, end in zip(decided, firsts, [*firsts[1:], max(ends.values(), default=0)], strict=True):
        if first:  # a kill may have come before the next round was planned: then it is as much again
            going_on = sum(standing["goes_on"] for standing in row["standings"])
            yield (
                row["number"],
                {
                    "next_first_replicate": first,
                    "next_replicates": end - first if end > first else first,
                    "is_next_last": going_on <= 2,
                },
            )


def _first_of_next(standings: object, ends: dict[str, int]) -> int:
    kept = standings if isinstance(standings, list) else []
    return max((ends.get(standing["arm"], 0) for standing in kept if not standing["goes_on"]), default=0)
