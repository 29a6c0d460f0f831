"""What judging models answered, kept by what was asked."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "answers",
        sa.Column("answer_id", sa.Integer, primary_key=True),
        sa.Column("order_id", sa.String(40), sa.ForeignKey("orders.order_id"), nullable=False),
        sa.Column("question", sa.String(40), nullable=False),
        sa.Column("content", sa.Text, nullable=False),
    )
    op.create_index("ix_answers_order_id", "answers", ["order_id"])
    op.create_index("ix_answers_question", "answers", ["question"])
