"""The output and error files of a batch, whose pictures are painted while they are read.

Pictures depend only on the request and its replicate, so reading a file twice gives the same bytes, and no
file is held in memory.
"""

import json
import random
from collections.abc import AsyncGenerator, Sequence
from typing import Any

from tasks.emulator.batch import Batch, Outcome
from tasks.emulator.bodies import read_fields
from tasks.emulator.fault_kinds import spoil
from tasks.emulator.images_request import Endpoint, ImagesRequest, read_request, read_upload
from tasks.emulator.state import EmulatorState

ENDPOINTS: dict[str, Endpoint] = {"/v1/images/generations": "generations", "/v1/images/edits": "edits"}


class ResultFile:
    """The output or the error file of a batch.

    Args:
        emulator: What all routes share.
        batch: The batch.
        outcomes: Its lines, in the order written.
        truncated: Index of a line that is cut in the middle; ``None`` for none.
    """

    def __init__(
        self, emulator: EmulatorState, batch: Batch, outcomes: Sequence[Outcome], truncated: int | None = None
    ) -> None:
        self._emulator = emulator
        self._batch = batch
        self._outcomes = outcomes
        self._truncated = truncated
        self._size_bytes: int | None = None

    @property
    def count(self) -> int:
        """Number of lines."""
        return len(self._outcomes)

    async def size_bytes(self) -> int:
        """Number of bytes; painted once to find out."""
        if self._size_bytes is None:
            self._size_bytes = sum([len(await self._text(place)) for place in range(self.count)])
        return self._size_bytes

    async def pieces(self) -> AsyncGenerator[bytes, None]:
        """The lines; each is marked as answered once it has been sent."""
        for place, outcome in enumerate(self._outcomes):
            yield await self._text(place)
            if outcome.entry:
                outcome.entry.is_answered = True

    async def _text(self, place: int) -> bytes:
        outcome = self._outcomes[place]
        text = json.dumps(await self._line(outcome)).encode()
        return (text[: len(text) // 2] if place == self._truncated else text) + b"\n"

    async def _line(self, outcome: Outcome) -> dict[str, Any]:
        request_id = outcome.entry.request_id if outcome.entry else ""
        line = {
            "id": f"batch_req_{self._batch.id.removeprefix('batch_')}_{outcome.line.start}",
            "custom_id": outcome.line.custom_id,
            "response": None,
            "error": None,
        }
        if outcome.status is None:
            return line | {"error": outcome.error}
        body = {"error": outcome.error} if outcome.error else await self._answer(outcome)
        response = {"status_code": outcome.status, "request_id": request_id, "body": body}
        return line | {"response": response}

    async def _answer(self, outcome: Outcome) -> dict[str, Any]:
        assert outcome.count is not None  # a successful line was charged
        order = read_line(self._emulator, self._batch, outcome)
        answer = await self._emulator.renderer.paint(
            order, outcome.replicates, outcome.count, outcome.created_at
        )
        if outcome.rule and outcome.rule.kind == "empty_data":
            usage = {"usage": answer["usage"]} if outcome.entry and outcome.entry.charged_nanousd else {}
            return {"created": outcome.created_at, "data": [], **usage}
        return spoil(outcome.rule.kind, answer) if outcome.rule else answer


def read_line(emulator: EmulatorState, batch: Batch, outcome: Outcome) -> ImagesRequest:
    """Read a successful line's request again, even if its files have been deleted since.

    Args:
        emulator: What all routes share.
        batch: The batch.
        outcome: How the line ended.
    """
    fields = outcome.line.read(batch.path)["body"]
    body = read_fields(fields, emulator.files.kept_picture)
    references = tuple(read_upload("image", data) for data in body.images)
    mask = None if body.mask is None else read_upload("mask", body.mask)
    order = read_request(ENDPOINTS[batch.endpoint], body.fields, batch.day, references, mask)
    return emulator.settle_tier(order, outcome.rule)


def lay_out(emulator: EmulatorState, batch: Batch, unfinished: Sequence[Outcome] = ()) -> None:
    """Create a batch's result files, with lines in any order; no file is created without lines.

    Args:
        emulator: What all routes share.
        batch: The finished batch.
        unfinished: Lines that did not run and are reported as errors.
    """
    chance = random.Random(f"{emulator.settings.seed}:{batch.id}")
    good = [outcome for outcome in batch.outcomes if outcome.is_good]
    bad = [outcome for outcome in batch.outcomes if not outcome.is_good] + list(unfinished)
    for outcomes in (good, bad):
        in_order = [*outcomes]
        if "batch_reversed" not in batch.fates:
            chance.shuffle(outcomes)
        if outcomes == in_order:
            outcomes.reverse()
    if "batch_line_missing" in batch.fates and (good or bad):
        (good or bad).pop(len(good or bad) // 2)
    if "batch_line_doubled" in batch.fates and good:
        good.append(good[len(good) // 2])
    truncated = len(good) // 2 if "batch_line_truncated" in batch.fates else None
    batch.output_file_id = _keep(emulator, batch, "output", ResultFile(emulator, batch, good, truncated))
    batch.error_file_id = _keep(emulator, batch, "error", ResultFile(emulator, batch, bad))


def _keep(emulator: EmulatorState, batch: Batch, name: str, content: ResultFile) -> str | None:
    if not content.count:
        return None
    filename = f"{batch.id}_{name}.jsonl"
    return emulator.files.add(content, filename, "batch_output", batch.results_lifetime_s).id
