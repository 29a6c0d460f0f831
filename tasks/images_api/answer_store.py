"""Stores answers: pictures and a sidecar file first, the settlement in the ledger second.

The bytes are written as received. The sidecar ``answers/<order_id>.json`` holds what the ledger will record,
so that a process killed between the two loses nothing: ``recover_sent`` settles from it on resume.
"""

import hashlib
import json
from dataclasses import asdict
from pathlib import Path

from tasks.candidate import Receipt
from tasks.errors import SettingError
from tasks.images_api.answers import Answer, Picture
from tasks.images_api.failures import Failure
from tasks.images_api.terms import Terms
from tasks.ledger import Settlement
from tasks.order import Order, Usage
from tasks.storage.atomic import write_together

STAGE_FOLDERS = {"draft": "drafts", "final": "finals"}
ANSWERS = "answers"
_ENDINGS = {"jpeg": "jpg"}


def store_answer(folder: Path, order: Order, answer: Answer, latency_s: float | None) -> list[Receipt]:
    """Write an answer's pictures and its sidecar below the run's folder, synced to disk.

    Args:
        folder: The run's folder.
        order: The order.
        answer: Its answer.
        latency_s: Seconds from sending to the end of the answer; ``None`` when not measured.

    Returns:
        A receipt for each picture.

    Raises:
        SettingError: The disk is full or not writable, or the run's folder is missing; nothing was stored.
    """
    if not folder.is_dir():  # if created again it would lack the run's campaign
        raise SettingError(where=str(folder), what="the run's folder is missing")
    receipts, files = [], []
    for index, picture in enumerate(answer.pictures):
        ending = _ENDINGS.get(picture.ending, picture.ending)
        receipt = receipt_of(order, index, f"{stem_of(order, index)}.{ending}", picture)
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


def receipt_of(order: Order, index: int, file: str, picture: Picture) -> Receipt:
    """Make the receipt of one picture.

    Args:
        order: The order that paid for it.
        index: Its place in the answer, from 0.
        file: Path relative to the run's folder.
        picture: Its bytes, and what differs from the request.
    """
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
    """Return the path of an order's sidecar below the run's folder."""
    return folder / ANSWERS / f"{order_id}.json"


def settlement_of(
    order: Order, usage: Usage, terms: Terms, *, latency_s: float | None, vendor_request_id: str | None
) -> Settlement:
    """Build the settlement of an order whose answer is stored: its cost by usage, else its estimate.

    Args:
        order: The order.
        usage: The tokens that the provider reported.
        terms: The provider's terms.
        latency_s: Seconds from sending to the end of the answer; ``None`` when not measured.
        vendor_request_id: The provider's id of the request, if known.
    """
    return Settlement(
        state="received",
        cost_usd=terms.cost_usd(order, usage),
        usage=usage,
        latency_s=latency_s,
        vendor_request_id=vendor_request_id,
        is_charged=True,
    )


def settlement_of_failure(order: Order, fault: Failure, terms: Terms, latency_s: float | None) -> Settlement:
    """Build the settlement of an order without a picture: free, by usage, or unknown at its estimate.

    Args:
        order: The order.
        fault: Why it has no picture.
        terms: The provider's terms.
        latency_s: Seconds from sending to the failure; ``None`` when not measured.
    """
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


def stem_of(order: Order, index: int) -> str:
    """Return the path of an order's picture below the run's folder, without its ending."""
    return f"{STAGE_FOLDERS[order.stage]}/{order.file_stem(index)}"
