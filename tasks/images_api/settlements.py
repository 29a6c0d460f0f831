"""What an order's end means for the ledger: received at its cost, free, or charged until somebody knows."""

from decimal import Decimal

from tasks.errors import RunoffError
from tasks.images_api.failures import Failure
from tasks.images_api.sidecars import Sidecar
from tasks.images_api.terms import Terms
from tasks.ledger import Settlement
from tasks.order import Order, Usage


def settlement_of(
    order: Order,
    usage: Usage,
    terms: Terms,
    *,
    latency_s: float | None,
    vendor_request_id: str | None,
    n_pictures: int = 0,
    reported_usd: Decimal | None = None,
) -> Settlement:
    """Build the settlement of an order whose answer is stored: its cost by usage, else its estimate.

    Args:
        order: The order.
        usage: The tokens that the provider reported.
        terms: The provider's terms.
        latency_s: Seconds from sending to the end of the answer; ``None`` when not measured.
        vendor_request_id: The provider's id of the request, if known.
        n_pictures: How many pictures came.
        reported_usd: What the answer says that it cost.
    """
    return Settlement(
        state="received",
        cost_usd=_cost_usd(order, usage, terms, n_pictures, reported_usd),
        usage=usage,
        latency_s=latency_s,
        vendor_request_id=vendor_request_id,
        is_charged=True,
    )


def settlement_of_failure(order: Order, fault: Failure, terms: Terms, latency_s: float | None) -> Settlement:
    """Build the settlement of an order without a picture: free, by usage, or unknown at its estimate.

    Args:
        order: The order.
        fault: Why it has no picture.
        terms: The provider's terms.
        latency_s: Seconds from sending to the failure; ``None`` when not measured.
    """
    usage = fault.usage or Usage()
    return Settlement(
        state=fault.kind.state,
        cost_usd=_cost_usd(order, usage, terms, 0, None),
        usage=usage,
        latency_s=latency_s,
        vendor_request_id=fault.vendor_request_id,
        error_code=fault.code,
        error_message=fault.message,
    )


def settlement_of_sidecar(order: Order, sidecar: Sidecar, terms: Terms | None) -> Settlement:
    """Build the settlement of an order whose end is known from its sidecar only, as it would have been.

    Args:
        order: The order.
        sidecar: Its sidecar.
        terms: The provider's terms, whose prices count; ``None`` leaves the cost unknown.
    """
    return Settlement(
        state=sidecar.state,
        cost_usd=None
        if terms is None
        else _cost_usd(order, sidecar.usage, terms, len(sidecar.receipts), sidecar.reported_usd),
        usage=sidecar.usage,
        latency_s=sidecar.latency_s,
        vendor_request_id=sidecar.vendor_request_id,
        error_code=sidecar.error_code,
        error_message=sidecar.error_message,
        is_charged=sidecar.state == "received",
    )


def _cost_usd(
    order: Order, usage: Usage, terms: Terms, n_pictures: int, reported_usd: Decimal | None
) -> Decimal | None:
    """Price an order; ``None`` where that fails, as what was paid is kept whether it can be priced or not."""
    try:
        return terms.cost_usd(order, usage, n_pictures, reported_usd)
    except (RunoffError, ArithmeticError, ValueError):
        return None
