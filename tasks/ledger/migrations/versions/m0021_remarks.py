"""What people say about single pictures: labels, stars and comments."""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "remarks",
        sa.Column("remark_id", sa.Integer, primary_key=True),
        sa.Column("run_id", sa.String(40), sa.ForeignKey("runs.run_id"), nullable=False),
        sa.Column("candidate_id", sa.String(40), sa.ForeignKey("candidates.candidate_id"), nullable=False),
        sa.Column("kind", sa.String(8), nullable=False),
        sa.Column("text", sa.Text),
        sa.Column("stars", sa.Integer),
        sa.Column("is_set", sa.Boolean, nullable=False),
        sa.Column("said_by", sa.String(120), nullable=False),
        sa.Column("said_at", sa.DateTime, nullable=False),
    )
    op.create_index("ix_remarks_run_id", "remarks", ["run_id"])
