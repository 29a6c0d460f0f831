"""Which of a campaign's editions a final is."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """Add the column; until now there was one edition, without a name."""
    op.add_column("orders", sa.Column("edition", sa.String(32)))
