"""Which process holds a run, so that one which lost its connection cannot send for another's run."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "run_holds",
        sa.Column("run_id", sa.String(40), primary_key=True),
        sa.Column("token", sa.String(16), nullable=False),
        sa.Column("lock_file", sa.String(300), nullable=False),
    )
