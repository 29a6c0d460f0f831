"""In which home a run was made: several homes may be on one ledger."""

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"


def upgrade() -> None:
    """Add the column; of runs made before, it is not known."""
    op.add_column("runs", sa.Column("home", sa.Text))
