"""The emulator as an ASGI application: routes, and the life of one images request.

Authorization, body, fault, validation, rate limit, charge, painting, answer: in this order. Painting runs in
threads, so the loop stays free for other requests.
"""

# ruff: noqa: EM101 - the literals are names of fields, not messages

import asyncio
import base64
import json
import os
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import anyio
from starlette.applications import Starlette
from starlette.background import BackgroundTask
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tasks.emulator import refusals
from tasks.emulator.bill import Bill, BillEntry
from tasks.emulator.bodies import read_body
from tasks.emulator.delivery import Drop, DroppableStarlette, Hang, SlowBody, TruncatedBody
from tasks.emulator.fault_kinds import gateway_page, is_billed, refusal_for, spoil
from tasks.emulator.faults import FaultBook, FaultRule, explain, read_rules
from tasks.emulator.images_request import Endpoint, ImagesRequest, read_request, read_upload
from tasks.emulator.limiter import ImagesPerMinute
from tasks.emulator.models import MODELS
from tasks.emulator.painter import paint
from tasks.emulator.refusals import Refusal
from tasks.emulator.replicates import Replicate, Replicates
from tasks.emulator.settings import EmulatorSettings
from tasks.emulator.tokens import TokenCount, count_tokens

API_VERSION = "2020-10-01"
GATEWAY_STATUSES = frozenset({502, 504, 524})
Handler = Callable[[Request, BillEntry], Awaitable[Response]]


def create_app(settings: EmulatorSettings | None = None) -> Starlette:
    """Build an emulator.

    Args:
        settings: How it behaves; ``None`` for the defaults.

    Returns:
        The application. ``app.state.emulator`` is the ``Emulator`` behind it, with its bill.
    """
    emulator = Emulator(settings or EmulatorSettings())
    routes = [
        Route("/v1/images/generations", emulator.billed(emulator.generations), methods=["POST"]),
        Route("/v1/images/edits", emulator.billed(emulator.edits), methods=["POST"]),
        Route("/v1/models", emulator.billed(emulator.list_models)),
        Route("/v1/models/{id}", emulator.billed(emulator.show_model)),
        Route("/v1/files", emulator.billed(emulator.upload_file), methods=["POST"]),
        Route("/_bill", emulator.show_bill),
        Route("/_faults", emulator.control_faults, methods=["GET", "POST", "DELETE"]),
    ]
    app = DroppableStarlette(routes=routes, exception_handlers={404: _wrong_path, 405: _wrong_path})
    app.state.emulator = emulator
    return app


async def _wrong_path(request: Request, _error: Exception) -> Response:
    message = f"Invalid URL ({request.method} {request.url.path})"
    return Refusal(404, message).response()


class Emulator:
    """The state behind the routes.

    Args:
        settings: How it behaves.
    """

    def __init__(self, settings: EmulatorSettings) -> None:
        self.settings = settings
        self.bill = Bill()
        self.fault_book = FaultBook(settings.faults, settings.seed)
        self._replicates = Replicates(settings)
        self._limiter = ImagesPerMinute(settings.images_per_minute, settings.minute_s)
        self._files: dict[str, bytes] = {}
        # A picture in the making weighs a hundred megabytes: no more of them than there are cores.
        self._easels = anyio.CapacityLimiter(max(2, os.cpu_count() or 2))

    def billed(self, handler: Handler) -> Callable[[Request], Awaitable[Response]]:
        """Wrap a vendor route: a bill entry, the key's check, refusals as answers, the vendor's headers."""

        async def answer(request: Request) -> Response:
            started_s = time.monotonic()
            client_id = request.headers.get("x-client-request-id")
            number = len(self.bill.entries) + 1
            entry = self.bill.open(request.url.path, f"req_emu{self.settings.seed}_{number:08d}", client_id)
            try:
                self._check_key(request)
                response = await handler(request, entry)
            except Refusal as refusal:
                response = refusal.response()
            return await self._finish(request, entry, response, started_s)

        return answer

    def _check_key(self, request: Request) -> None:
        scheme, _, key = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not key.strip():
            raise refusals.no_key()
        if self.settings.api_key not in (None, key.strip()):
            raise refusals.wrong_key()

    async def _finish(
        self, request: Request, entry: BillEntry, response: Response, started_s: float
    ) -> Response:
        if isinstance(response, Hang | Drop):
            return response
        entry.status = response.status_code
        response.headers["x-request-id"] = entry.request_id
        response.headers["openai-processing-ms"] = str(round(1000 * (time.monotonic() - started_s)))
        response.headers["openai-version"] = API_VERSION
        if not isinstance(response, TruncatedBody) and not await request.is_disconnected():
            response.background = BackgroundTask(setattr, entry, "is_answered", True)
        return response

    async def generations(self, request: Request, entry: BillEntry) -> Response:
        """``POST /v1/images/generations``."""
        return await self._images(request, entry, "generations")

    async def edits(self, request: Request, entry: BillEntry) -> Response:
        """``POST /v1/images/edits``."""
        return await self._images(request, entry, "edits")

    async def _images(self, request: Request, entry: BillEntry, endpoint: Endpoint) -> Response:
        body = await read_body(request, self._files)
        entry.prompt, entry.model = _text(body.fields.get("prompt")), _text(body.fields.get("model"))
        rule = self.fault_book.choose(entry.path, entry.prompt)
        entry.fault = rule.kind if rule else None
        if rule and not is_billed(rule) and (response := self._fault_answer(rule, entry)):
            return response
        references = tuple(read_upload("image", data) for data in body.images)
        mask = None if body.mask is None else read_upload("mask", body.mask)
        order = read_request(endpoint, body.fields, self.settings.today(), references, mask)
        if rule and rule.kind == "lower_tier":
            order = replace(order, tier=order.model.tiers[0])
        self._limiter.take(order.model.id, order.n)
        replicates = self._replicates.take(order, entry.client_request_id)
        count = self._charge(order, entry)
        await asyncio.sleep(self.settings.pace * self.settings.latency_s.get(order.tier, 0.0))
        if rule and (response := self._fault_answer(rule, entry)):
            return response
        answer = await self._paint(order, replicates, count)
        return await _deliver(answer, rule)

    def _charge(self, order: ImagesRequest, entry: BillEntry) -> TokenCount:
        count = count_tokens(
            order.model,
            prompt=order.prompt,
            n=order.n,
            tier=order.tier,
            size=order.size,
            references=[upload.size for upload in order.references],
            high_fidelity=order.high_fidelity,
            is_edit=order.endpoint == "edits",
        )
        entry.quality, entry.size, entry.n = order.tier, order.size_text, order.n
        entry.usage, entry.charged_nanousd = count.as_wire(), count.charge_nanousd(order.model)
        return count

    async def _paint(
        self, order: ImagesRequest, replicates: list[Replicate], count: TokenCount
    ) -> dict[str, Any]:
        pictures = []
        for replicate in replicates:
            data = await anyio.to_thread.run_sync(
                paint, order, replicate, self.settings.paint, limiter=self._easels
            )
            pictures.append({"b64_json": base64.b64encode(data).decode()})
        return {
            "created": int(time.time()),
            "background": "transparent" if order.transparent else "opaque",
            "data": pictures,
            "output_format": order.format,
            "quality": order.tier,
            "size": order.size_text,
            "usage": count.as_wire(),
        }

    def _fault_answer(self, rule: FaultRule, entry: BillEntry) -> Response | None:
        """The answer in place of pictures, or ``None`` when the kind lets them be made."""
        if refusal := refusal_for(rule, entry.request_id, entry.model):
            if rule.kind == "server_error" and rule.status in GATEWAY_STATUSES:
                return Response(gateway_page(rule.status), rule.status, media_type="text/html")
            return refusal.response()
        if rule.kind == "bill_then_hang":
            return Hang(rule.duration_s)
        if rule.kind in ("bill_then_drop", "drop"):
            return Drop()
        if rule.kind == "html_200":
            return Response(gateway_page(200, "Welcome"), 200, media_type="text/html")
        if rule.kind == "redirect_html":
            page = gateway_page(301, "Moved Permanently")
            return Response(page, 301, {"location": "/"}, media_type="text/html")
        if rule.kind == "empty_data":
            answer = {"created": int(time.time()), "data": []}
            return JSONResponse(answer | ({"usage": entry.usage} if entry.charged_nanousd else {}))
        return None

    async def list_models(self, _request: Request, entry: BillEntry) -> Response:
        """``GET /v1/models``: those that still answer."""
        if refused := self._plain_fault(entry):
            return refused
        today = self.settings.today()
        models = [model.as_wire() for model in MODELS.values() if not model.is_retired(today)]
        return JSONResponse({"object": "list", "data": models})

    async def show_model(self, request: Request, entry: BillEntry) -> Response:
        """``GET /v1/models/{id}``."""
        entry.model = request.path_params["id"]
        if refused := self._plain_fault(entry):
            return refused
        model = MODELS.get(request.path_params["id"])
        if model is None or model.is_retired(self.settings.today()):
            raise refusals.no_such_model(request.path_params["id"], is_retired=model is not None)
        return JSONResponse(model.as_wire())

    async def upload_file(self, request: Request, entry: BillEntry) -> Response:
        """``POST /v1/files``: keeps a picture in memory, for edits that name it by id."""
        if refused := self._plain_fault(entry):
            return refused
        async with request.form(max_files=1) as form:
            upload, purpose = form.get("file"), form.get("purpose")
            if upload is None or isinstance(upload, str):
                raise refusals.missing("file")
            if not purpose:
                raise refusals.missing("purpose")
            data, name = await upload.read(), upload.filename
        file_id = f"file-emu{len(self._files) + 1:08d}"
        self._files[file_id] = data
        facts = {"id": file_id, "object": "file", "bytes": len(data), "created_at": int(time.time())}
        return JSONResponse(facts | {"filename": name, "purpose": purpose, "status": "processed"})

    def _plain_fault(self, entry: BillEntry) -> Response | None:
        """The fault of a route without pictures; kinds that spoil pictures do nothing here."""
        rule = self.fault_book.choose(entry.path, None)
        entry.fault = rule.kind if rule else None
        return self._fault_answer(rule, entry) if rule else None

    async def show_bill(self, request: Request) -> Response:
        """``GET /_bill``; ``?after=N`` leaves out the first N entries."""
        return JSONResponse(self.bill.as_wire(int(request.query_params.get("after", "0"))))

    async def control_faults(self, request: Request) -> Response:
        """``GET``, ``POST`` (replace) and ``DELETE /_faults``."""
        if request.method == "POST":
            try:
                self.fault_book.replace(read_rules(json.loads(await request.body())))
            except ValueError as error:
                return JSONResponse({"error": {"message": explain(error)}}, 422)
        elif request.method == "DELETE":
            self.fault_book.replace(())
        rules = [rule.model_dump(mode="json", exclude_defaults=True) for rule in self.fault_book.rules]
        return JSONResponse({"faults": rules, "fired": self.fault_book.fired})


async def _deliver(answer: dict[str, Any], rule: FaultRule | None) -> Response:
    if rule is None:
        return JSONResponse(answer)
    if rule.kind == "slow_body":
        return SlowBody(json.dumps(answer).encode(), rule.duration_s)
    if rule.kind == "truncated_body":
        return TruncatedBody(json.dumps(answer), media_type="application/json")
    return JSONResponse(await anyio.to_thread.run_sync(spoil, rule.kind, answer))


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None
