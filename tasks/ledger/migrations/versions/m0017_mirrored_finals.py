"""Whether a final shows the mirror image of its draft; not known of finals compared before."""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"


def upgrade() -> None:
    """Add the column."""
    op.add_column("candidates", sa.Column("fidelity_mirrored", sa.Boolean))
