"""The monthly limit of the whole ledger, with who set it and when; the newest row counts."""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "spending_limits",
        sa.Column("limit_id", sa.Integer, primary_key=True),
        sa.Column("per_month_nanousd", sa.BigInteger),
        sa.Column("set_by", sa.String(120), nullable=False),
        sa.Column("set_at", sa.DateTime, nullable=False),
    )
