"""Reads kept answers again: pictures that could not be fetched, and shapes that nobody could read before.

Nothing is bought: fetching a picture that was paid for is a request for a file. An order whose answer can be
read now becomes ``received``, at the cost that the answer tells; any other stays as it is.
"""

import contextlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import Thread

from tasks.errors import RunoffError
from tasks.images_api.answer_bounds import most_bytes
from tasks.images_api.answers import Answer
from tasks.images_api.picture_files import body_file, store_answer
from tasks.images_api.reading import reader_of
from tasks.images_api.settlements import settlement_of
from tasks.images_api.terms import Terms
from tasks.ledger import Ledger, OrderRecord

AT_ONCE = 8
"""How many pictures are fetched at the same time."""
KEPT_FACTOR = 3
"""How much longer a kept answer may be than it was as sent: JSON writes two bytes of a letter as six."""

Found = tuple[Answer, Terms] | str
"""What a kept answer holds, and by whose terms; or why nothing can be made of it."""


@dataclass(frozen=True, slots=True)
class Reread:
    """What came of reading a kept answer again.

    Args:
        run_id: The run.
        order_id: The order.
        n_pictures: How many pictures it has now; 0 where it still has none.
        charged_usd: What it is charged now, dollars.
        reason: Why it has none; empty where it has.
    """

    run_id: str
    order_id: str
    n_pictures: int
    charged_usd: Decimal
    reason: str = ""


def kept_orders(ledger: Ledger, run_id: str, folder: Path) -> list[OrderRecord]:
    """List the unknown orders of a run whose answer is kept and that were not bought again.

    Args:
        ledger: The ledger.
        run_id: The run.
        folder: The run's folder.
    """
    return [
        one.record
        for one in ledger.reconciliations.unknown(run_id)
        if one.resent_as is None and (folder / body_file(one.record.order)).is_file()
    ]


def reread(
    ledger: Ledger,
    records: Sequence[OrderRecord],
    folder: Path,
    terms_of: Callable[[str], Terms],
    *,
    takes_part: bool = False,
) -> Iterator[Reread]:
    """Read the kept answers of orders of one run again, as they come. Call it only under the run lock.

    Args:
        ledger: The ledger.
        records: The orders, from ``kept_orders``.
        folder: The run's folder.
        terms_of: Returns the terms of a provider by its name.
        takes_part: Whether pictures that are there count though others of their order could not be fetched.

    Raises:
        SettingError: A picture could not be stored; its order stays as it is.
    """
    for record, found in _as_they_come(partial(_read, folder, terms_of, takes_part=takes_part), records):
        order = record.order
        if isinstance(found, str):
            yield Reread(order.run_id, order.order_id, 0, record.charged_usd, found)
            continue
        answer, terms = found
        latency_s = record.settlement.latency_s if record.settlement else None
        receipts = store_answer(folder, order, answer, latency_s)
        settlement = settlement_of(
            order,
            answer.usage,
            terms,
            latency_s=latency_s,
            vendor_request_id=answer.vendor_request_id,
            n_pictures=len(receipts),
            reported_usd=answer.reported_usd,
        )
        ledger.orders.settle(order.order_id, settlement, receipts, answer.content, is_reread=True)
        charged_usd = settlement.charged_usd(order.estimate_usd)
        yield Reread(order.run_id, order.order_id, len(receipts) or 1, charged_usd)


def _as_they_come(
    read: Callable[[OrderRecord], Found], records: Sequence[OrderRecord]
) -> Iterator[tuple[OrderRecord, Found]]:
    """Read a few at a time, in threads that no stop waits for: a fetch takes minutes, and costs nothing."""
    waiting: SimpleQueue[OrderRecord] = SimpleQueue()
    done: SimpleQueue[tuple[OrderRecord, Found | BaseException]] = SimpleQueue()
    for record in records:
        waiting.put(record)

    def work() -> None:
        with contextlib.suppress(Empty):
            while True:
                record = waiting.get_nowait()
                try:
                    done.put((record, read(record)))
                except BaseException as error:  # raised where it is awaited
                    done.put((record, error))

    for _ in records[:AT_ONCE]:
        Thread(target=work, daemon=True).start()
    try:
        for _ in records:
            record, found = done.get()
            if isinstance(found, BaseException):
                raise found
            yield record, found
    finally:
        with contextlib.suppress(Empty):
            while True:
                waiting.get_nowait()


def _read(folder: Path, terms_of: Callable[[str], Terms], record: OrderRecord, *, takes_part: bool) -> Found:
    """Read one kept answer. What is there may be anything by now; it stays as it is."""
    order, end = record.order, record.settlement
    file = folder / body_file(order)
    try:
        terms = terms_of(order.provider)
        reader = reader_of(order, folder, terms, takes_part=takes_part)
        if (n_bytes := file.stat().st_size) > KEPT_FACTOR * most_bytes(order):
            return f"{body_file(order)} has {n_bytes:,} bytes, more than any answer to it has"
        text = file.read_text(encoding="utf-8", errors="replace")
    except (RunoffError, OSError) as error:
        return str(error)
    headers = {"x-request-id": end.vendor_request_id} if end and end.vendor_request_id else {}
    answer = reader.read_kept(text, headers)
    return (answer, terms) if isinstance(answer, Answer) else answer.message
