"""Reconciliation of orders with the bill: by a person at the command, or by the campaign's rule."""

import getpass
import os
from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal

from tasks.ledger import Ledger, Reconciliation, Verdict
from tasks.order import ANSWER_KEPT_CODES, Order

BY_RULE = "on_unknown: resend"


def reconcile(
    ledger: Ledger,
    order_ids: Sequence[str],
    verdict: Verdict,
    *,
    run: str | None = None,
    cost_usd: Decimal | None = None,
) -> list[Reconciliation]:
    """Record this user's verdict on unknown orders, or the right cost of orders that have ended.

    Args:
        ledger: The ledger.
        order_ids: The orders.
        verdict: Whether they were billed, or are to be sent again; or ``corrected``.
        run: Instead of orders, a run: all its unknown orders; not with ``corrected``.
        cost_usd: What each was billed, dollars, if known; needed with ``corrected``.

    Raises:
        RunError: There is no such run, or more than one.
        LedgerError: An order is in another state, or was resent before. Nothing was changed.
    """
    if verdict == "corrected" and cost_usd is not None:
        return ledger.reconciliations.correct(order_ids, cost_usd, by=user_name(), now=datetime.now(UTC))
    if run is not None:
        waiting = ledger.reconciliations.unknown(ledger.runs.find(run).run_id)
        order_ids = [
            order.record.order.order_id for order in waiting if verdict != "resend" or order.resent_as is None
        ]
    return ledger.reconciliations.record(
        order_ids, verdict, by=user_name(), now=datetime.now(UTC), cost_usd=cost_usd
    )


def resend_drafts(ledger: Ledger, run_id: str, today: Sequence[Order]) -> int:
    """Plan each unknown draft of a run once more, as its campaign says; the first stays charged.

    Not those whose answer came: it is kept, was paid, and can be read again.

    Args:
        ledger: The ledger.
        run_id: The run.
        today: Its draft orders as planned today: a model may have been retired since.

    Returns:
        How many were planned.
    """
    lost = lost_drafts(ledger, run_id)
    ledger.reconciliations.record(lost, "resend", by=BY_RULE, now=datetime.now(UTC), today=today)
    return len(lost)


def lost_drafts(ledger: Ledger, run_id: str) -> list[str]:
    """List the ids of the unknown drafts of a run that its campaign may have sent once more.

    Args:
        ledger: The ledger.
        run_id: The run.
    """
    return [
        unknown.record.order.order_id
        for unknown in ledger.reconciliations.unknown(run_id)
        if unknown.record.order.is_draft and unknown.record.order.attempt == 0 and unknown.resent_as is None
        if unknown.record.settlement is None or unknown.record.settlement.error_code not in ANSWER_KEPT_CODES
    ]


def user_name() -> str:
    """Name the user of the operating system; a container may know only a number."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return f"user {os.getuid()}"
