"""Further rounds: drafts that a person asked for from one picture of a run."""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"


def upgrade() -> None:
    """Add the orders' column and make the table; until now nobody could ask for more."""
    op.add_column("orders", sa.Column("further_round", sa.Integer))
    op.create_table(
        "further_rounds",
        sa.Column("run_id", sa.String(40), sa.ForeignKey("runs.run_id"), primary_key=True),
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("candidate_id", sa.String(40), sa.ForeignKey("candidates.candidate_id"), nullable=False),
        sa.Column("asked", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("key", sa.String(64), nullable=False),
        sa.Column("estimate_nanousd", sa.BigInteger, nullable=False),
        sa.Column("asked_by", sa.String(120), nullable=False),
        sa.Column("asked_at", sa.DateTime, nullable=False),
        sa.UniqueConstraint("run_id", "key"),
    )
