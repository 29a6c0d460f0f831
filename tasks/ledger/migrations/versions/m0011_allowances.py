"""What accounts with providers may be asked for a minute, shared by all processes."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "allowances",
        sa.Column("name", sa.String(64), primary_key=True),
        sa.Column("state", sa.JSON(none_as_null=True)),
    )
