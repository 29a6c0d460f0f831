"""The span of one order in a run's trace: what is bought where, how it ended and what it cost."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from tasks.order import Order
from tasks.tracing import span

if TYPE_CHECKING:
    from tasks.images_api.buyer import Purchase


@contextmanager
def order_span(order: Order) -> "Iterator[Callable[[Purchase | None], None]]":
    """Trace an order, with its waits for a turn and for money.

    Args:
        order: The order.

    Yields:
        A function that takes how it ended; ``None`` for an order that was not sent.
    """
    with span(
        "order",
        "client",
        run=order.run_id,
        campaign=order.campaign,
        stage=order.stage,
        arm=order.arm,
        row=order.row + 1,  # as people count them
        replicate=order.replicate,
        order=order.order_id,
        provider=order.provider,
        model=str(order.parameters["model"]) if "model" in order.parameters else None,
    ) as made:

        def end(purchase: "Purchase | None") -> None:
            if purchase is None:
                made.note(state="planned")
                return
            cost_usd = purchase.cost_usd
            made.note(state=purchase.state, cost_usd=None if cost_usd is None else float(cost_usd))
            if purchase.state in ("failed", "unknown"):
                made.fail(purchase.fault.code if purchase.fault else purchase.state)

        yield end
