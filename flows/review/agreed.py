"""What an invited person agrees to pay: counted towards the person's limit, before it is bought."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from decimal import Decimal

from flows.review.page_context import RunView
from flows.review.visitors import Visitor
from tasks.errors import RunoffError


@contextmanager
def agreed(run: RunView, visitor: Visitor, most_usd: Decimal) -> Iterator[None]:
    """Count a purchase towards the limit of an invited person, unless it fails inside.

    Args:
        run: The run.
        visitor: Who buys.
        most_usd: What it can cost at most, dollars.

    Raises:
        RunError: It exceeds the person's limit. Nothing was bought.
    """
    if visitor.invitation is None:
        yield
        return
    invitations = run.ledger.invitations
    number = invitations.agree(visitor.invitation, run.run_id, most_usd, datetime.now(UTC))
    try:
        yield
    except RunoffError:
        invitations.withdraw(number)
        raise
