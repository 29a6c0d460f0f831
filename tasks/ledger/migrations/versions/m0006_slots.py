"""Turns of schedules, one row each; and when a picture's file was dropped to save room."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Make the table; no earlier picture was dropped."""
    op.create_table(
        "slots",
        sa.Column("name", sa.String(240), primary_key=True),
        sa.Column("campaign", sa.String(64), nullable=False),
        sa.Column("due_at", sa.DateTime, nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("run_id", sa.String(40), nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("started_by", sa.String(64), nullable=False),
    )
    op.create_index("ix_slots_campaign", "slots", ["campaign"])
    op.create_index("ix_slots_run_id", "slots", ["run_id"])
    op.create_index("ix_slots_started_by", "slots", ["started_by"])
    op.add_column("candidates", sa.Column("pruned_at", sa.DateTime))
