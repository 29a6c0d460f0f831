"""Settles many orders at a time, where nothing is waited for between them: their transactions are shared.

Each has its sidecar on disk before the ledger says how it ended, as one that is settled alone.
"""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tasks.candidate import Receipt
from tasks.images_api.picture_files import store_end
from tasks.ledger import Ledger, Settlement
from tasks.order import Order
from tasks.storage.atomic import SYNCS_AT_ONCE

TOGETHER = 200
"""How many orders are settled before the next are looked at."""
Found = tuple[Settlement, Sequence[Receipt], str | None]
"""How an order ended, its pictures, and a judging model's answer; both are safe on disk already."""


def settle_together(ledger: Ledger, folder: Path, ends: Sequence[tuple[Order, Found]]) -> None:
    """Settle orders, in as few transactions as they fit into.

    Args:
        ledger: The ledger.
        folder: The run's folder, in which sidecars of orders that are ``unknown`` from now on are written.
        ends: The orders with their ends, about ``TOGETHER`` of them.

    Raises:
        LedgerError: The first that could not be settled; the others are.
    """
    lost = [(order, settlement) for order, (settlement, *_) in ends if settlement.state == "unknown"]
    with ThreadPoolExecutor(SYNCS_AT_ONCE) as pool:  # a disk makes many durable in the time of a few
        list(pool.map(lambda one: store_end(folder, *one), lost))
    moves = [ledger.orders.begin_settle(order.order_id, *found) for order, found in ends]
    faults = [fault for move in moves if (fault := move.exception()) is not None]
    if faults:
        raise faults[0]
