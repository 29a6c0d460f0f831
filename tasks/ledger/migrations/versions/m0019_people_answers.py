"""What people answer to the statements that the judge answers."""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "people_answers",
        sa.Column("answer_id", sa.Integer, primary_key=True),
        sa.Column("run_id", sa.String(40), sa.ForeignKey("runs.run_id"), nullable=False),
        sa.Column("candidate_id", sa.String(40), sa.ForeignKey("candidates.candidate_id"), nullable=False),
        sa.Column("statement", sa.Text, nullable=False),
        sa.Column("answer", sa.String(16), nullable=False),
        sa.Column("answered_by", sa.String(120), nullable=False),
        sa.Column("answered_at", sa.DateTime, nullable=False),
    )
    op.create_index("ix_people_answers_run_id", "people_answers", ["run_id"])
