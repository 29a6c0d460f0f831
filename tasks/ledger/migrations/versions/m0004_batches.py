"""Batches of orders that a provider works off in its own time, and the files that were uploaded for them."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "batches",
        sa.Column("batch_key", sa.String(40), primary_key=True),
        sa.Column("run_id", sa.String(40), sa.ForeignKey("runs.run_id"), nullable=False),
        sa.Column("provider", sa.String(64), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("n_orders", sa.Integer, nullable=False),
        sa.Column("input_file_id", sa.Text),
        sa.Column("vendor_batch_id", sa.Text),
        sa.Column("vendor_status", sa.String(24)),
        sa.Column("reserved_at", sa.DateTime, nullable=False),
        sa.Column("asked_at", sa.DateTime),
        sa.Column("ended_at", sa.DateTime),
    )
    op.create_index("ix_batches_run_id", "batches", ["run_id"])
    op.create_table(
        "uploads",
        sa.Column("provider", sa.String(64), primary_key=True),
        sa.Column("sha256", sa.String(64), primary_key=True),
        sa.Column("file_id", sa.Text, nullable=False),
        sa.Column("uploaded_at", sa.DateTime, nullable=False),
    )
    op.create_table(
        "batch_orders",
        sa.Column("batch_key", sa.String(40), sa.ForeignKey("batches.batch_key"), primary_key=True),
        sa.Column("order_id", sa.String(40), sa.ForeignKey("orders.order_id"), primary_key=True),
    )
