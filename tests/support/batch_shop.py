"""A shop whose provider works off batches by a clock that tests move."""

import asyncio
import io
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import httpx2
from PIL import Image

from tasks.attachments.references import read_reference
from tasks.catalogue.providers import BatchLimits
from tasks.emulator.server import emulator_server
from tasks.emulator.settings import EmulatorSettings
from tasks.errors import RunoffError
from tasks.images_api.batch_lane.lane import BatchLane
from tasks.images_api.batch_lane.settler import BatchSettler
from tasks.images_api.buyer import Purchase
from tasks.images_api.client import connect
from tasks.ledger import BatchRecord, Limits
from tasks.order import Order, Reference
from tests.support.batch_bench import Clock
from tests.support.builders import RUN_ID, an_order
from tests.support.shop import Shop

FLARE = {"model": "gpt-image-2.5-flare", "n": 1, "quality": "low", "size": "1024x640"}
A_DAY_S = 25 * 3600.0


@dataclass
class BatchShop:
    """A shop that buys by batches: one sitting at a time, as a run and its resumptions do."""

    shop: Shop
    clock: Clock
    limits: Limits = field(default_factory=Limits)
    closed_by: RunoffError | None = None
    notes: dict[str, str] = field(default_factory=dict)
    waits_s: list[float] = field(default_factory=list)
    when_bought: Callable[[], None] = lambda: None

    def sit(self, *new: Order, before: Callable[[BatchLane], None] | None = None) -> int:
        """Plan orders, collect what is over and hand over what is planned; returns how many are out."""
        self.shop.ledger.orders.plan(new)
        self.closed_by = None
        return asyncio.run(self._sit(before))

    def submit(self, *new: Order) -> None:
        """Hand planned orders over, and look at nothing else."""

        async def hand_over() -> None:
            async with connect(self.shop.terms) as client:
                await self._lane(client).submit(new)

        asyncio.run(hand_over())

    def stop(self) -> int:
        """Cancel every batch of the run, as the command does; returns how many the provider was asked for."""

        async def cancel() -> int:
            async with connect(self.shop.terms) as client:
                lane = self._lane(client)
                n_asked = await lane.cancel(RUN_ID)
                self.notes = lane.notes
                return n_asked

        return asyncio.run(cancel())

    def close(self, reason: RunoffError) -> None:
        """Stop the sitting."""
        self.closed_by = self.closed_by or reason

    async def _sit(self, before: Callable[[BatchLane], None] | None) -> int:
        async with connect(self.shop.terms) as client:
            lane = self._lane(client)
            if before is not None:
                before(lane)
            await lane.go_on(RUN_ID)
            planned = [record.order for record in self.shop.ledger.orders.of_run(RUN_ID, "planned")]
            if self.closed_by is None and planned:
                await lane.submit(planned)
            self.notes = lane.notes
            return len(self.shop.ledger.batches.open_of(RUN_ID))

    def _lane(self, client: Any) -> BatchLane:
        async def wait(seconds: float) -> None:
            self.waits_s.append(seconds)

        def watch(purchase: Purchase) -> None:
            self.shop.purchases.append(purchase)
            self.when_bought()

        shop = self.shop
        return BatchLane(
            client=client,
            settler=BatchSettler(shop.terms, shop.ledger, shop.folder, watch, self.close),
            limits=self.limits,
            closed_by=lambda: self.closed_by,
            now=lambda: datetime.fromtimestamp(self.clock(), UTC),
            sleep=wait,
            chance=lambda: 0.0,
        )

    def later(self, seconds: float = A_DAY_S) -> None:
        """Let time pass at the provider and here."""
        self.clock.now_s += seconds

    def states(self) -> list[str]:
        """The states of all orders, in the order of the plan."""
        return [record.state for record in self.shop.records()]

    def batches(self) -> Sequence[BatchRecord]:
        """The batches that are still out."""
        return self.shop.ledger.batches.open_of(RUN_ID)

    def steps(self) -> list[str]:
        """How far each of them is; several begin at the same moment, so in the sequence of their names."""
        return sorted(batch.state for batch in self.batches())

    def created(self) -> list[dict[str, Any]]:
        """The provider's own list of batches."""
        batches: list[dict[str, Any]] = self._ask("GET", "batches").json()["data"]
        return batches

    def is_right(self) -> bool:
        """Whether the ledger agrees with itself, with the disk, and with the provider's bill."""
        billed = self.shop.bill()["total"]["charged_nanousd"]
        known = [r.settlement.cost_usd for r in self.shop.records() if r.settlement]
        charged = sum(int(cost * 10**9) for cost in known if cost is not None)
        return self.shop.ledger.verify() == [] and charged == billed

    def limit_files(self, **limits: int) -> None:
        """Let the provider take smaller files."""
        provider = self.shop.terms.provider.model_copy(update={"batches": BatchLimits(**limits)})
        self.shop.terms = replace(self.shop.terms, provider=provider)

    def _files(self, purpose: str) -> list[str]:
        answer = self._ask("GET", f"files?purpose={purpose}")
        return [file["id"] for file in answer.json()["data"]]

    def uploads(self, purpose: str) -> int:
        """How many files of a purpose the provider has."""
        return len(self._files(purpose))

    def delete_files(self, purpose: str) -> None:
        """Delete what was uploaded, as somebody may."""
        for file_id in self._files(purpose):
            self._ask("DELETE", f"files/{file_id}")

    def cancel(self) -> None:
        """Stop the only batch, as somebody may on the provider's pages."""
        (batch,) = self.batches()
        self._ask("POST", f"batches/{batch.vendor_batch_id}/cancel")

    @contextmanager
    def unreachable(self) -> Iterator[None]:
        """Let nobody listen at the provider's address for a while."""
        terms = self.shop.terms
        nowhere = terms.provider.model_copy(update={"base_url": "http://127.0.0.1:9/v1"})
        self.shop.terms = replace(terms, provider=nowhere)
        yield
        self.shop.terms = terms

    def _ask(self, method: str, path: str) -> httpx2.Response:
        headers = {"Authorization": "Bearer k"}
        return httpx2.request(method, f"{self.shop.url}/{path}", headers=headers).raise_for_status()

    def set_faults(self, *rules: dict[str, Any]) -> None:
        """Put faults in force."""
        root = self.shop.url.removesuffix("/v1")
        httpx2.post(f"{root}/_faults", json={"faults": list(rules)}).raise_for_status()


def batch_order(replicate: int = 0, **changes: Any) -> Order:
    """Make an order for the batch lane."""
    facts = {"parameters": FLARE, "provider": "shop", "lane": "batch"} | changes
    return an_order(replicate, **facts)


def orders(count: int) -> list[Order]:
    """Make several."""
    return [batch_order(replicate) for replicate in range(count)]


def a_picture(file: Path, mode: str = "RGB", colour: Any = None) -> Reference:
    """Write a small picture and read it as a reference."""
    stream = io.BytesIO()
    Image.new(mode, (1024, 640), colour or 0).save(stream, "PNG")
    file.write_bytes(stream.getvalue())
    return read_reference(str(file))


@contextmanager
def open_batch_shop(folder: Path, *faults: dict[str, Any], **settings: Any) -> Iterator[BatchShop]:
    """Run an emulator that takes a second for each line, and a shop that buys there."""
    clock = Clock()
    facts: dict[str, Any] = {"paint": "plain", "today": lambda: date(2026, 11, 22), "batch_pace_s": 1.0}
    with emulator_server(EmulatorSettings(now_s=clock, **(facts | settings))) as url:
        shop = Shop(url, folder)
        bench = BatchShop(shop, clock)
        bench.set_faults(*faults)
        try:
            yield bench
        finally:
            shop.ledger.close()


Open = Callable[..., BatchShop]
CREATE: dict[str, Any] = {"path": "/v1/batches", "method": "POST", "times": 1}
UPLOAD: dict[str, Any] = {"path": "/v1/files", "method": "POST"}
LOOK: dict[str, Any] = {"path": "/v1/batches/", "method": "GET", "times": 1}
LIST: dict[str, Any] = {"path": "/v1/batches", "method": "GET", "times": 1}
DOWNLOAD: dict[str, Any] = {"path": "/content", "method": "GET"}


@contextmanager
def batch_shops(folder: Path) -> Iterator[Open]:
    """Open shops with faults in one folder; closed at the end."""
    with ExitStack() as opened:

        def open_one(*faults: dict[str, Any], **settings: Any) -> BatchShop:
            return opened.enter_context(open_batch_shop(folder, *faults, **settings))

        yield open_one


def end(bench: BatchShop, *rules: dict[str, Any], count: int = 6) -> list[str]:
    """Buy orders that meet faults, collect them, and tell the states."""
    bench.set_faults(*rules)
    bench.sit(*orders(count))
    bench.later()
    bench.sit()
    return bench.states()
