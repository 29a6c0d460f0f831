"""The bill: every request that the emulator received, in order, with its charge.

A request is charged as soon as its pictures are being made, whether or not the answer arrives: that is how
the vendor bills, and what a client's accounts are checked against.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from decimal import Decimal
from typing import Any

NANOUSD_PER_USD = Decimal(1_000_000_000)


@dataclass(slots=True)
class BillEntry:
    """One request, or one line of a batch; ``None`` is what the request failed too early to show.

    Args:
        number: Its number among all requests, from 1.
        path: The request's path.
        request_id: The ``x-request-id`` answered with.
        client_request_id: The caller's ``X-Client-Request-Id``.
        model: The model in the request.
        quality: Quality tier charged for.
        size: Size of the pictures charged for.
        n: Number of pictures requested.
        prompt: The text.
        status: HTTP status of the answer; ``None`` while there is none.
        usage: Tokens charged for, as in the answer.
        charged_nanousd: What was charged.
        is_answered: Whether the whole answer was delivered to a caller still connected.
        fault: The kind of fault applied to it.
        lane: ``interactive`` for a request to an images endpoint, ``batch`` for a line of a batch.
        batch_id: The batch that the line belongs to.
        custom_id: The line's ``custom_id``.
    """

    number: int
    path: str
    request_id: str
    client_request_id: str | None = None
    model: str | None = None
    quality: str | None = None
    size: str | None = None
    n: int | None = None
    prompt: str | None = None
    status: int | None = None
    usage: Mapping[str, Any] | None = None
    charged_nanousd: int = 0
    is_answered: bool = False
    fault: str | None = None
    lane: str | None = None
    batch_id: str | None = None
    custom_id: str | None = None

    def as_wire(self) -> dict[str, Any]:
        """The entry as JSON of ``GET /_bill``."""
        return {**asdict(self), "charged_usd": usd_text(self.charged_nanousd)}


@dataclass(slots=True)
class Bill:
    """All entries since the emulator was started."""

    entries: list[BillEntry] = field(default_factory=list)

    def open(self, path: str, request_id: str, client_request_id: str | None) -> BillEntry:
        """Note that a request came in.

        Args:
            path: The request's path.
            request_id: The id in its answer.
            client_request_id: The caller's own id, if it sent one.
        """
        entry = BillEntry(len(self.entries) + 1, path, request_id, client_request_id)
        self.entries.append(entry)
        return entry

    def as_wire(self, after: int = 0) -> dict[str, Any]:
        """The bill as JSON of ``GET /_bill``.

        Args:
            after: Leave out entries up to this number; the totals include them.
        """
        charged = sum(entry.charged_nanousd for entry in self.entries)
        lost = sum(entry.charged_nanousd for entry in self.entries if not entry.is_answered)
        return {
            "entries": [entry.as_wire() for entry in self.entries[after:]],
            "total": {
                "requests": len(self.entries),
                "charged_requests": sum(entry.charged_nanousd > 0 for entry in self.entries),
                "charged_usd": usd_text(charged),
                "charged_nanousd": charged,
                "charged_unanswered_usd": usd_text(lost),
                "charged_unanswered_nanousd": lost,
            },
        }


def usd_text(nanousd: int) -> str:
    """Write nano-dollars as exact decimal dollars, never in exponent form.

    Example:
        >>> usd_text(2_176_000)
        '0.002176'
    """
    return f"{(Decimal(nanousd) / NANOUSD_PER_USD).normalize():f}"
