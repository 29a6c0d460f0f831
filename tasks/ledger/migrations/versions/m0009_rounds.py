"""Which arms went on from which round of a run."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "rounds",
        sa.Column("run_id", sa.String(40), sa.ForeignKey("runs.run_id"), primary_key=True),
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("standings", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("decided_at", sa.DateTime, nullable=False),
    )
