"""How similar a picture is to the one that it is most like, and the group of similar ones that it belongs to.

Pictures of earlier runs were compared by hashes alone; `runoff rescore` fills both in.
"""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"


def upgrade() -> None:
    """Add the columns."""
    op.add_column("candidates", sa.Column("similarity", sa.Float))
    op.add_column("candidates", sa.Column("similar_cluster", sa.String(40)))
