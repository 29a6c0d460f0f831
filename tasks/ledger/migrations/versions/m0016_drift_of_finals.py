"""How far a final is zoomed, moved and toned against its draft; not known of finals compared before."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"


def upgrade() -> None:
    """Add the columns."""
    for name in ("fidelity_zoom", "fidelity_shift", "fidelity_tone"):
        op.add_column("candidates", sa.Column(name, sa.Float))
