"""Recovery of `sent` orders: what a killed process left unsettled is settled from its sidecars.

An order whose pictures are whole is received. Any other may have been billed: it becomes unknown and stays
charged at its estimate.
"""

import hashlib
import json
from pathlib import Path
from typing import Any

from tasks.candidate import Receipt
from tasks.images_api.answer_store import (
    ANSWERS,
    STAGE_FOLDERS,
    receipt_of,
    settlement_of,
    sidecar_file,
    stem_of,
)
from tasks.images_api.answers import check_picture
from tasks.images_api.terms import Terms
from tasks.ledger import Ledger, Settlement
from tasks.order import Order, Usage
from tasks.storage.atomic import PART_PATTERN

_Found = tuple[Settlement, list[Receipt], str | None]


def recover_sent(ledger: Ledger, run_id: str, folder: Path, terms: Terms) -> dict[str, int]:
    """Settle orders that an earlier process left ``sent``. Call it only under the run lock.

    An order whose pictures are complete becomes ``received``, at the cost in its sidecar if there is one. An
    order in an unfinished batch is left alone. Any other may have been billed: it becomes ``unknown`` and
    stays charged.

    Args:
        ledger: The ledger.
        run_id: The run.
        folder: The run's folder.
        terms: The provider's terms.

    Returns:
        How many orders became ``received`` and how many ``unknown``.
    """
    counts = {"received": 0, "unknown": 0}
    out = ledger.batches.ids_out(run_id)
    for record in ledger.orders.of_run(run_id, "sent"):
        found = _by_sidecar(folder, record.order, terms)
        if found is None and record.order.order_id in out:
            continue
        settlement, receipts, content = found or _without_sidecar(folder, record.order, terms)
        ledger.orders.settle(record.order.order_id, settlement, receipts, content)
        counts[settlement.state] += 1
    for place in (*STAGE_FOLDERS.values(), ANSWERS):
        for part in (folder / place).glob(PART_PATTERN):
            part.unlink()
    return counts


def _by_sidecar(folder: Path, order: Order, terms: Terms) -> _Found | None:
    sidecar = sidecar_file(folder, order.order_id)
    if not sidecar.exists():
        return None
    facts: dict[str, Any] = json.loads(sidecar.read_bytes())
    receipts = [Receipt(**picture) for picture in facts["pictures"]]
    if not all(_is_whole(folder, receipt) for receipt in receipts):
        return None
    usage = Usage(**facts["usage"])
    request_id, latency_s = facts["vendor_request_id"], facts["latency_s"]
    settlement = settlement_of(order, usage, terms, latency_s=latency_s, vendor_request_id=request_id)
    return settlement, receipts, facts.get("content")


def _without_sidecar(folder: Path, order: Order, terms: Terms) -> _Found:
    if receipts := _pictures_without_sidecar(folder, order):
        return settlement_of(order, Usage(), terms, latency_s=None, vendor_request_id=None), receipts, None
    message = "The process ended before the answer was stored; the provider may have billed it."
    return Settlement("unknown", error_code="interrupted", error_message=message), [], None


def _is_whole(folder: Path, receipt: Receipt) -> bool:
    file = folder / receipt.file
    return file.exists() and hashlib.sha256(file.read_bytes()).hexdigest() == receipt.sha256


def _pictures_without_sidecar(folder: Path, order: Order) -> list[Receipt]:
    receipts = []
    for index in range(order.n if order.stage in STAGE_FOLDERS else 0):
        stem = folder / stem_of(order, index)
        for file in stem.parent.glob(f"{stem.name}.*"):
            if file.suffix == ".json":  # the lineage of a final, not a picture
                continue
            picture = check_picture(file.read_bytes(), order)
            receipts.append(receipt_of(order, index, file.relative_to(folder).as_posix(), picture))
    return receipts
