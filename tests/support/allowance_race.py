"""A process that takes turns of one allowance, or buys within it; ``test_allowances`` starts several.

``turns`` takes turns one after another and prints the moment of each, by the ledger's clock. ``buys`` buys
drafts from an emulator and prints how many came. Both say ``ready`` first and begin when told to.
"""

import asyncio
import sys
from pathlib import Path

from tasks.catalogue import load_catalogue
from tasks.catalogue.providers import Provider
from tasks.images_api.buyer import Buyer
from tasks.images_api.client import connect
from tasks.images_api.rate_limiter.limiter import LedgerWindow, RateLimiter, allowance_of
from tasks.images_api.terms import Terms
from tasks.ledger import Ledger, Limits
from tasks.order import Order
from tests.support.builders import an_order
from tests.support.ledgers import open_ledger
from tests.support.shop import FLARE


def terms_of(url: str) -> Terms:
    """Make the terms of an account at an address."""
    return Terms(
        Provider(name="shop", base_url=url, key_variable="KEY"), load_catalogue(), {"KEY": "sk-of-the-tests"}
    )


def begin() -> None:
    """Say that all is loaded, and wait for the start."""
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    sys.stdin.readline()


async def take_turns(ledger: Ledger, limit: int, length_s: float, n_turns: int) -> None:
    """Order two at a time, as quickly as allowed."""
    rate_limiter = RateLimiter(limit, LedgerWindow(ledger, "races", length_s))

    async def take(n: int) -> None:
        for _ in range(n):
            moment = await rate_limiter.acquire(1)
            sys.stdout.write(f"{moment}\n")
            sys.stdout.flush()

    await asyncio.gather(take(n_turns // 2), take(n_turns - n_turns // 2))


async def buy(
    ledger: Ledger, folder: Path, url: str, limit: int, length_s: float, orders: list[Order]
) -> int:
    """Buy orders at a buyer of this process's own; returns how many pictures came."""
    terms = terms_of(url)
    rate_limiter = RateLimiter(limit, LedgerWindow(ledger, allowance_of(terms), length_s))
    async with connect(terms) as client:
        buyer = Buyer(
            client=client,
            terms=terms,
            ledger=ledger,
            folder=folder,
            limits=Limits(),
            rate_limiter=rate_limiter,
        )
        ends = await asyncio.gather(*(buyer.buy(order) for order in orders))
    return sum(end.n_pictures for end in ends if end is not None)


def main(what: str, home: str, process: str, limit: str, length_s: str, n: str, url: str = "") -> None:
    """Be one process."""
    with open_ledger(Path(home)) as ledger:
        if what == "turns":
            begin()
            asyncio.run(take_turns(ledger, int(limit), float(length_s), int(n)))
            return
        orders = [an_order(k, row=int(process), parameters=FLARE, provider="shop") for k in range(int(n))]
        ledger.orders.plan(orders)
        begin()
        came = asyncio.run(buy(ledger, Path(home), url, int(limit), float(length_s), orders))
        sys.stdout.write(f"{came}\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
