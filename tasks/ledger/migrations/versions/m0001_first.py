"""The first ledger: runs, orders, budgets, candidates, scores."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make every table."""
    op.create_table(
        "runs",
        sa.Column("run_id", sa.String(40), primary_key=True),
        sa.Column("campaign", sa.String(64), nullable=False),
        sa.Column("provider", sa.String(64), nullable=False),
        sa.Column("state", sa.String(24), nullable=False),
        sa.Column("started_at", sa.DateTime, nullable=False),
        sa.Column("finished_at", sa.DateTime),
        sa.Column("warnings", sa.JSON, nullable=False),
    )
    op.create_index("ix_runs_campaign", "runs", ["campaign"])
    op.create_table(
        "orders",
        sa.Column("order_id", sa.String(40), primary_key=True),
        sa.Column("run_id", sa.String(40), sa.ForeignKey("runs.run_id"), nullable=False),
        sa.Column("campaign", sa.String(64), nullable=False),
        sa.Column("position", sa.Integer, nullable=False),
        sa.Column("stage", sa.String(16), nullable=False),
        sa.Column("arm", sa.String(64), nullable=False),
        sa.Column("row", sa.Integer, nullable=False),
        sa.Column("replicate", sa.Integer, nullable=False),
        sa.Column("attempt", sa.Integer, nullable=False),
        sa.Column("prompt", sa.Text, nullable=False),
        sa.Column("provider", sa.String(64), nullable=False),
        sa.Column("endpoint", sa.String(16), nullable=False),
        sa.Column("lane", sa.String(16), nullable=False),
        sa.Column("parameters", sa.JSON, nullable=False),
        sa.Column("references", sa.JSON, nullable=False),
        sa.Column("mask", sa.JSON),
        sa.Column("draft_id", sa.String(40)),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("estimate_nanousd", sa.BigInteger, nullable=False),
        sa.Column("charged_nanousd", sa.BigInteger, nullable=False),
        sa.Column("cost_nanousd", sa.BigInteger),
        sa.Column("month", sa.String(7)),
        sa.Column("n_sends", sa.Integer, nullable=False),
        sa.Column("sent_at", sa.DateTime),
        sa.Column("latency_s", sa.Float),
        sa.Column("text_input_tokens", sa.BigInteger),
        sa.Column("image_input_tokens", sa.BigInteger),
        sa.Column("output_tokens", sa.BigInteger),
        sa.Column("vendor_request_id", sa.Text),
        sa.Column("error_code", sa.String(64)),
        sa.Column("error_message", sa.Text),
    )
    op.create_index("orders_by_run", "orders", ["run_id", "state"])
    op.create_index("orders_by_month", "orders", ["month"])
    op.create_table(
        "budgets",
        sa.Column("scope", sa.String(120), primary_key=True),
        sa.Column("charged_nanousd", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "candidates",
        sa.Column("candidate_id", sa.String(40), primary_key=True),
        sa.Column("order_id", sa.String(40), sa.ForeignKey("orders.order_id"), nullable=False),
        sa.Column("run_id", sa.String(40), nullable=False),
        sa.Column("index", sa.Integer, nullable=False),
        sa.Column("replicate", sa.Integer, nullable=False),
        sa.Column("file", sa.Text, nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("n_bytes", sa.BigInteger, nullable=False),
        sa.Column("downgraded", sa.Text),
        sa.Column("is_liked", sa.Boolean, nullable=False),
        sa.Column("is_inspected", sa.Boolean, nullable=False),
        sa.Column("width", sa.Integer),
        sa.Column("height", sa.Integer),
        sa.Column("format", sa.String(16)),
        sa.Column("has_c2pa", sa.Boolean),
        sa.Column("phash", sa.String(64)),
        sa.Column("dhash", sa.String(64)),
        sa.Column("colorhash", sa.String(64)),
        sa.Column("measurements", sa.JSON),
        sa.Column("thumbnail", sa.Text),
        sa.Column("fault", sa.Text),
        sa.Column("status", sa.String(16)),
        sa.Column("cluster", sa.String(40)),
        sa.Column("duplicate_of", sa.String(40)),
        sa.Column("duplicate_kind", sa.String(16)),
        sa.Column("hash_distance_bits", sa.Integer),
        sa.Column("score", sa.Float),
        sa.Column("rank", sa.Integer),
        sa.Column("is_finalist", sa.Boolean),
        sa.Column("selection_reason", sa.Text),
        sa.Column("chosen_by", sa.String(120)),
        sa.Column("fidelity", sa.Float),
        sa.Column("fidelity_ssim", sa.Float),
        sa.Column("fidelity_hash_bits", sa.Integer),
        sa.Column("fidelity_palette", sa.Float),
        sa.Column("is_accepted", sa.Boolean),
    )
    op.create_index("ix_candidates_order_id", "candidates", ["order_id"])
    op.create_index("ix_candidates_run_id", "candidates", ["run_id"])
    op.create_table(
        "scores",
        sa.Column("candidate_id", sa.String(40), sa.ForeignKey("candidates.candidate_id"), primary_key=True),
        sa.Column("scorer", sa.String(64), primary_key=True),
        sa.Column("version", sa.String(32), primary_key=True),
        sa.Column("value", sa.Float),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("measurements", sa.JSON, nullable=False),
        sa.Column("is_current", sa.Boolean, nullable=False),
    )
