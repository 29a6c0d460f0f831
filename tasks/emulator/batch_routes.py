"""The batches endpoint. Source: API reference of batches and the batch guide, checked 2026-11-22."""

# ruff: noqa: EM101 - the literals are names of fields, not messages

from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from tasks.emulator import refusals
from tasks.emulator.batch import Batch
from tasks.emulator.batch_results import ENDPOINTS
from tasks.emulator.batch_work import BatchWork
from tasks.emulator.bill import BillEntry
from tasks.emulator.bodies import read_json
from tasks.emulator.fault_kinds import ANSWER_KINDS, BATCH_FATES
from tasks.emulator.file_routes import lifetime_s
from tasks.emulator.files import DiskContent
from tasks.emulator.paging import page_of
from tasks.emulator.state import EmulatorState

FIELDS = frozenset({"input_file_id", "endpoint", "completion_window", "metadata", "output_expires_after"})
USUALLY_LISTED, MOST_LISTED = 20, 100
MOST_METADATA, LONGEST_KEY, LONGEST_VALUE = 16, 64, 512


class BatchRoutes:
    """Batches.

    Args:
        emulator: What all routes share.
    """

    def __init__(self, emulator: EmulatorState) -> None:
        self._emulator = emulator
        self._work = BatchWork(emulator)
        self._batches: dict[str, Batch] = {}

    async def advance(self) -> None:
        """Advance every batch to the current time."""
        for batch in list(self._batches.values()):
            await self._work.advance(batch)

    async def create(self, request: Request, entry: BillEntry) -> Response:
        """``POST /v1/batches``."""

        async def begin() -> Response:
            batch = self._new(await read_json(request))
            fates = [
                self._emulator.fault_book.choose(entry.path, None, "POST", (kind,)) for kind in BATCH_FATES
            ]
            batch.fates = {fate.kind: fate for fate in fates if fate}
            entry.batch_id, entry.fault = batch.id, entry.fault or next(iter(batch.fates), None)
            self._batches[batch.id] = batch
            return JSONResponse(batch.as_wire())

        return await self._emulator.act(request, entry, begin, ANSWER_KINDS | {"enqueued_limit"})

    def _new(self, fields: dict[str, Any]) -> Batch:
        for name in fields:
            if name not in FIELDS:
                raise refusals.unknown(name)
        for name in ("input_file_id", "endpoint", "completion_window"):
            if not fields.get(name):
                raise refusals.missing(name)
        if fields["endpoint"] not in ENDPOINTS:
            raise refusals.invalid_value("endpoint", fields["endpoint"], ENDPOINTS)
        if fields["completion_window"] != "24h":
            raise refusals.invalid_value("completion_window", fields["completion_window"], ("24h",))
        policy = fields.get("output_expires_after")
        return Batch(
            id=f"batch_emu{self._emulator.settings.seed}_{len(self._batches) + 1:08d}",
            endpoint=fields["endpoint"],
            input_file_id=fields["input_file_id"],
            path=self._input(str(fields["input_file_id"])).path,
            created_at=self._emulator.settings.now_s(),
            window_s=self._emulator.settings.batch_window_s,
            day=self._emulator.settings.today(),
            metadata=_metadata(fields.get("metadata")),
            results_lifetime_s=None if policy is None else lifetime_s("output_expires_after", policy),
        )

    def _input(self, file_id: str) -> DiskContent:
        file = self._emulator.files.get(file_id, "input_file_id")
        if file.purpose != "batch" or not isinstance(file.content, DiskContent):
            message = f"The file {file_id} has the purpose '{file.purpose}'; a batch reads 'batch' files."
            raise refusals.invalid("input_file_id", message)
        return file.content

    async def list(self, request: Request, entry: BillEntry) -> Response:
        """``GET /v1/batches``: newest first."""

        async def respond() -> Response:
            await self.advance()
            newest = [*reversed(self._batches.values())]
            page, has_more = page_of(newest, request.query_params, USUALLY_LISTED, MOST_LISTED)
            data = [batch.as_wire() for batch in page]
            ids = {"first_id": data[0]["id"], "last_id": data[-1]["id"]} if data else {}
            return JSONResponse({"object": "list", "data": data, "has_more": has_more, **ids})

        return await self._emulator.act(request, entry, respond)

    async def show(self, request: Request, entry: BillEntry) -> Response:
        """``GET /v1/batches/{id}``."""
        entry.batch_id = request.path_params["id"]

        async def respond() -> Response:
            batch = self._get(request)
            await self._work.advance(batch)
            return JSONResponse(batch.as_wire())

        gone = {"batch_gone": refusals.no_such_batch(request.path_params["id"])}
        return await self._emulator.act(request, entry, respond, ANSWER_KINDS | {"batch_gone"}, gone)

    async def cancel(self, request: Request, entry: BillEntry) -> Response:
        """``POST /v1/batches/{id}/cancel``."""
        entry.batch_id = request.path_params["id"]

        async def stop() -> Response:
            batch = self._get(request)
            await self._work.cancel(batch)
            return JSONResponse(batch.as_wire())

        return await self._emulator.act(request, entry, stop)

    def _get(self, request: Request) -> Batch:
        id = request.path_params["id"]
        if id not in self._batches:
            raise refusals.no_such_batch(id)
        return self._batches[id]


def _metadata(metadata: object) -> dict[str, str] | None:
    if metadata is None:
        return None
    if not isinstance(metadata, dict) or len(metadata) > MOST_METADATA:
        message = f"Invalid 'metadata': expected an object with at most {MOST_METADATA} keys."
        raise refusals.invalid("metadata", message)
    for key, value in metadata.items():
        if len(key) > LONGEST_KEY or not isinstance(value, str) or len(value) > LONGEST_VALUE:
            message = (
                f"Invalid 'metadata.{key}': at most {LONGEST_KEY} characters, and {LONGEST_VALUE} of text."
            )
            raise refusals.invalid("metadata", message)
    return metadata
