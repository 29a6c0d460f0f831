"""Who signed a picture and whether the signature holds, as inspection found it."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Add the columns; nobody knows yet who signed older pictures."""
    op.add_column("candidates", sa.Column("c2pa_issuer", sa.Text))
    op.add_column("candidates", sa.Column("c2pa_state", sa.String(16)))
