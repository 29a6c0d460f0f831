"""One batch: its timeline, its lines' outcomes, and its JSON for the batches endpoint.

Nothing runs in the background. Whenever a batch is read, it catches up with the clock: equal clocks give
equal batches, and a test's clock can make a day pass at once.
"""

import asyncio
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any, Literal

from tasks.emulator.batch_input import Line
from tasks.emulator.bill import BillEntry
from tasks.emulator.faults import FaultRule
from tasks.emulator.replicates import Replicate
from tasks.emulator.tokens import TokenCount

Status = Literal[
    "validating", "failed", "in_progress", "finalizing", "completed", "expired", "cancelling", "cancelled"
]
OVER: frozenset[Status] = frozenset({"failed", "completed", "expired", "cancelled"})


@dataclass(slots=True, eq=False)
class Outcome:
    """The outcome of a line.

    Args:
        line: The line.
        entry: Its entry on the bill; ``None`` when it did not run.
        status: HTTP status of its answer; ``None`` when it has none.
        error: The ``error`` object of an error answer, or of a line without an answer.
        replicates: The pictures it gets.
        count: The tokens it used.
        created_at: Seconds since 1970.
        rule: The fault applied to its answer.
    """

    line: Line
    entry: BillEntry | None
    status: int | None = None
    error: dict[str, Any] | None = None
    replicates: list[Replicate] = field(default_factory=list)
    count: TokenCount | None = None
    created_at: int = 0
    rule: FaultRule | None = None

    @property
    def is_good(self) -> bool:
        """Whether it belongs in the output file."""
        return self.error is None


@dataclass(slots=True)
class Batch:
    """One batch.

    Args:
        id: Its name.
        endpoint: The endpoint of its lines.
        input_file_id: The file with the lines.
        path: Where that file is.
        created_at: Seconds since 1970.
        window_s: Seconds until it expires.
        day: The date that decides which models are retired.
        metadata: The caller's metadata.
        results_lifetime_s: Seconds until its files expire; ``None`` for never.
        fates: The faults that apply to it, by kind.
    """

    id: str
    endpoint: str
    input_file_id: str
    path: Path
    created_at: float
    window_s: float
    day: date
    metadata: Mapping[str, str] | None = None
    results_lifetime_s: int | None = None
    fates: Mapping[str, FaultRule] = field(default_factory=dict)
    status: Status = "validating"
    model: str | None = None
    lines: list[Line] = field(default_factory=list)
    outcomes: list[Outcome] = field(default_factory=list)
    errors: list[dict[str, Any]] = field(default_factory=list)
    output_file_id: str | None = None
    error_file_id: str | None = None
    times: dict[str, float] = field(default_factory=dict)
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)

    @property
    def expires_at(self) -> float:
        """Seconds since 1970."""
        return self.created_at + self.window_s

    @property
    def is_over(self) -> bool:
        """Whether it is finished."""
        return self.status in OVER

    def enter(self, status: Status, at_s: float) -> None:
        """Change the status at a moment, seconds since 1970."""
        self.status = status
        self.times[f"{status}_at"] = at_s

    def as_wire(self) -> dict[str, Any]:
        """The batch as JSON of the batches endpoint."""
        names = ("in_progress", "finalizing", "completed", "failed", "expired", "cancelling", "cancelled")
        times = {f"{name}_at": self.times.get(f"{name}_at") for name in names}
        ran = Counter(outcome.is_good for outcome in self.outcomes)
        return {
            "id": self.id,
            "object": "batch",
            "endpoint": self.endpoint,
            "model": self.model,
            "errors": {"object": "list", "data": self.errors} if self.errors else None,
            "input_file_id": self.input_file_id,
            "completion_window": "24h",
            "status": self.status,
            "output_file_id": self.output_file_id,
            "error_file_id": self.error_file_id,
            "created_at": int(self.created_at),
            "expires_at": int(self.expires_at),
            **{name: None if at_s is None else int(at_s) for name, at_s in times.items()},
            "request_counts": {"total": len(self.lines), "completed": ran[True], "failed": ran[False]},
            "usage": self._usage(),
            "metadata": self.metadata,
        }

    def _usage(self) -> dict[str, Any]:
        charged = (outcome for outcome in self.outcomes if outcome.entry and outcome.entry.charged_nanousd)
        counts = [outcome.count for outcome in charged if outcome.count]
        inputs = sum(count.text_input + count.image_input for count in counts)
        outputs = sum(count.output for count in counts)
        return {
            "input_tokens": inputs,
            "input_tokens_details": {"cached_tokens": 0},
            "output_tokens": outputs,
            "output_tokens_details": {"reasoning_tokens": 0},
            "total_tokens": inputs + outputs,
        }
