"""The step that buys the orders of a run concurrently.

The buyer limits concurrency and rate; this step passes it the orders and counts the results. All calls of a
run share one event loop, so that one rate limiter applies to all of them.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field

from tasks.images_api.buyer import Buyer, Purchase
from tasks.images_api.sellers import Sellers
from tasks.order import Order, OrderState


@dataclass(frozen=True, slots=True)
class GenerateCounts:
    """The results of buying a list of orders.

    Args:
        n_orders: The number of orders.
        by_state: The number of orders by state; those the buyer did not send are ``planned``.
        n_pictures: The number of pictures received.
    """

    n_orders: int
    by_state: dict[OrderState, int] = field(default_factory=dict)
    n_pictures: int = 0


async def generate(orders: Sequence[Order], buyer: Buyer | Sellers) -> GenerateCounts:
    """Buy every order. This spends money: up to the sum of the orders' estimates.

    Args:
        orders: Planned orders.
        buyer: The run's buyers, or one of them.

    Returns:
        The counts. Once the buyer is closed (see ``buyer.closed_by``) the remaining orders stay planned.

    Raises:
        RunoffError: The ledger or the disk failed. Requests in flight were awaited first.
    """
    ends = await asyncio.gather(*(buyer.buy(order) for order in orders), return_exceptions=True)
    for end in ends:
        if isinstance(end, BaseException):
            raise end
    return count_ends([end for end in ends if not isinstance(end, BaseException)])


def count_ends(ends: Sequence[Purchase | None]) -> GenerateCounts:
    """Count how orders ended; ``None`` is an order that was not sent."""
    by_state: dict[OrderState, int] = {}
    for end in ends:
        state: OrderState = "planned" if end is None else end.state
        by_state[state] = by_state.get(state, 0) + 1
    return GenerateCounts(len(ends), by_state, sum(end.n_pictures for end in ends if end is not None))
