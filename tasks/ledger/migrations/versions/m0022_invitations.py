"""Invitations to the review page, and what invited people agreed to pay at most."""

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"


def upgrade() -> None:
    """Make the tables; until now nobody was invited by name."""
    op.create_table(
        "invitations",
        sa.Column("invitation_id", sa.Integer, primary_key=True),
        sa.Column("name", sa.String(60), nullable=False, index=True),
        sa.Column("may", sa.String(8), nullable=False),
        sa.Column("limit_nanousd", sa.BigInteger),
        sa.Column("token_digest", sa.String(64), nullable=False, unique=True),
        sa.Column("cookie_digest", sa.String(64), nullable=False, unique=True),
        sa.Column("invited_by", sa.String(120), nullable=False),
        sa.Column("invited_at", sa.DateTime, nullable=False),
        sa.Column("revoked_by", sa.String(120)),
        sa.Column("revoked_at", sa.DateTime),
    )
    op.create_table(
        "agreements",
        sa.Column("agreement_id", sa.Integer, primary_key=True),
        sa.Column("invitation_id", sa.Integer, sa.ForeignKey("invitations.invitation_id"), nullable=False),
        sa.Column("run_id", sa.String(40), sa.ForeignKey("runs.run_id"), nullable=False),
        sa.Column("most_nanousd", sa.BigInteger, nullable=False),
        sa.Column("agreed_at", sa.DateTime, nullable=False),
    )
