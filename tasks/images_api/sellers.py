"""The buyers of a run, one for each provider that its orders are bought at.

A provider that accepts no more orders, because of its key, its account or its answers, is closed alone: the
orders of other providers go on. What concerns the whole run, such as its budget, the disk or an interruption,
closes all of them.
"""

import asyncio
from collections.abc import Mapping, Sequence

from tasks.errors import BudgetError, RunoffError, StopRunError
from tasks.images_api.buyer import Buyer, Purchase
from tasks.ledger import is_of_share
from tasks.order import Order


class Sellers:
    """The buyers of one run, used as if they were one.

    Args:
        buyers: By the provider's name, at least one.
    """

    def __init__(self, buyers: Mapping[str, Buyer]) -> None:
        self._buyers = dict(buyers)
        self._full_shares: list[BudgetError] = []
        self._begun: dict[str, tuple[Order, asyncio.Task[Purchase | None]]] = {}
        self._n_buying = 0

    @property
    def closed_by(self) -> RunoffError | None:
        """Why nothing is sent any more; ``None`` as long as one provider accepts orders."""
        reasons = [buyer.closed_by for buyer in self._buyers.values()]
        return reasons[0] if all(reasons) else None

    @property
    def stopped_by(self) -> RunoffError | None:
        """Why orders of a provider, or of an arm, are not sent any more; ``None`` where all are."""
        every = self._buyers.values()
        full = (error for buyer in every for error in buyer.full_shares.values())
        reasons = (*(buyer.closed_by for buyer in every), *full, *self._full_shares)
        return next(filter(None, reasons), None)

    @property
    def closed_sellers(self) -> dict[str, RunoffError]:
        """Why nothing is sent any more to each provider that is closed."""
        return {name: buyer.closed_by for name, buyer in self._buyers.items() if buyer.closed_by}

    @property
    def n_in_flight(self) -> int:
        """How many requests are in flight."""
        return sum(buyer.n_in_flight for buyer in self._buyers.values())

    @property
    def n_waiting(self) -> int:
        """How many orders are being bought and not in flight: they wait for their turn."""
        return self._n_buying - self.n_in_flight

    def close(self, reason: RunoffError) -> None:
        """Send nothing more anywhere; requests in flight are still awaited."""
        for buyer in self._buyers.values():
            buyer.close(reason)

    def closed_at(self, name: str) -> RunoffError | None:
        """Why nothing is sent to a provider any more; ``None`` while it accepts orders."""
        return self._buyers[name].closed_by

    def close_for(self, name: str, reason: RunoffError) -> None:
        """Send nothing more to one provider, or anywhere if the reason concerns the whole run."""
        if isinstance(reason, StopRunError):
            self._buyers[name].close(reason)
        else:
            self.close(reason)

    def end_by(self, shortage: BudgetError) -> None:
        """End for want of money, as a worker found: everything, or only what has that limit."""
        if is_of_share(shortage):
            self._full_shares.append(shortage)
        else:
            self.close(shortage)

    async def until_closed(self) -> None:
        """Wait until nothing is sent any more."""
        await asyncio.gather(*(buyer.until_closed() for buyer in self._buyers.values()))

    def begin(self, orders: Sequence[Order]) -> None:
        """Begin to buy orders, which whoever buys them later awaits. This spends money: see ``buy``."""
        for order in orders:
            self._begun[order.order_id] = order, asyncio.create_task(self._buy(order))

    @property
    def begun(self) -> list[Order]:
        """The orders that were begun, and that nobody has bought yet."""
        return [order for order, _ in self._begun.values()]

    @property
    def begun_ends(self) -> list[Purchase]:
        """How those of them ended that have ended already."""
        done = [task for _, task in self._begun.values() if task.done() and not task.cancelled()]
        return [end for task in done if task.exception() is None and (end := task.result()) is not None]

    async def await_begun(self) -> None:
        """Wait for the orders that were begun and that nobody buys any more.

        Raises:
            RunoffError: See ``buy``. All of them have ended by then.
        """
        tasks = [task for _, task in self._begun.values()]
        self._begun.clear()
        for end in await asyncio.gather(*tasks, return_exceptions=True):
            if isinstance(end, BaseException):
                raise end

    async def buy(self, order: Order) -> Purchase | None:
        """Buy an order at its provider, or await it if it was begun; see ``Buyer.buy``. This spends money."""
        _, task = self._begun.pop(order.order_id, (order, None))
        return await (task or self._buy(order))

    async def _buy(self, order: Order) -> Purchase | None:
        buyer = self._buyers[order.provider]
        self._n_buying += 1
        try:
            return await buyer.buy(order)
        finally:
            self._n_buying -= 1
            if buyer.closed_by is not None:
                self.close_for(order.provider, buyer.closed_by)
