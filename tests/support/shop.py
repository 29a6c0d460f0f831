"""A provider that answers as told, and a buyer that buys from it: for tests of the money."""

import asyncio
import json
import urllib.request
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import httpx2

from tasks.catalogue import load_catalogue
from tasks.catalogue.providers import Provider, Timeouts
from tasks.images_api.buyer import Buyer, Purchase
from tasks.images_api.client import connect
from tasks.images_api.rate_limiter.limiter import RateLimiter
from tasks.images_api.terms import Terms
from tasks.images_api.wait_notices import WaitNotices
from tasks.ledger import Ledger, Limits, OrderRecord
from tasks.order import Order
from tests.support.builders import NOON, RUN_ID, an_order
from tests.support.emulator_client import PATIENT_S
from tests.support.ledgers import open_ledger

KEY = "sk-test-0123456789abcdef"
FLARE = {"model": "gpt-image-2.5-flare", "n": 1, "quality": "low", "size": "1024x640"}
OF_OTHER_LANES = (
    "stream_",
    "judge_",
    "fewer_partials",
    "enqueued_limit",
    "batch_",
    "file_gone",
    "download_cut",
)
"""How the kinds of faults begin of streams, judges, batches and files, which no interactive order meets."""


class RecordingLimiter(RateLimiter):
    """A rate limiter that notes its pauses and takes none."""

    def __init__(self, waits_s: list[float]) -> None:
        super().__init__(None)
        self.waits_s = waits_s

    async def slow_down(self, ordered_at_s: float, wait_s: float, for_s: float = 0.0) -> None:
        """Note it, and slow down without a wait."""
        self.waits_s.append(wait_s)
        await super().slow_down(ordered_at_s, 0.0, for_s)


class Shop:
    """A provider that answers as told, and a buyer that buys from it.

    Args:
        url: The provider's address.
        folder: Of the ledger and the pictures.
        read_s: How long an answer is waited for, seconds.
    """

    def __init__(self, url: str, folder: Path, read_s: float = PATIENT_S) -> None:
        self.url = url
        self.folder = folder
        self.ledger: Ledger = open_ledger(folder)
        self.ledger.runs.start(RUN_ID, campaign="otters", provider="shop", now=NOON)
        provider = Provider(
            name="shop",
            base_url=url,
            key_variable="SHOP_KEY",
            images_per_minute=1_000_000,
            concurrency=4,
            timeouts=Timeouts(read_s={"low": read_s}),
        )
        self.terms = Terms(provider, load_catalogue(), {"SHOP_KEY": KEY})
        self.waits_s: list[float] = []
        self.purchases: list[Purchase] = []
        self.transport: httpx2.AsyncBaseTransport | None = None

    def buy(
        self,
        *orders: Order,
        limits: Limits | None = None,
        rate_limiter: RateLimiter | None = None,
        waits: WaitNotices | None = None,
        meanwhile: Callable[[Buyer], Awaitable[None]] | None = None,
    ) -> Buyer:
        """Plan and buy orders, all at once, while something else goes on."""

        async def wait(seconds: float) -> None:
            self.waits_s.append(seconds)
            await asyncio.sleep(0)

        async def run() -> Buyer:
            async with connect(self.terms, self.transport) as client:
                buyer = Buyer(
                    client=client,
                    terms=self.terms,
                    ledger=self.ledger,
                    folder=self.folder,
                    limits=limits or Limits(),
                    rate_limiter=rate_limiter or RecordingLimiter(self.waits_s),
                    watch=self.purchases.append,
                    waits=waits,
                    sleep=wait,
                    chance=lambda: 0.0,
                )
                work = [asyncio.ensure_future(buyer.buy(order)) for order in orders]
                if meanwhile is not None:
                    await meanwhile(buyer)
                ends = await asyncio.gather(*work, return_exceptions=True)
                for end in ends:
                    if isinstance(end, BaseException):
                        raise end
            return buyer

        self.ledger.orders.plan(orders)
        return asyncio.run(run())

    def bill(self) -> dict[str, Any]:
        """Ask the emulator what it received and charged."""
        with urllib.request.urlopen(self.url.removesuffix("/v1") + "/_bill") as answer:
            bill: dict[str, Any] = json.load(answer)
        return bill

    def records(self) -> list[OrderRecord]:
        """Every order's record, in the order of the plan."""
        return self.ledger.orders.of_run(RUN_ID)

    def record(self) -> Any:
        """The only order's record."""
        (record,) = self.ledger.orders.of_run(RUN_ID)
        return record


def order_of(replicate: int = 0, **changes: Any) -> Order:
    """Make an order that the plain emulator answers quickly."""
    return an_order(replicate, parameters=FLARE | changes, provider="shop")


Opener = Callable[..., Shop]
