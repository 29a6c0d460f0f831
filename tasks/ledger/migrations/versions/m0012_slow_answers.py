"""Finds the slowest answers without reading all orders."""

from alembic import op

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    """Make the index."""
    op.create_index("orders_by_latency", "orders", ["latency_s"])
