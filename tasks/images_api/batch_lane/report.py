"""What a provider reports of a batch, as far as it has the shape that it should have.

The SDK passes on whatever it received, so a count may be a text and a status a list. A file's name that
cannot be one is no file, and a count that cannot be one is unknown.
"""

from dataclasses import dataclass

from openai.types import Batch

from tasks.images_api.error_body import READ_CHARS
from tasks.limits import BATCH_FAULTS

UNREADABLE_STATUS = "unreadable"
"""In place of a status that is no text: nothing follows from it, so the batch is looked at again later."""


@dataclass(frozen=True, slots=True)
class BatchFault:
    """One fault for which the provider rejected a batch.

    Args:
        line: The line of the file at fault, from 1; ``None`` when it is about the whole batch.
        code: The provider's code; empty if none.
        message: For people; empty if none.
    """

    line: int | None
    code: str
    message: str


@dataclass(frozen=True, slots=True)
class BatchReport:
    """A batch at the provider.

    Args:
        id: The provider's id of it.
        status: The provider's word, or ``unreadable``.
        file_ids: The files of results, those that succeeded first.
        n_ran: How many requests were processed; ``None`` when not known.
        faults: Why it was rejected.
    """

    id: str
    status: str
    file_ids: tuple[str, ...]
    n_ran: int | None
    faults: tuple[BatchFault, ...]


def read_batch(batch: Batch) -> BatchReport:
    """Read what the SDK received.

    Args:
        batch: A batch with an id.
    """
    files = (getattr(batch, name, None) for name in ("output_file_id", "error_file_id"))
    counts = [_count(getattr(batch.request_counts, name, None)) for name in ("completed", "failed")]
    reported = getattr(batch.errors, "data", None)
    faults = reported[:BATCH_FAULTS] if isinstance(reported, list) else []
    status = batch.status
    return BatchReport(
        id=batch.id,
        status=status if isinstance(status, str) and status.isidentifier() else UNREADABLE_STATUS,
        file_ids=tuple(name for name in files if isinstance(name, str) and name),
        n_ran=None if None in counts else sum(count for count in counts if count is not None),
        faults=tuple(_fault(each) for each in faults),
    )


def _count(value: object) -> int | None:
    return value if type(value) is int and value >= 0 else None


def _fault(reported: object) -> BatchFault:
    code, message = (getattr(reported, name, None) for name in ("code", "message"))
    return BatchFault(
        line=_count(getattr(reported, "line", None)),
        code=str(code or "")[:READ_CHARS],
        message=str(message or "")[:READ_CHARS],
    )
