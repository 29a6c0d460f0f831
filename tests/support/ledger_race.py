"""Processes that buy on one ledger at random, all at once; started by ``test_ledger_race``.

Each sends its own orders and those that all share, settles them below their estimates, takes some back and
loses others, and keeps books of its own. At the end it prints them as one line, for the ledger to be held
against: what it is charged in nano-dollars, and what it did how often.
"""

import json
import multiprocessing
import random
import sys
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

from tasks.errors import BudgetError, LedgerError
from tasks.ledger import Ledger, Limits, Settlement
from tasks.money import from_nanousd, to_nanousd
from tasks.order import Order, OrderState
from tests.support.builders import NOON, a_receipt, an_order
from tests.support.ledgers import open_ledger

N_SHARED = 20
START_TIMEOUT_S = 120.0
# Some minutes before midnight of a month's last day (UTC) and some after it: two months are charged.
NEW_YEAR = NOON.replace(month=12, day=31, hour=23, minute=59)

ENDS: tuple[OrderState, ...] = ("received", "received", "refused", "failed", "unknown", "sent")


def limits_of(n_own: int) -> Limits:
    """Return budgets that eight processes with so many own orders each reach."""
    run_usd, campaign_usd, ledger_usd = Decimal("0.0333"), Decimal("0.024"), Decimal("0.021333333")
    return Limits(n_own * run_usd, n_own * campaign_usd, n_own * ledger_usd)


def race_orders(process: int, n: int) -> list[Order]:
    """List one process's own orders, or with -1 shared ones; their estimates are odd amounts."""
    chance = random.Random(process)
    return [
        an_order(
            replicate=k, row=process + 1, estimate_usd=from_nanousd(chance.randrange(1_000_000, 20_000_000))
        )
        for k in range(n)
    ]


class Buyer:
    """A process with its books.

    Args:
        ledger: Its own connection.
        seed: Its own number.
        limits: The budgets.
    """

    def __init__(self, ledger: Ledger, seed: int, limits: Limits) -> None:
        self.charged_nanousd = 0
        self.counts: Counter[str] = Counter()
        self._ledger = ledger
        self._limits = limits
        self._chance = random.Random(seed)

    def buy(self, order: Order) -> None:
        """Send an order once or, after taking it back, twice, and end it at random."""
        for _ in range(2):
            minutes = self._chance.randrange(3)
            try:
                self._ledger.orders.send(order, self._limits, NEW_YEAR + timedelta(minutes=minutes))
            except BudgetError:
                self.counts["over budget"] += 1
                return
            except LedgerError as error:
                if "not planned" not in str(error):
                    raise
                self.counts["lost to another"] += 1
                return
            if self._chance.random() < 0.7:
                break
            self._ledger.orders.unsend(order.order_id, "rate_limited", "wait")
            self.counts["unsent"] += 1
        else:
            return
        self._end(order)

    def _end(self, order: Order) -> None:
        end = self._chance.choice(ENDS)
        self.counts[end] += 1
        estimate = to_nanousd(order.estimate_usd)
        if end == "received":
            cost = self._chance.randrange(estimate + 1)
            settlement = Settlement("received", cost_usd=from_nanousd(cost))
            self._ledger.orders.settle(order.order_id, settlement, [a_receipt(order)])
            self.charged_nanousd += cost
            return
        if end != "sent":
            self._ledger.orders.settle(order.order_id, Settlement(end))
        if end in ("unknown", "sent"):
            self.charged_nanousd += estimate


def race(home: Path, process: int, n_own: int, wait_for_all: Callable[[], object]) -> None:
    """Be one process: buy until every order was tried."""
    ledger = open_ledger(home)
    orders = [*race_orders(process, n_own), *race_orders(-1, N_SHARED)]
    random.Random(process).shuffle(orders)
    ledger.orders.plan(orders)
    wait_for_all()
    buyer = Buyer(ledger, process, limits_of(n_own))
    for order in orders:
        buyer.buy(order)
    ledger.close()
    book = json.dumps({"charged_nanousd": buyer.charged_nanousd, "counts": buyer.counts})
    sys.stdout.write(f"{book}\n")
    sys.stdout.flush()


def main(home: Path, n_processes: int, n_own: int) -> None:
    """Fork all processes from one that has loaded everything and opened nothing."""
    context = multiprocessing.get_context("fork")
    start = context.Barrier(
        n_processes, timeout=START_TIMEOUT_S
    )  # one that fell must not hold the others for ever
    racers = [context.Process(target=race, args=(home, k, n_own, start.wait)) for k in range(n_processes)]
    for racer in racers:
        racer.start()
    for racer in racers:
        racer.join()
    sys.exit(max(abs(racer.exitcode or 0) for racer in racers))


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
