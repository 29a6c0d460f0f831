"""What was bought is safe before the ledger says so: the pictures and a sidecar, then the settlement.

The bytes are written as they came. The sidecar ``answers/<order_id>.json`` holds what the ledger will be
told, so that a process killed between the two loses nothing: ``recover_sent`` settles from it on resume.
"""

import hashlib
import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from tasks.candidate import Receipt
from tasks.errors import SettingError
from tasks.images_api.answers import Answer, Picture, check_picture
from tasks.images_api.failures import Failure
from tasks.images_api.terms import Terms
from tasks.ledger import Ledger, Settlement
from tasks.order import Order, Usage
from tasks.storage.atomic import PART_PATTERN, write_together

STAGE_FOLDERS = {"draft": "drafts", "final": "finals"}
ANSWERS = "answers"
_ENDINGS = {"jpeg": "jpg"}
_Found = tuple[Settlement, list[Receipt], str | None]


def store_answer(folder: Path, order: Order, answer: Answer, latency_s: float | None) -> list[Receipt]:
    """Write an answer's pictures and its sidecar below the run's folder, safe against a power cut.

    Returns:
        A receipt for each picture.

    Raises:
        SettingError: The disk is full or not writable, or the run's folder is gone; nothing was kept.
    """
    if not folder.is_dir():  # made anew it would be a run without its campaign
        raise SettingError(where=str(folder), what="the run's folder is gone")
    receipts, files = [], []
    for index, picture in enumerate(answer.pictures):
        ending = _ENDINGS.get(picture.ending, picture.ending)
        receipt = _receipt(order, index, f"{_stem(order, index)}.{ending}", picture)
        receipts.append(receipt)
        files.append((folder / receipt.file, picture.data))
    sidecar = {
        "order_id": order.order_id,
        "parameters": dict(order.parameters),
        "vendor_request_id": answer.vendor_request_id,
        "latency_s": latency_s,
        "usage": asdict(answer.usage),
        "pictures": [asdict(receipt) for receipt in receipts],
        "content": answer.content,
    }
    files.append((sidecar_file(folder, order.order_id), json.dumps(sidecar, indent=1).encode()))
    write_together(files)
    return receipts


def _receipt(order: Order, index: int, file: str, picture: Picture) -> Receipt:
    return Receipt(
        order_id=order.order_id,
        index=index,
        replicate=order.replicate + index,
        file=file,
        sha256=hashlib.sha256(picture.data).hexdigest(),
        n_bytes=len(picture.data),
        downgraded=picture.downgraded,
    )


def sidecar_file(folder: Path, order_id: str) -> Path:
    """Name an order's sidecar below the run's folder."""
    return folder / ANSWERS / f"{order_id}.json"


def settlement_of(
    order: Order, usage: Usage, terms: Terms, *, latency_s: float | None, vendor_request_id: str | None
) -> Settlement:
    """Settle an order whose pictures are safe: what its usage says, else its estimate."""
    return Settlement(
        state="received",
        cost_usd=terms.cost_usd(order, usage),
        usage=usage,
        latency_s=latency_s,
        vendor_request_id=vendor_request_id,
        is_charged=True,
    )


def settlement_of_failure(order: Order, fault: Failure, terms: Terms, latency_s: float | None) -> Settlement:
    """Settle an order that brought no picture: free, or at its usage, or unknown at its estimate."""
    usage = fault.usage or Usage()
    return Settlement(
        state=fault.kind.state,
        cost_usd=terms.cost_usd(order, usage),
        usage=usage,
        latency_s=latency_s,
        vendor_request_id=fault.vendor_request_id,
        error_code=fault.code,
        error_message=fault.message,
    )


def recover_sent(ledger: Ledger, run_id: str, folder: Path, terms: Terms) -> dict[str, int]:
    """Settle what an earlier process left ``sent``. Call it only while no other process works on the run.

    An order whose pictures are whole is received, at its known cost where its sidecar tells it. One in a
    batch that is not over is out by right. Any other may or may not have been billed: it becomes unknown and
    stays charged.

    Returns:
        How many orders became ``received`` and how many ``unknown``.
    """
    healed = {"received": 0, "unknown": 0}
    out = ledger.batches.ids_out(run_id)
    for record in ledger.orders.of_run(run_id, "sent"):
        found = _by_sidecar(folder, record.order, terms)
        if found is None and record.order.order_id in out:
            continue
        settlement, receipts, content = found or _without_sidecar(folder, record.order, terms)
        ledger.orders.settle(record.order.order_id, settlement, receipts, content)
        healed[settlement.state] += 1
    for place in (*STAGE_FOLDERS.values(), ANSWERS):
        for part in (folder / place).glob(PART_PATTERN):
            part.unlink()
    return healed


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
    message = "The process ended before the answer was kept; the provider may have billed it."
    return Settlement("unknown", error_code="interrupted", error_message=message), [], None


def _is_whole(folder: Path, receipt: Receipt) -> bool:
    file = folder / receipt.file
    return file.exists() and hashlib.sha256(file.read_bytes()).hexdigest() == receipt.sha256


def _pictures_without_sidecar(folder: Path, order: Order) -> list[Receipt]:
    receipts = []
    for index in range(order.n if order.stage in STAGE_FOLDERS else 0):
        stem = folder / _stem(order, index)
        for file in stem.parent.glob(f"{stem.name}.*"):
            if file.suffix == ".json":  # the lineage of a final, no picture
                continue
            picture = check_picture(file.read_bytes(), order)
            receipts.append(_receipt(order, index, file.relative_to(folder).as_posix(), picture))
    return receipts


def _stem(order: Order, index: int) -> str:
    return f"{STAGE_FOLDERS[order.stage]}/{order.file_stem(index)}"
