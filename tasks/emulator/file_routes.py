"""The files endpoint. Source: API reference of files, and answers seen in public, checked 2026-11-22."""

# ruff: noqa: EM101, EM102 - the literals are names of fields, not messages

import shutil
from collections.abc import Mapping
from typing import Any

import anyio
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from tasks.emulator import refusals
from tasks.emulator.bill import BillEntry
from tasks.emulator.delivery import Pieces, cut
from tasks.emulator.fault_kinds import DOWNLOAD_KINDS
from tasks.emulator.files import DiskContent, StoredFile
from tasks.emulator.paging import page_of
from tasks.emulator.state import EmulatorState

PURPOSES = ("batch", "vision", "user_data")
BATCH_FILE_LIFETIME_S = 30 * 24 * 3600
SHORTEST_LIFETIME_S, LONGEST_LIFETIME_S = 3_600, 2_592_000
MOST_LISTED = 10_000


class FileRoutes:
    """The routes of uploads and of batches' result files.

    Args:
        emulator: What all routes share.
    """

    def __init__(self, emulator: EmulatorState) -> None:
        self._emulator = emulator

    async def upload(self, request: Request, entry: BillEntry) -> Response:
        """``POST /v1/files``."""

        async def keep() -> Response:
            try:
                async with request.form(max_files=1) as form:
                    file = await self._keep(dict(form))
            except HTTPException as error:
                raise refusals.Refusal(400, f"We could not read the form: {error.detail}") from error
            return JSONResponse(await file.as_wire())

        return await self._emulator.act(request, entry, keep)

    async def _keep(self, form: Mapping[str, Any]) -> StoredFile:
        upload, purpose = form.get("file"), form.get("purpose")
        if not isinstance(upload, UploadFile):
            raise refusals.missing("file")
        if not purpose:
            raise refusals.missing("purpose")
        if purpose not in PURPOSES:
            raise refusals.invalid_value("purpose", purpose, PURPOSES)
        name = upload.filename or "upload"
        if purpose == "batch":
            self._check_batch_file(name, upload.size or 0)
        lifetime_s = _lifetime_s(form) or (BATCH_FILE_LIFETIME_S if purpose == "batch" else None)
        path = self._emulator.files.new_path()
        with path.open("wb") as stream:
            await anyio.to_thread.run_sync(shutil.copyfileobj, upload.file, stream)
        return self._emulator.files.add(DiskContent(path), name, purpose, lifetime_s)

    def _check_batch_file(self, name: str, size_bytes: int) -> None:
        if not name.endswith(".jsonl"):
            raise refusals.Refusal(400, "Invalid file format for Batch API. Must be .jsonl", param="file")
        most_bytes = self._emulator.settings.batch_file_bytes
        if size_bytes > most_bytes:
            message = f"File is too large for the Batch API. Maximum size is {most_bytes // 10**6} MB."
            raise refusals.Refusal(400, message, param="file", code="file_too_large")

    async def list(self, request: Request, entry: BillEntry) -> Response:
        """``GET /v1/files``: newest first, unless ``order`` is ``asc``."""

        async def respond() -> Response:
            query = request.query_params
            files = [
                file for file in self._emulator.files.listed() if query.get("purpose") in (None, file.purpose)
            ]
            if query.get("order", "desc") == "desc":
                files.reverse()
            page, has_more = page_of(files, query, MOST_LISTED, MOST_LISTED)
            data = [await file.as_wire() for file in page]
            ids = {"first_id": data[0]["id"], "last_id": data[-1]["id"]} if data else {}
            return JSONResponse({"object": "list", "data": data, "has_more": has_more, **ids})

        return await self._emulator.act(request, entry, respond)

    async def show(self, request: Request, entry: BillEntry) -> Response:
        """``GET /v1/files/{id}``. The size of a batch's results is known only after they are painted."""

        async def respond() -> Response:
            return JSONResponse(await self._emulator.files.get(request.path_params["id"]).as_wire())

        return await self._emulator.act(request, entry, respond)

    async def delete(self, request: Request, entry: BillEntry) -> Response:
        """``DELETE /v1/files/{id}``."""

        async def drop() -> Response:
            file = self._emulator.files.get(request.path_params["id"])
            file.is_deleted = True
            return JSONResponse({"id": file.id, "object": "file", "deleted": True})

        return await self._emulator.act(request, entry, drop)

    async def content(self, request: Request, entry: BillEntry) -> Response:
        """``GET /v1/files/{id}/content``: streamed while it is read or painted."""

        async def send() -> Response:
            content = self._emulator.files.get(request.path_params["id"]).content
            pieces = content.pieces()
            if entry.fault == "download_cut":
                pieces = cut(pieces, content.count)
            return Pieces(pieces, "application/octet-stream")

        gone = {"file_gone": refusals.no_such_file(request.path_params["id"])}
        return await self._emulator.act(request, entry, send, DOWNLOAD_KINDS, gone)


def _lifetime_s(form: Mapping[str, Any]) -> int | None:
    """The requested lifetime, in a form the field ``expires_after[seconds]``."""
    if "expires_after[seconds]" not in form:
        return None
    return lifetime_s(
        "expires_after",
        {"anchor": form.get("expires_after[anchor]"), "seconds": form["expires_after[seconds]"]},
    )


def lifetime_s(param: str, policy: object) -> int:
    """Read an expiry policy: ``{"anchor": "created_at", "seconds": 3600 to 2592000}``.

    Raises:
        Refusal: It is not such a policy.
    """
    if not isinstance(policy, dict) or policy.get("anchor") != "created_at":
        raise refusals.invalid(f"{param}.anchor", f"Invalid '{param}': 'anchor' must be 'created_at'.")
    seconds = str(policy.get("seconds"))
    if not seconds.isdecimal() or not SHORTEST_LIFETIME_S <= int(seconds) <= LONGEST_LIFETIME_S:
        message = f"Invalid '{param}': 'seconds' must be {SHORTEST_LIFETIME_S} to {LONGEST_LIFETIME_S}."
        raise refusals.invalid(f"{param}.seconds", message)
    return int(seconds)
