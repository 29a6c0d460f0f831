"""Takes batches through their steps: reserve, upload, create once, poll, collect.

Each step starts from the state in the ledger and records there what the next one needs, so that another
process can continue after a kill between any two steps. Creating the batch is the step that spends: before it
is repeated, the provider's list is searched for the batch's key.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime, timedelta
from itertools import groupby
from pathlib import Path
from typing import Any

from openai import AsyncOpenAI

from tasks.errors import BudgetError, InterruptError, RunoffError, StopRunError
from tasks.images_api.batch_lane.batch_client import BatchClient
from tasks.images_api.batch_lane.lines import ENDPOINTS, request_line
from tasks.images_api.batch_lane.rejection import rejected_orders
from tasks.images_api.batch_lane.report import BatchReport
from tasks.images_api.batch_lane.settler import BatchSettler, Collection
from tasks.images_api.batch_lane.uploads import PictureUploads
from tasks.images_api.disk_space import require_room
from tasks.images_api.failures import Failure, FailureKind
from tasks.images_api.retries import Chance, with_jitter
from tasks.images_api.stop_messages import stop_after_cancelling, stop_asking, stop_for
from tasks.images_api.wait_notices import WaitNotices
from tasks.ledger import BatchRecord, Limits
from tasks.money import count_of
from tasks.order import Order
from tasks.storage.atomic import write_atomically

FOLDER = "batches"
FIND_BACKOFF_S = (0.0, 2.0, 8.0)
"""Before each look into the provider's list, which may show a new batch a little late."""
FOUND_WITHIN = timedelta(minutes=10)
"""A batch not listed by the provider this long after it was requested is given up as unknown."""
OVER = ("completed", "expired", "cancelled")
_STOPPING = (FailureKind.unsent, FailureKind.stop_run, FailureKind.rejected, FailureKind.refused)
_NOT_CREATED = (*_STOPPING, FailureKind.rate_limited)


class BatchLane:
    """Buys orders of one run in batches.

    Args:
        client: From ``client.connect``.
        settler: Settles orders, with the run's ledger, terms and folder.
        limits: The budgets.
        closed_by: Returns why the run's buyer is closed; ``None`` while it is open.
        waits: Tells people about long waits.
        now: The time, aware.
        sleep: Waits that many seconds.
        chance: Draws from [0, 1), for the jitter of waits.
    """

    def __init__(
        self,
        *,
        client: AsyncOpenAI,
        settler: BatchSettler,
        limits: Limits,
        closed_by: Callable[[], RunoffError | None],
        waits: WaitNotices | None = None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        chance: Chance = random.random,
    ) -> None:
        self.notes: dict[str, str] = {}
        self._settler = settler
        self._ledger = settler.ledger
        self._limits = limits
        self._closed_by = closed_by
        self._wait_notices = waits or WaitNotices()
        self._now = now
        self._sleep = sleep
        self._chance = chance
        self._vendor = BatchClient(client, settler.terms, sleep, chance)
        self._uploads = PictureUploads(self._vendor, settler.ledger, settler.terms.provider.name)
        self._steps: dict[str, Callable[[BatchRecord], Awaitable[bool]]] = {
            "reserved": self._hand_over,
            "uploaded": self._ask,
            "asked": self._search,
            "created": self._look,
        }

    async def go_on(self, run_id: str) -> int:
        """Advance every batch of a run as far as possible now. This may spend what its orders have reserved.

        Returns:
            How many batches are unfinished; ``notes`` says why for each.

        Raises:
            PictureError: A reference is missing or was changed; its batch stays as it is.
            SettingError: Something could not be written; orders not settled yet are still in their batch.
            StopRunError: The disk has no room for the pictures; they stay at the provider.
        """
        for record in self._ledger.batches.open_of(run_id):
            await self._take(record)
        return len(self._ledger.batches.open_of(run_id))

    async def submit(self, orders: Sequence[Order]) -> None:
        """Reserve planned orders and submit them, as many as the budgets allow. This spends money.

        When no batch is unfinished and not even the next order fits, the run's buyer is closed.

        Raises:
            PictureError: A reference is missing or was changed; its order was not sent.
            SettingError: The lines could not be written; the orders are still reserved.
            LedgerError: An order is not planned, or the ledger cannot be written.
        """
        for file in self._files(orders):
            rest = file
            while rest and self._is_open():
                count = await self._reserve(rest)
                if count == 0:
                    return
                rest = rest[count:]

    async def cancel(self, run_id: str) -> int:
        """Ask the provider to cancel every batch of a run; orders of uncreated batches are planned again.

        Requests finished by then are billed, and collected when the run is resumed.

        Returns:
            How many batches the provider was asked to cancel; ``notes`` says why one could not be.
        """
        n_asked = 0
        for record in self._ledger.batches.open_of(run_id):
            if record.state in ("reserved", "uploaded"):
                fault = Failure(FailureKind.unsent, "cancelled", "It was cancelled before it was submitted.")
                await self._withdraw(record, fault, is_stop=False)
            if record.vendor_batch_id is not None:
                n_asked += 1
                answer = await self._vendor.cancel(record.vendor_batch_id)
                if isinstance(answer, Failure):
                    self._waits(record, answer.message)
        return n_asked

    def _is_open(self) -> bool:
        return self._closed_by() is None

    def _is_interrupted(self) -> bool:
        return isinstance(self._closed_by(), InterruptError)

    def _files(self, orders: Sequence[Order]) -> list[list[Order]]:
        """Divide orders into files: one endpoint and one model each, within the provider's limits."""
        limits = self._settler.terms.provider.batches
        files: list[list[Order]] = []
        by_kind = sorted(orders, key=_kind)  # stable: keeps the plan's sequence within a kind
        for _, alike in groupby(by_kind, key=_kind):
            n_bytes = limits.bytes + 1
            for order in alike:
                line_bytes = len(request_line(order, _Longest()))
                if n_bytes + line_bytes > limits.bytes or len(files[-1]) == limits.lines:
                    files.append([])
                    n_bytes = 0
                files[-1].append(order)
                n_bytes += line_bytes
        return files

    async def _reserve(self, orders: Sequence[Order]) -> int:
        run_id = orders[0].run_id
        try:
            require_room(self._settler.folder, orders[0], len(orders) - 1)
            reserve = self._ledger.batches.reserve
            key, count = await asyncio.to_thread(reserve, orders, self._limits, self._now())
        except BudgetError as error:
            if not self._ledger.batches.open_of(run_id):
                self._settler.close(error)
            return 0
        except StopRunError as error:
            self._settler.close(error)
            return 0
        await self._take(self._read(run_id, key))
        return count

    def _read(self, run_id: str, key: str) -> BatchRecord:
        return next(record for record in self._ledger.batches.open_of(run_id) if record.batch_key == key)

    async def _take(self, record: BatchRecord) -> None:
        """Advance one batch step by step until it is finished or must wait."""
        open_ones = {record.batch_key: record}
        while self._is_open() and record.batch_key in open_ones:
            record = open_ones[record.batch_key]
            with self._wait_notices.waiting("for the provider's files and batches"):
                is_on = await self._steps[record.state](record)
            if not is_on:
                return
            open_ones = {known.batch_key: known for known in self._ledger.batches.open_of(record.run_id)}
        self.notes.pop(record.batch_key, None)

    async def _hand_over(self, record: BatchRecord) -> bool:
        """Write the lines to disk and upload them; this buys nothing."""
        orders = self._orders(record)
        ids = await self._uploads.ids_of(orders)
        if isinstance(ids, Failure):
            return await self._stalled(record, ids)
        file = self._file(record)
        lines = b"".join(request_line(order, ids) for order in orders)
        await asyncio.to_thread(write_atomically, file, lines)
        file_id = await self._vendor.upload((file.name, file, "application/jsonl"), "lines")
        if isinstance(file_id, Failure):
            return await self._stalled(record, file_id)
        return await self._advance(record, "uploaded", input_file_id=file_id)

    async def _ask(self, record: BatchRecord) -> bool:
        """Create the batch, once; if that was tried before, search for the batch first."""
        if record.asked_at is not None:
            found = await self._vendor.find(record)
            if isinstance(found, Failure):
                return self._waits(record, found.message)
            if found is not None:
                return await self._created(record, found)
        await self._advance(record, "asked", asked_at=self._now())
        endpoint = ENDPOINTS[self._orders(record)[0].endpoint]
        answer = await self._vendor.create(record, endpoint)
        if isinstance(answer, BatchReport):
            return await self._created(record, answer)
        if answer.kind in _NOT_CREATED:
            await self._advance(record, "uploaded")
            return await self._stalled(record, answer)
        return await self._search(record, refusal=answer if answer.kind is FailureKind.server_fault else None)

    async def _search(self, record: BatchRecord, refusal: Failure | None = None) -> bool:
        """Search the provider's list for a batch that may have been created.

        Args:
            record: The batch.
            refusal: The failure of creating it, if certain: a batch not listed may then be created again.
        """
        for wait_s in FIND_BACKOFF_S:
            await self._sleep(with_jitter(wait_s, self._chance))
            found = await self._vendor.find(record)
            if isinstance(found, BatchReport):
                return await self._created(record, found)
            if isinstance(found, Failure):
                return self._waits(record, found.message)
        if refusal is not None:
            await self._advance(record, "uploaded")
            return self._waits(record, refusal.message)
        asked_at, now = record.asked_at, self._now()
        if asked_at is not None and now < asked_at:  # the clock was set back: wait from now
            await self._advance(record, "asked", asked_at=now)
        elif asked_at is not None and now - asked_at >= FOUND_WITHIN:
            message = "The provider was asked for the batch but does not list it; it may have accepted it."
            return await self._lose(record, "batch_not_found", message)
        return self._waits(record, "The provider may have accepted it; its list does not show it yet.")

    async def _look(self, record: BatchRecord) -> bool:
        """Read the batch's status; collect it when it is finished."""
        answer = await self._vendor.look(str(record.vendor_batch_id))
        if answer is None:
            message = "The provider no longer knows the batch; it may have billed it."
            return await self._lose(record, "batch_gone", message)
        if isinstance(answer, Failure):
            if answer.kind in _STOPPING:
                self._settler.close(stop_asking(record, answer, self._settler.terms))
            return self._waits(record, answer.message)
        if answer.status != record.vendor_status:
            await self._advance(record, "created", vendor_status=answer.status)
        if answer.status == "failed":
            return await self._rejected(record, answer)
        if answer.status not in OVER:
            return self._waits(record, _progress(answer, record.n_orders))
        return await self._collect(record, answer)

    async def _collect(self, record: BatchRecord, batch: BatchReport) -> bool:
        orders = self._ledger.batches.orders_of(record.batch_key)
        out = self._ledger.batches.orders_out(record.batch_key)
        collection = Collection(self._vendor, self._settler, orders, out, self._is_interrupted)
        fault = await collection.collect(batch)
        if fault is not None:
            return self._waits(record, fault.message)
        await self._advance(record, "collected", ended_at=self._now())
        if batch.status == "cancelled":
            self._settler.close(stop_after_cancelling(record))
        return True

    async def _rejected(self, record: BatchRecord, batch: BatchReport) -> bool:
        """Settle a file that the provider rejected: nothing ran, only the orders it names are at fault."""
        out = self._ledger.batches.orders_out(record.batch_key)
        rejection = rejected_orders(batch, out, self._file(record))
        for bad, fault in rejection.named:
            await asyncio.to_thread(self._settler.settle_failure, bad, fault)
        return await self._withdraw(record, rejection.fault, is_stop=not rejection.named)

    async def _stalled(self, record: BatchRecord, fault: Failure) -> bool:
        """Nothing was created: wait if that may help, else plan the orders again and stop the run."""
        if fault.kind in _STOPPING:
            return await self._withdraw(record, fault, is_stop=True)
        return self._waits(record, fault.message)

    async def _withdraw(self, record: BatchRecord, fault: Failure, *, is_stop: bool) -> bool:
        orders = self._orders(record)
        withdraw = self._ledger.batches.withdraw
        await asyncio.to_thread(withdraw, record.batch_key, fault.code, fault.message, self._now())
        if is_stop and orders:
            self._settler.close(stop_for(orders[0], fault, self._settler.terms))
        return True

    async def _lose(self, record: BatchRecord, code: str, message: str) -> bool:
        out = self._ledger.batches.orders_out(record.batch_key)
        await asyncio.to_thread(self._settler.give_up, out, code, message)
        return await self._advance(record, "lost", ended_at=self._now())

    async def _created(self, record: BatchRecord, batch: BatchReport) -> bool:
        return await self._advance(record, "created", vendor_batch_id=batch.id, vendor_status=batch.status)

    async def _advance(self, record: BatchRecord, state: Any, **facts: Any) -> bool:  # noqa: ANN401 - columns
        await asyncio.to_thread(self._ledger.batches.advance, record.batch_key, state, **facts)
        return True

    def _file(self, record: BatchRecord) -> Path:
        return self._settler.folder / FOLDER / f"{record.batch_key}.jsonl"

    def _waits(self, record: BatchRecord, why: str) -> bool:
        self.notes[record.batch_key] = why
        return False

    def _orders(self, record: BatchRecord) -> list[Order]:
        return [out.order for out in self._ledger.batches.orders_out(record.batch_key)]


class _Longest(dict[str, str]):
    """Placeholder ids of files not uploaded yet, as long as any of the vendor's."""

    def __missing__(self, sha256: str) -> str:
        return f"file-{sha256}"


def _kind(order: Order) -> tuple[str, str]:
    return order.endpoint, str(order.parameters["model"])


def _progress(batch: BatchReport, n_orders: int) -> str:
    return f"{batch.status.replace('_', ' ')}, {batch.n_ran or 0} of {count_of(n_orders, 'order')} done"
