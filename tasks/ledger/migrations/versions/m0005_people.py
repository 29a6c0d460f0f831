"""What people say: votes on pairs, folds, finalists in their order, and finals accepted."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Make the tables."""
    _make_votes()
    _make_folds()
    _make_shortlists()
    _make_acceptances()


def _make_votes() -> None:
    op.create_table(
        "votes",
        sa.Column("vote_id", sa.String(40), primary_key=True),
        sa.Column("run_id", sa.String(40), sa.ForeignKey("runs.run_id"), nullable=False),
        sa.Column("row", sa.Integer, nullable=False),
        sa.Column("left_id", sa.String(40), sa.ForeignKey("candidates.candidate_id"), nullable=False),
        sa.Column("right_id", sa.String(40), sa.ForeignKey("candidates.candidate_id"), nullable=False),
        sa.Column("outcome", sa.String(8), nullable=False),
        sa.Column("voter", sa.String(120), nullable=False),
        sa.Column("voted_at", sa.DateTime, nullable=False),
    )
    op.create_index("ix_votes_run_id", "votes", ["run_id"])


def _make_folds() -> None:
    op.create_table(
        "folds",
        sa.Column("fold_id", sa.Integer, primary_key=True),
        sa.Column("run_id", sa.String(40), sa.ForeignKey("runs.run_id"), nullable=False),
        sa.Column("copy_id", sa.String(40), sa.ForeignKey("candidates.candidate_id"), nullable=False),
        sa.Column("of_id", sa.String(40), sa.ForeignKey("candidates.candidate_id"), nullable=False),
        sa.Column("is_copy", sa.Boolean, nullable=False),
        sa.Column("decided_by", sa.String(120), nullable=False),
        sa.Column("decided_at", sa.DateTime, nullable=False),
    )
    op.create_index("ix_folds_run_id", "folds", ["run_id"])


def _make_shortlists() -> None:
    op.create_table(
        "shortlists",
        sa.Column("run_id", sa.String(40), sa.ForeignKey("runs.run_id"), primary_key=True),
        sa.Column("revision", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("candidate_ids", sa.JSON, nullable=False),
        sa.Column("chosen_by", sa.String(120), nullable=False),
        sa.Column("chosen_at", sa.DateTime, nullable=False),
        sa.Column("confirmed_by", sa.String(120)),
        sa.Column("confirmed_at", sa.DateTime),
    )


def _make_acceptances() -> None:
    op.create_table(
        "acceptances",
        sa.Column("acceptance_id", sa.Integer, primary_key=True),
        sa.Column("run_id", sa.String(40), sa.ForeignKey("runs.run_id"), nullable=False),
        sa.Column("candidate_id", sa.String(40), sa.ForeignKey("candidates.candidate_id"), nullable=False),
        sa.Column("is_accepted", sa.Boolean, nullable=False),
        sa.Column("decided_by", sa.String(120), nullable=False),
        sa.Column("decided_at", sa.DateTime, nullable=False),
    )
    op.create_index("ix_acceptances_run_id", "acceptances", ["run_id"])
