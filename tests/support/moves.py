"""Moves of orders in a ledger that are begun at the same time: for tests of what shares a transaction."""

from collections.abc import Callable
from concurrent.futures import Future, wait
from typing import Any

from tasks.ledger import Ledger, Limits
from tasks.order import Order
from tests.support.builders import an_order

NO_LIMITS = Limits()
LIMIT_S = 30.0
Moves = list["Future[None]"]


def planned(ledger: Ledger, n: int, **changes: Any) -> list[Order]:
    """Plan some orders."""
    orders = [an_order(k, **changes) for k in range(n)]
    ledger.orders.plan(orders)
    return orders


def together(ledger: Ledger, begin: Callable[[], Moves]) -> list[BaseException | None]:
    """Begin moves while another transaction is under way; returns the error of each."""
    with ledger.database.write():
        moves = begin()
    wait(moves, LIMIT_S)
    return [move.exception(0) for move in moves]
