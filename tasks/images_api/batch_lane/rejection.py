"""Reads why the provider rejected a whole batch file, and which orders are at fault.

Nothing of a rejected file ran. Where the provider names lines, those orders have failed and the others may be
submitted again. Where it names none, or every line for a shared reason, submitting again would fail again.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from tasks.images_api.batch_lane.report import BatchReport
from tasks.images_api.failures import MODEL_GONE, Failure, FailureKind, Remedy
from tasks.ledger import OrderRecord

NO_REASON = "batch_failed"
_OF_ALL = (MODEL_GONE, "invalid_model", "model_mismatch", "url_mismatch", "token_limit_exceeded")
"""Codes about the batch as a whole, whatever line they name."""


@dataclass(frozen=True, slots=True)
class Rejection:
    """Why a batch was rejected.

    Args:
        named: The orders at fault, each with what is wrong.
        fault: The first fault of the batch, for the orders that are planned again.
    """

    named: Sequence[tuple[OrderRecord, Failure]]
    fault: Failure


def rejected_orders(batch: BatchReport, out: Sequence[OrderRecord], file: Path) -> Rejection:
    """Find the orders because of which a batch was rejected.

    Args:
        batch: A batch with the status ``failed``.
        out: Its orders without a result.
        file: The lines as they were uploaded.
    """
    faults = [
        (
            fault.line,
            Failure(
                FailureKind.rejected,
                fault.code or NO_REASON,
                fault.message or "no reason given",
                remedy=Remedy.model if fault.code == MODEL_GONE else Remedy.account,
            ),
        )
        for fault in batch.faults
    ]
    first = faults[0][1] if faults else Failure(FailureKind.rejected, NO_REASON, "no reason given")
    own = {line: fault for line, fault in faults if line is not None and fault.code not in _OF_ALL}
    by_id = {record.order.order_id: record for record in out}
    named = [
        (by_id[order_id], own[line])
        for line, order_id in enumerate(_ids(file), 1)
        if line in own and order_id in by_id
    ]
    return Rejection(named, first)


def _ids(file: Path) -> Iterator[str]:
    """Read the order id of each line; empty when the file is missing."""
    if file.exists():
        with file.open("rb") as lines:
            for line in lines:
                yield json.loads(line)["custom_id"]
