"""Processes a batch: checks it, runs its lines as time passes, and ends it."""

# ruff: noqa: EM101 - the literals are names of fields, not messages

import asyncio

from tasks.emulator import refusals
from tasks.emulator.batch import Batch, Outcome
from tasks.emulator.batch_input import LINES_BETWEEN_PAUSES, InputCheck, Line
from tasks.emulator.batch_results import ENDPOINTS, lay_out
from tasks.emulator.bill import BillEntry
from tasks.emulator.bodies import read_fields
from tasks.emulator.fault_kinds import BATCH_LINE_KINDS, is_billed, refusal_for
from tasks.emulator.faults import FaultRule
from tasks.emulator.refusals import Refusal
from tasks.emulator.state import EmulatorState, text_of

EXPIRED = {
    "code": "batch_expired",
    "message": "This request could not be executed before the completion window expired.",
}
LOST = {"code": "server_error", "message": "The request could not be executed."}


class BatchWork:
    """Advances batches.

    Args:
        emulator: What all routes share.
    """

    def __init__(self, emulator: EmulatorState) -> None:
        self._emulator = emulator

    async def advance(self, batch: Batch) -> None:
        """Advance a batch to the current time."""
        async with batch.lock:
            now_s, pace_s = self._emulator.settings.now_s(), self._emulator.settings.batch_pace_s
            if batch.status == "validating" and now_s >= batch.created_at + pace_s:
                await self._validate(batch, batch.created_at + pace_s)
            if batch.status == "in_progress":
                await self._run_lines(batch, now_s)
            if batch.status == "finalizing" and now_s >= batch.times["finalizing_at"] + pace_s:
                lay_out(self._emulator, batch)
                batch.enter("completed", batch.times["finalizing_at"] + pace_s)
            if batch.status == "cancelling" and now_s >= batch.times["cancelling_at"] + pace_s:
                lay_out(self._emulator, batch)
                batch.enter("cancelled", batch.times["cancelling_at"] + pace_s)

    async def cancel(self, batch: Batch) -> None:
        """Cancel a batch; finished lines stay.

        Raises:
            Refusal: It is finished already.
        """
        await self.advance(batch)
        if batch.is_over:
            raise Refusal(409, f"Cannot cancel a batch with status '{batch.status}'.")
        if batch.status != "cancelling":
            batch.enter("cancelling", self._emulator.settings.now_s())

    async def _validate(self, batch: Batch, at_s: float) -> None:
        if rule := batch.fates.get("batch_invalid"):
            batch.errors = [_fault_on_demand(rule)]
            batch.enter("failed", at_s)
            return
        check = InputCheck(batch.endpoint, self._emulator.settings)
        await check.read(batch.path)
        if check.faults:
            batch.errors = check.faults
            batch.enter("failed", at_s)
            return
        batch.lines, batch.model = check.lines, check.model
        batch.enter("in_progress", at_s)

    async def _run_lines(self, batch: Batch, now_s: float) -> None:
        pace_s, begun_s = self._emulator.settings.batch_pace_s, batch.times["in_progress_at"]
        fate = batch.fates.get("batch_expires")
        most = int(fate.share * len(batch.lines)) if fate else len(batch.lines)
        while len(batch.outcomes) < most:
            due_s = begun_s + (len(batch.outcomes) + 1) * pace_s
            if due_s > now_s or due_s >= batch.expires_at:
                break
            batch.outcomes.append(self._run(batch, batch.lines[len(batch.outcomes)], due_s))
            if len(batch.outcomes) % LINES_BETWEEN_PAUSES == 0:
                await asyncio.sleep(0)
        done = len(batch.outcomes)
        if done == len(batch.lines):
            batch.enter("finalizing", begun_s + done * pace_s)
        elif fate and done == most:
            self._expire(batch, begun_s + done * pace_s)
        elif now_s >= batch.expires_at:
            self._expire(batch, batch.expires_at)

    def _expire(self, batch: Batch, at_s: float) -> None:
        rest = [Outcome(line, None, error=EXPIRED) for line in batch.lines[len(batch.outcomes) :]]
        lay_out(self._emulator, batch, rest)
        batch.outcomes += rest
        batch.window_s = min(batch.window_s, at_s - batch.created_at)
        batch.enter("expired", at_s)

    def _run(self, batch: Batch, line: Line, at_s: float) -> Outcome:
        entry = self._emulator.open_entry(batch.endpoint)
        entry.lane, entry.batch_id, entry.custom_id, entry.model = (
            "batch", batch.id, line.custom_id, batch.model,
        )  # fmt: skip
        try:
            outcome = self._answer(batch, line, entry, int(at_s))
        except Refusal as refusal:
            outcome = Outcome(line, entry, refusal.status, refusal.error)
        entry.status = outcome.status
        return outcome

    def _answer(self, batch: Batch, line: Line, entry: BillEntry, created_at: int) -> Outcome:
        emulator = self._emulator
        body = read_fields(line.read(batch.path)["body"], emulator.files.kept_picture)
        entry.prompt = text_of(body.fields.get("prompt"))
        if "batch_all_failed" in batch.fates:
            entry.fault = "batch_all_failed"
            message = (
                f"The server had an error while processing your request. (request ID {entry.request_id})"
            )
            raise Refusal(500, message, type="server_error")
        rule = emulator.fault_book.choose(entry.path, entry.prompt, "BATCH", BATCH_LINE_KINDS)
        entry.fault = rule.kind if rule else None
        if rule and not is_billed(rule) and (outcome := _failed(rule, line, entry)):
            return outcome
        order = emulator.settle_tier(emulator.read_order(ENDPOINTS[batch.endpoint], body), rule)
        if order.stream:
            raise refusals.invalid("stream", "Streaming is not supported in a batch.", "unsupported_value")
        replicates = emulator.renderer.take(order, line.custom_id)
        count = emulator.charge(order, entry, rule)
        if rule and (outcome := _failed(rule, line, entry)):
            outcome.count = count
            return outcome
        return Outcome(line, entry, 200, None, replicates, count, created_at, rule)


def _failed(rule: FaultRule, line: Line, entry: BillEntry) -> Outcome | None:
    """The outcome of a line with a fault, or ``None`` when its pictures are made all the same."""
    if refusal := refusal_for(rule, entry.request_id, entry.model):
        return Outcome(line, entry, refusal.status, refusal.error)
    return Outcome(line, entry, None, LOST) if rule.kind in ("drop", "bill_then_drop") else None


def _fault_on_demand(rule: FaultRule) -> dict[str, object]:
    if rule.code == "token_limit_exceeded":
        error = refusals.queue_full("gpt-image").error
        return {"code": rule.code, "line": None, "message": error["message"], "param": None}
    code = rule.code or "invalid_json_line"
    message = "This line is not parseable as valid JSON." if rule.code is None else code
    return {"code": code, "line": 1, "message": message, "param": None}
