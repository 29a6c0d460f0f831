"""The ledger's tables, as the newest migration leaves them.

Money is whole nano-dollars, times are UTC, JSON is text. ``NULL`` means unknown.
"""

from datetime import UTC, datetime

import sqlalchemy as sa
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator

from tasks.ledger.numbers_by_name import Numbers
from tasks.redaction import hide_secrets, printable

HEAD = "0023"
"""The newest migration; a test compares it with the scripts."""

metadata = sa.MetaData()

Money = sa.BigInteger
Json = sa.JSON(none_as_null=True)


class Moment(TypeDecorator[datetime]):
    """A time: aware in Python, UTC without a zone in the database, on every database alike."""

    impl = sa.DateTime
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        """Turn an aware time into UTC.

        Raises:
            ValueError: The time has no zone, so that its month of charging is ambiguous.
        """
        if value is None:
            return None
        if value.tzinfo is None:
            message = f"{value} has no time zone"
            raise ValueError(message)
        return value.astimezone(UTC).replace(tzinfo=None)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        """Mark a stored time as UTC."""
        return None if value is None else value.replace(tzinfo=UTC)


class ForeignText(TypeDecorator[str]):
    """A text that comes from outside: no secret is stored, and nothing that a terminal would obey."""

    impl = sa.Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:  # noqa: ARG002
        """Redact a text before it is stored; what only looks like a key may be a name of ours."""
        return None if value is None else printable(hide_secrets(value))


runs = sa.Table(
    "runs",
    metadata,
    sa.Column("run_id", sa.String(40), primary_key=True),
    sa.Column("campaign", sa.String(64), nullable=False, index=True),
    sa.Column("provider", sa.String(64), nullable=False),
    sa.Column("state", sa.String(24), nullable=False),
    sa.Column("started_at", Moment, nullable=False),
    sa.Column("finished_at", Moment),
    sa.Column("warnings", Json, nullable=False),
    sa.Column("number", sa.Integer, nullable=False, server_default="0"),
    sa.Column("home", sa.Text),
)

orders = sa.Table(
    "orders",
    metadata,
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
    sa.Column("parameters", Json, nullable=False),
    sa.Column("references", Json, nullable=False),
    sa.Column("mask", Json),
    sa.Column("draft_id", sa.String(40)),
    sa.Column("edition", sa.String(32)),
    sa.Column("further_round", sa.Integer),
    sa.Column("state", sa.String(16), nullable=False),
    sa.Column("estimate_nanousd", Money, nullable=False),
    sa.Column("charged_nanousd", Money, nullable=False),
    sa.Column("cost_nanousd", Money),
    sa.Column("month", sa.String(7)),
    sa.Column("n_sends", sa.Integer, nullable=False),
    sa.Column("sent_at", Moment),
    sa.Column("latency_s", sa.Float),
    sa.Column("text_input_tokens", sa.BigInteger),
    sa.Column("image_input_tokens", sa.BigInteger),
    sa.Column("output_tokens", sa.BigInteger),
    sa.Column("vendor_request_id", ForeignText),
    sa.Column("error_code", ForeignText(64)),
    sa.Column("error_message", ForeignText),
    sa.Index("orders_by_run", "run_id", "state"),
    sa.Index("orders_by_month", "month"),
    sa.Index("orders_by_latency", "latency_s"),
)

batches = sa.Table(
    "batches",
    metadata,
    sa.Column("batch_key", sa.String(40), primary_key=True),
    sa.Column("run_id", sa.String(40), sa.ForeignKey("runs.run_id"), nullable=False, index=True),
    sa.Column("provider", sa.String(64), nullable=False),
    sa.Column("state", sa.String(16), nullable=False),
    sa.Column("n_orders", sa.Integer, nullable=False),
    sa.Column("input_file_id", sa.Text),
    sa.Column("vendor_batch_id", sa.Text),
    sa.Column("vendor_status", sa.String(24)),
    sa.Column("reserved_at", Moment, nullable=False),
    sa.Column("asked_at", Moment),
    sa.Column("ended_at", Moment),
)

batch_orders = sa.Table(
    "batch_orders",
    metadata,
    sa.Column("batch_key", sa.String(40), sa.ForeignKey("batches.batch_key"), primary_key=True),
    sa.Column("order_id", sa.String(40), sa.ForeignKey("orders.order_id"), primary_key=True),
)

uploads = sa.Table(
    "uploads",
    metadata,
    sa.Column("provider", sa.String(64), primary_key=True),
    sa.Column("sha256", sa.String(64), primary_key=True),
    sa.Column("file_id", sa.Text, nullable=False),
    sa.Column("uploaded_at", Moment, nullable=False),
)

budgets = sa.Table(
    "budgets",
    metadata,
    sa.Column("scope", sa.String(120), primary_key=True),
    sa.Column("charged_nanousd", Money, nullable=False),
)

reconciliations = sa.Table(
    "reconciliations",
    metadata,
    sa.Column("reconciliation_id", sa.Integer, primary_key=True),
    sa.Column("order_id", sa.String(40), sa.ForeignKey("orders.order_id"), nullable=False, index=True),
    sa.Column("verdict", sa.String(16), nullable=False),
    sa.Column("cost_nanousd", Money),
    sa.Column("charged_nanousd", Money, nullable=False),
    sa.Column("resent_as", sa.String(40)),
    sa.Column("reconciled_by", sa.String(120), nullable=False),
    sa.Column("reconciled_at", Moment, nullable=False),
    sa.Column("charged_before_nanousd", Money),
)

candidates = sa.Table(
    "candidates",
    metadata,
    sa.Column("candidate_id", sa.String(40), primary_key=True),
    sa.Column("order_id", sa.String(40), sa.ForeignKey("orders.order_id"), nullable=False, index=True),
    sa.Column("run_id", sa.String(40), nullable=False, index=True),
    sa.Column("index", sa.Integer, nullable=False),
    sa.Column("replicate", sa.Integer, nullable=False),
    sa.Column("file", sa.Text, nullable=False),
    sa.Column("sha256", sa.String(64), nullable=False),
    sa.Column("n_bytes", sa.BigInteger, nullable=False),
    sa.Column("downgraded", ForeignText),
    sa.Column("is_liked", sa.Boolean, nullable=False),
    sa.Column("is_inspected", sa.Boolean, nullable=False),
    sa.Column("width", sa.Integer),
    sa.Column("height", sa.Integer),
    sa.Column("format", sa.String(16)),
    sa.Column("has_c2pa", sa.Boolean),
    sa.Column("c2pa_issuer", ForeignText),
    sa.Column("c2pa_state", sa.String(16)),
    sa.Column("phash", sa.String(64)),
    sa.Column("dhash", sa.String(64)),
    sa.Column("colorhash", sa.String(64)),
    sa.Column("measurements", Numbers),
    sa.Column("thumbnail", sa.Text),
    sa.Column("fault", ForeignText),
    sa.Column("status", sa.String(16)),
    sa.Column("cluster", sa.String(40)),
    sa.Column("duplicate_of", sa.String(40)),
    sa.Column("duplicate_kind", sa.String(16)),
    sa.Column("hash_distance_bits", sa.Integer),
    sa.Column("similarity", sa.Float),
    sa.Column("similar_cluster", sa.String(40)),
    sa.Column("score", sa.Float),
    sa.Column("rank", sa.Integer),
    sa.Column("is_finalist", sa.Boolean),
    sa.Column("selection_reason", sa.Text),
    sa.Column("chosen_by", sa.String(120)),
    sa.Column("fidelity", sa.Float),
    sa.Column("fidelity_ssim", sa.Float),
    sa.Column("fidelity_hash_bits", sa.Integer),
    sa.Column("fidelity_palette", sa.Float),
    sa.Column("fidelity_zoom", sa.Float),
    sa.Column("fidelity_shift", sa.Float),
    sa.Column("fidelity_tone", sa.Float),
    sa.Column("fidelity_mirrored", sa.Boolean),
    sa.Column("is_accepted", sa.Boolean),
    sa.Column("pruned_at", Moment),
)

answers = sa.Table(
    "answers",
    metadata,
    sa.Column("answer_id", sa.Integer, primary_key=True),
    sa.Column("order_id", sa.String(40), sa.ForeignKey("orders.order_id"), nullable=False, index=True),
    sa.Column("question", sa.String(40), nullable=False, index=True),
    sa.Column("content", ForeignText, nullable=False),
)

scores = sa.Table(
    "scores",
    metadata,
    sa.Column("candidate_id", sa.String(40), sa.ForeignKey("candidates.candidate_id"), primary_key=True),
    sa.Column("scorer", sa.String(64), primary_key=True),
    sa.Column("version", sa.String(32), primary_key=True),
    sa.Column("value", sa.Float),
    sa.Column("reason", ForeignText, nullable=False),
    sa.Column("measurements", Numbers, nullable=False),
    sa.Column("is_current", sa.Boolean, nullable=False),
)

rounds = sa.Table(
    "rounds",
    metadata,
    sa.Column("run_id", sa.String(40), sa.ForeignKey("runs.run_id"), primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("standings", Json, nullable=False),
    sa.Column("next_first_replicate", sa.Integer, nullable=False),
    sa.Column("next_replicates", sa.Integer, nullable=False),
    sa.Column("is_next_last", sa.Boolean, nullable=False),
    sa.Column("decided_at", Moment, nullable=False),
)

further_rounds = sa.Table(
    "further_rounds",
    metadata,
    sa.Column("run_id", sa.String(40), sa.ForeignKey("runs.run_id"), primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("candidate_id", sa.String(40), sa.ForeignKey("candidates.candidate_id"), nullable=False),
    sa.Column("asked", Json, nullable=False),
    sa.Column("key", sa.String(64), nullable=False),
    sa.Column("estimate_nanousd", Money, nullable=False),
    sa.Column("asked_by", sa.String(120), nullable=False),
    sa.Column("asked_at", Moment, nullable=False),
    sa.UniqueConstraint("run_id", "key"),
)

votes = sa.Table(
    "votes",
    metadata,
    sa.Column("vote_id", sa.String(40), primary_key=True),
    sa.Column("run_id", sa.String(40), sa.ForeignKey("runs.run_id"), nullable=False, index=True),
    sa.Column("row", sa.Integer, nullable=False),
    sa.Column("left_id", sa.String(40), sa.ForeignKey("candidates.candidate_id"), nullable=False),
    sa.Column("right_id", sa.String(40), sa.ForeignKey("candidates.candidate_id"), nullable=False),
    sa.Column("outcome", sa.String(8), nullable=False),
    sa.Column("voter", sa.String(120), nullable=False),
    sa.Column("voted_at", Moment, nullable=False),
)

duplicate_decisions = sa.Table(
    "folds",
    metadata,
    sa.Column("fold_id", sa.Integer, primary_key=True),
    sa.Column("run_id", sa.String(40), sa.ForeignKey("runs.run_id"), nullable=False, index=True),
    sa.Column("copy_id", sa.String(40), sa.ForeignKey("candidates.candidate_id"), nullable=False),
    sa.Column("of_id", sa.String(40), sa.ForeignKey("candidates.candidate_id"), nullable=False),
    sa.Column("is_copy", sa.Boolean, nullable=False),
    sa.Column("decided_by", sa.String(120), nullable=False),
    sa.Column("decided_at", Moment, nullable=False),
)

shortlists = sa.Table(
    "shortlists",
    metadata,
    sa.Column("run_id", sa.String(40), sa.ForeignKey("runs.run_id"), primary_key=True),
    sa.Column("revision", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("candidate_ids", Json, nullable=False),
    sa.Column("chosen_by", sa.String(120), nullable=False),
    sa.Column("chosen_at", Moment, nullable=False),
    sa.Column("confirmed_by", sa.String(120)),
    sa.Column("confirmed_at", Moment),
)

acceptances = sa.Table(
    "acceptances",
    metadata,
    sa.Column("acceptance_id", sa.Integer, primary_key=True),
    sa.Column("run_id", sa.String(40), sa.ForeignKey("runs.run_id"), nullable=False, index=True),
    sa.Column("candidate_id", sa.String(40), sa.ForeignKey("candidates.candidate_id"), nullable=False),
    sa.Column("is_accepted", sa.Boolean, nullable=False),
    sa.Column("decided_by", sa.String(120), nullable=False),
    sa.Column("decided_at", Moment, nullable=False),
)

people_answers = sa.Table(
    "people_answers",
    metadata,
    sa.Column("answer_id", sa.Integer, primary_key=True),
    sa.Column("run_id", sa.String(40), sa.ForeignKey("runs.run_id"), nullable=False, index=True),
    sa.Column("candidate_id", sa.String(40), sa.ForeignKey("candidates.candidate_id"), nullable=False),
    sa.Column("statement", sa.Text, nullable=False),
    sa.Column("answer", sa.String(16), nullable=False),
    sa.Column("answered_by", sa.String(120), nullable=False),
    sa.Column("answered_at", Moment, nullable=False),
)

remarks = sa.Table(
    "remarks",
    metadata,
    sa.Column("remark_id", sa.Integer, primary_key=True),
    sa.Column("run_id", sa.String(40), sa.ForeignKey("runs.run_id"), nullable=False, index=True),
    sa.Column("candidate_id", sa.String(40), sa.ForeignKey("candidates.candidate_id"), nullable=False),
    sa.Column("kind", sa.String(8), nullable=False),
    sa.Column("text", ForeignText),
    sa.Column("stars", sa.Integer),
    sa.Column("is_set", sa.Boolean, nullable=False),
    sa.Column("said_by", sa.String(120), nullable=False),
    sa.Column("said_at", Moment, nullable=False),
)

slots = sa.Table(
    "slots",
    metadata,
    sa.Column("name", sa.String(240), primary_key=True),
    sa.Column("campaign", sa.String(64), nullable=False, index=True),
    sa.Column("due_at", Moment, nullable=False),
    sa.Column("state", sa.String(16), nullable=False),
    sa.Column("run_id", sa.String(40), nullable=False, index=True),
    sa.Column("reason", ForeignText, nullable=False),
    sa.Column("started_by", sa.String(64), nullable=False, index=True),
)

allowances = sa.Table(
    "allowances",
    metadata,
    sa.Column("name", sa.String(64), primary_key=True),
    sa.Column("state", Json),
)

run_holds = sa.Table(
    "run_holds",
    metadata,
    sa.Column("run_id", sa.String(40), primary_key=True),
    sa.Column("token", sa.String(16), nullable=False),
    sa.Column("lock_file", sa.String(300), nullable=False),
)

spending_limits = sa.Table(
    "spending_limits",
    metadata,
    sa.Column("limit_id", sa.Integer, primary_key=True),
    sa.Column("per_month_nanousd", Money),
    sa.Column("set_by", sa.String(120), nullable=False),
    sa.Column("set_at", Moment, nullable=False),
)

invitations = sa.Table(
    "invitations",
    metadata,
    sa.Column("invitation_id", sa.Integer, primary_key=True),
    sa.Column("name", sa.String(60), nullable=False, index=True),
    sa.Column("may", sa.String(8), nullable=False),
    sa.Column("limit_nanousd", Money),
    sa.Column("token_digest", sa.String(64), nullable=False, unique=True),
    sa.Column("cookie_digest", sa.String(64), nullable=False, unique=True),
    sa.Column("invited_by", sa.String(120), nullable=False),
    sa.Column("invited_at", Moment, nullable=False),
    sa.Column("revoked_by", sa.String(120)),
    sa.Column("revoked_at", Moment),
)

agreements = sa.Table(
    "agreements",
    metadata,
    sa.Column("agreement_id", sa.Integer, primary_key=True),
    sa.Column("invitation_id", sa.Integer, sa.ForeignKey("invitations.invitation_id"), nullable=False),
    sa.Column("run_id", sa.String(40), sa.ForeignKey("runs.run_id"), nullable=False),
    sa.Column("most_nanousd", Money, nullable=False),
    sa.Column("agreed_at", Moment, nullable=False),
)
