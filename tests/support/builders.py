"""One-line makers of the things tests speak of."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from tasks.candidate import Receipt
from tasks.order import Order

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
RUN_ID = "20261122-120000-test"


def an_order(replicate: int = 0, **changes: Any) -> Order:
    """Make a draft order of arm A, row 0, that may cost a cent."""
    facts: dict[str, Any] = {
        "run_id": RUN_ID,
        "campaign": "otters",
        "stage": "draft",
        "arm": "A",
        "row": 0,
        "replicate": replicate,
        "attempt": 0,
        "prompt": "a baby otter",
        "provider": "emulator",
        "endpoint": "generations",
        "parameters": {"model": "gpt-image-1-mini", "n": 1, "quality": "low", "size": "1024x1024"},
        "estimate_usd": Decimal("0.01"),
    }
    return Order(**(facts | changes))


def a_receipt(order: Order, index: int = 0) -> Receipt:
    """Make the receipt of an order's ``index``-th picture."""
    name = order.file_stem(index)
    return Receipt(order.order_id, index, order.replicate + index, f"drafts/{name}.png", name, 100, None)
