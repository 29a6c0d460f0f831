"""What people found out about unknown orders: one row for each verdict, never changed."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

# "Append-only" is kept by the database itself, so that no later code and no hand changes who said what.
SQLITE_GUARD = """
CREATE TRIGGER reconciliations_no_{what} BEFORE {what} ON reconciliations
BEGIN SELECT RAISE(ABORT, 'reconciliations are never changed'); END
"""
POSTGRESQL_GUARD = """
CREATE FUNCTION reconciliations_stay() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN RAISE EXCEPTION 'reconciliations are never changed'; END $$
"""
POSTGRESQL_TRIGGER = """
CREATE TRIGGER reconciliations_no_change BEFORE UPDATE OR DELETE ON reconciliations
FOR EACH ROW EXECUTE FUNCTION reconciliations_stay()
"""


def upgrade() -> None:
    """Make the table and its guards."""
    op.create_table(
        "reconciliations",
        sa.Column("reconciliation_id", sa.Integer, primary_key=True),
        sa.Column("order_id", sa.String(40), sa.ForeignKey("orders.order_id"), nullable=False),
        sa.Column("verdict", sa.String(16), nullable=False),
        sa.Column("cost_nanousd", sa.BigInteger),
        sa.Column("charged_nanousd", sa.BigInteger, nullable=False),
        sa.Column("resent_as", sa.String(40)),
        sa.Column("reconciled_by", sa.String(120), nullable=False),
        sa.Column("reconciled_at", sa.DateTime, nullable=False),
    )
    op.create_index("ix_reconciliations_order_id", "reconciliations", ["order_id"])
    is_sqlite = op.get_bind().dialect.name == "sqlite"
    guards = [SQLITE_GUARD.format(what=what) for what in ("UPDATE", "DELETE")]
    for statement in guards if is_sqlite else (POSTGRESQL_GUARD, POSTGRESQL_TRIGGER):
        op.execute(statement)
