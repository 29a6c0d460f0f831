"""Collects a finished batch: stores and settles each result line as it is read.

A line settles its order only once, so that repeated lines, and a file read again after a kill or a dropped
connection, change nothing. An order without a line was certainly not billed only if the provider's counts say
that it never ran; otherwise it becomes ``unknown``.
"""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import httpx2
import openai

from tasks.errors import RunoffError
from tasks.images_api.answers import Answer
from tasks.images_api.batch_lane.batch_client import BatchClient
from tasks.images_api.batch_lane.lines import ResultLine, read_line
from tasks.images_api.batch_lane.report import BatchReport
from tasks.images_api.buyer import Purchase
from tasks.images_api.disk_space import require_room
from tasks.images_api.failures import Failure, FailureKind, failure_of_answer
from tasks.images_api.picture_files import store_answer, store_end
from tasks.images_api.reading import reader_of
from tasks.images_api.receiving import AnswerTooLargeError
from tasks.images_api.retries import SERVER_FAULT_BACKOFF_S
from tasks.images_api.settlements import settlement_of, settlement_of_failure
from tasks.images_api.settling_together import TOGETHER, settle_together
from tasks.images_api.stop_messages import stop_for, stop_for_price
from tasks.images_api.terms import Terms
from tasks.ledger import Ledger, OrderRecord, Settlement
from tasks.order import Order

NOT_RUN_CODES = ("batch_expired", "batch_cancelled")
"""The vendor's code for a line not processed before the batch ended."""
DOWNLOADS = 3
MOST_LIMITED_SENDS = 5
"""How often an order that met a rate limit is put into a batch."""


@dataclass(frozen=True)
class BatchSettler:
    """Settles orders of batches.

    Args:
        terms: What orders cost and their answers should contain.
        ledger: Where orders are settled.
        folder: The run's folder; pictures go below it.
        watch: Called with every order's end.
        close: Called with the reason when no further order can succeed.
    """

    terms: Terms
    ledger: Ledger
    folder: Path
    watch: Callable[[Purchase], None]
    close: Callable[[RunoffError], None]

    def settle_line(self, record: OrderRecord, line: ResultLine) -> bool:
        """Store and settle the result of an order.

        Returns:
            Whether the order is settled; a broken line without a whole picture settles nothing, as another
            line may follow.

        Raises:
            StopRunError: There is no room for the picture; it stays at the provider, the order in its batch.
            SettingError: The picture could not be written; it stays at the provider, the order in its batch.
        """
        order = record.order
        headers = {"x-request-id": line.request_id} if line.request_id else {}
        if line.status is None:
            kind = FailureKind.unsent if line.error_code in NOT_RUN_CODES else FailureKind.unknown
            self.settle_failure(record, Failure(kind, line.error_code, line.error_message))
            return True
        reader = reader_of(order, self.folder, self.terms)
        if line.status == 200:
            answer, trouble = reader.read(line.body, headers)
        else:
            fault = failure_of_answer(line.status, line.body, headers, "")
            answer, trouble = reader.read_failure(line.body, "", headers, fault)
        if trouble is not None:
            self.close(trouble)
        if isinstance(answer, Answer):
            self._keep(record, answer)
        elif line.is_broken:
            return False
        else:
            self.settle_failure(record, answer)
        return True

    def _keep(self, record: OrderRecord, answer: Answer) -> None:
        order = record.order
        require_room(self.folder, order, 0)
        receipts = store_answer(self.folder, order, answer, None)
        settlement = settlement_of(
            order, answer.usage, self.terms, latency_s=None, vendor_request_id=answer.vendor_request_id,
            n_pictures=len(receipts), reported_usd=answer.reported_usd,
        )  # fmt: skip
        self.ledger.orders.settle(order.order_id, settlement, receipts)
        self._stop_if_too_dear(order, settlement)
        self.watch(Purchase(order, "received", len(receipts), settlement.charged_usd(order.estimate_usd)))

    def settle_failure(self, record: OrderRecord, fault: Failure) -> None:
        """Settle an order without a picture, or plan it again if it was certainly not billed."""
        order = record.order
        if fault.kind.state == "planned" or _is_tried_again(record, fault):
            self.ledger.orders.unsend(order.order_id, fault.code, fault.message)
            is_limit = fault.kind is FailureKind.rate_limited and record.n_sends >= MOST_LIMITED_SENDS
            if is_limit or fault.kind is FailureKind.stop_run:
                self.close(stop_for(order, fault, self.terms))
            return
        settlement = settlement_of_failure(order, fault, self.terms, None)
        store_end(self.folder, order, settlement)
        self.ledger.orders.settle(order.order_id, settlement)
        self._stop_if_too_dear(order, settlement)
        self.watch(Purchase(order, fault.kind.state, 0, settlement.charged_usd(order.estimate_usd), fault))

    def _stop_if_too_dear(self, order: Order, settlement: Settlement) -> None:
        if error := stop_for_price(order, settlement):
            self.close(error)

    def give_up(self, records: Iterable[OrderRecord], code: str, message: str) -> None:
        """Settle orders as ``unknown``; they stay charged at their estimates.

        Args:
            records: The orders.
            code: The error code to record.
            message: The same for people.
        """
        orders = [record.order for record in records]
        settlement = Settlement("unknown", error_code=code, error_message=message)
        fault = Failure(FailureKind.unknown, code, message)
        for start in range(0, len(orders), TOGETHER):
            some = orders[start : start + TOGETHER]
            settle_together(self.ledger, self.folder, [(order, (settlement, (), None)) for order in some])
            for order in some:
                self.watch(Purchase(order, "unknown", 0, order.estimate_usd, fault))

    def plan_again(self, records: Iterable[OrderRecord], code: str, message: str) -> None:
        """Plan orders again that were certainly not processed.

        Args:
            records: The orders.
            code: The error code to record.
            message: The same for people.
        """
        unsend = self.ledger.orders.begin_unsend
        for move in [unsend(record.order.order_id, code, message) for record in records]:
            move.result()


def _is_tried_again(record: OrderRecord, fault: Failure) -> bool:
    return fault.kind is FailureKind.server_fault and record.n_sends <= len(SERVER_FAULT_BACKOFF_S)


class Collection:
    """One finished batch, being collected.

    Args:
        vendor: The client that reads its files.
        settler: Settles its orders.
        orders: All its orders, which say how large its files may be.
        out: Those without a result so far.
        is_interrupted: Returns whether the run was interrupted; called before each line.
    """

    def __init__(
        self,
        vendor: BatchClient,
        settler: BatchSettler,
        orders: Sequence[Order],
        out: Iterable[OrderRecord],
        is_interrupted: Callable[[], bool],
    ) -> None:
        self._vendor = vendor
        self._settler = settler
        self._out = {record.order.order_id: record for record in out}
        self._orders = orders
        self._is_interrupted = is_interrupted
        self._seen: set[str] = set()
        self._is_gone = False
        self._is_cut = False

    async def collect(self, batch: BatchReport) -> Failure | None:
        """Read both files and settle every order of the batch.

        Args:
            batch: The finished batch as the provider reports it.

        Returns:
            Why it must be collected again later, or ``None``; settled orders stay settled.

        Raises:
            RunoffError: A picture could not be stored; its order is still in the batch.
        """
        for file_id in batch.file_ids if self._out else ():
            if fault := await self._download(file_id):
                return fault
        if self._is_interrupted():
            return Failure(
                FailureKind.unknown, "interrupted", "The run was stopped while it collected results."
            )
        await asyncio.to_thread(self._settle_missing, batch)
        return None

    async def _download(self, file_id: str) -> Failure | None:
        fault = None
        for _ in range(DOWNLOADS):
            try:
                async with self._vendor.lines(file_id, self._orders) as lines:
                    async for line in lines:
                        if self._is_interrupted():
                            return None
                        await asyncio.to_thread(self._settle, line)
            except openai.NotFoundError:
                self._is_gone = True
                return None
            except AnswerTooLargeError:
                self._is_cut = True
                return None  # what lies beyond can hardly be results of these orders
            except (openai.APIError, httpx2.HTTPError) as error:
                fault = self._vendor.failure_of(error)
            else:
                return None
        return fault

    def _settle(self, text: bytes) -> None:
        line = read_line(text)
        if line is None:
            return
        record = self._out.get(line.order_id)
        if record is not None and self._settler.settle_line(record, line):
            del self._out[line.order_id]
        if not line.is_broken:
            self._seen.add(line.order_id)

    def _settle_missing(self, batch: BatchReport) -> None:
        has_all_that_ran = (
            batch.n_ran is not None and len(self._seen) >= batch.n_ran and not (self._is_gone or self._is_cut)
        )
        if batch.status in ("cancelled", "expired") and has_all_that_ran:
            message = f"The batch was {batch.status} before this request was processed."
            self._settler.plan_again(self._out.values(), f"batch_{batch.status}", message)
        elif self._is_gone:
            message = "The provider no longer has the batch's results; it may have billed them."
            self._settler.give_up(self._out.values(), "results_gone", message)
        else:
            message = (
                "The batch has ended without a result for this request; the provider may have billed it."
            )
            self._settler.give_up(self._out.values(), "no_answer", message)
