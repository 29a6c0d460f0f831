"""Buy a batch of orders, side by side.

The buyer bounds how many are under way and how fast; this step only hands it the work and counts what came
of it. It is awaited inside one event loop with all other batches of the run, so that one pace holds for all.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field

from tasks.images_api.buyer import Buyer, Purchase
from tasks.order import Order, OrderState


@dataclass(frozen=True, slots=True)
class GenerateCounts:
    """What came of a batch.

    Args:
        n_orders: How many orders it had.
        by_state: How they ended; those the buyer no longer sent are ``planned``.
        n_pictures: Pictures received.
    """

    n_orders: int
    by_state: dict[OrderState, int] = field(default_factory=dict)
    n_pictures: int = 0


async def generate(orders: Sequence[Order], buyer: Buyer) -> GenerateCounts:
    """Buy every order of a batch. This spends money: up to the sum of their estimates.

    Args:
        orders: Planned orders.
        buyer: The run's buyer.

    Returns:
        The counts. Once the buyer is closed (``buyer.closed_by`` says why) the rest stays planned.

    Raises:
        RunoffError: The ledger or the disk failed. What was under way was awaited first.
    """
    ends = await asyncio.gather(*(buyer.buy(order) for order in orders), return_exceptions=True)
    for end in ends:
        if isinstance(end, BaseException):
            raise end
    return count_ends([end for end in ends if not isinstance(end, BaseException)])


def count_ends(ends: Sequence[Purchase | None]) -> GenerateCounts:
    """Count how the orders of a batch ended; ``None`` is one that was not sent."""
    by_state: dict[OrderState, int] = {}
    for end in ends:
        state: OrderState = "planned" if end is None else end.state
        by_state[state] = by_state.get(state, 0) + 1
    return GenerateCounts(len(ends), by_state, sum(end.n_pictures for end in ends if end is not None))
