"""The sequence in which runs were begun, by any clock; and what an order was charged before a verdict.

Runs made before are numbered by their times. The charge before an earlier verdict is not known.
"""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"

RUNS = sa.table(
    "runs",
    sa.column("run_id", sa.String),
    sa.column("number", sa.Integer),
    sa.column("started_at", sa.DateTime),
)


def upgrade() -> None:
    """Add the columns and fill them."""
    op.add_column("runs", sa.Column("number", sa.Integer, nullable=False, server_default="0"))
    op.add_column("reconciliations", sa.Column("charged_before_nanousd", sa.BigInteger))
    connection = op.get_bind()
    known = connection.execute(sa.select(RUNS.c.run_id).order_by(RUNS.c.started_at, RUNS.c.run_id)).scalars()
    if numbers := [{"of": run_id, "n": number} for number, run_id in enumerate(known, start=1)]:
        this_run = RUNS.c.run_id == sa.bindparam("of")
        connection.execute(RUNS.update().where(this_run).values(number=sa.bindparam("n")), numbers)
