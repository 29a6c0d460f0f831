"""The images endpoints, which answer a request in one piece or as a stream of events.

The steps are body, fault, validation, rate limit, charge, waiting, painting, answer. Painting runs in
threads, so that the event loop stays free for other requests. Source of the events: API reference of image
streaming, checked 2026-11-22.
"""

import asyncio
import base64
import json
import time
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from typing import Any

import anyio
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from tasks.emulator.bill import BillEntry
from tasks.emulator.bodies import Body, read_body, read_json
from tasks.emulator.delivery import CutShortError, Pieces, SlowBody, TruncatedBody, cut
from tasks.emulator.fault_kinds import IMAGE_KINDS, STREAM_KINDS, is_billed, spoil, stream_error
from tasks.emulator.faults import FaultRule
from tasks.emulator.images_request import Endpoint, ImagesRequest, is_set
from tasks.emulator.limiter import ImagesPerMinute
from tasks.emulator.other_protocols import OtherProtocol
from tasks.emulator.provider_profiles import AzureProfile
from tasks.emulator.replicates import Replicate
from tasks.emulator.state import EmulatorState, text_of
from tasks.emulator.tokens import TokenCount

EVENT_NAMES = {"generations": "image_generation", "edits": "image_edit"}


@dataclass(frozen=True, slots=True)
class Work:
    """A request that was accepted and charged.

    Args:
        order: The request.
        entry: Its entry on the bill.
        replicates: Which pictures it gets.
        count: The tokens it used.
        partials: How many partial pictures are sent.
        rule: The fault that applies to it, if any.
        address: Where the emulator is.
    """

    order: ImagesRequest
    entry: BillEntry
    replicates: list[Replicate]
    count: TokenCount
    partials: int
    rule: FaultRule | None
    address: str


class ImagesRoutes:
    """Generations and edits.

    Args:
        emulator: What all routes share.
    """

    def __init__(self, emulator: EmulatorState) -> None:
        self._emulator = emulator
        self._limiter = ImagesPerMinute(emulator.settings.images_per_minute, emulator.settings.minute_s)

    async def generations(self, request: Request, entry: BillEntry) -> Response:
        """``POST /v1/images/generations``."""
        body = await read_body(request, self._emulator.files.picture)
        return self._with_limit(await self._answer(request, entry, "generations", body))

    async def edits(self, request: Request, entry: BillEntry) -> Response:
        """``POST /v1/images/edits``."""
        body = await read_body(request, self._emulator.files.picture)
        return self._with_limit(await self._answer(request, entry, "edits", body))

    async def by_protocol(self, request: Request, entry: BillEntry) -> Response:
        """The path of a profile with a protocol of its own."""
        profile = self._emulator.profile
        assert isinstance(profile, OtherProtocol)
        body = profile.body_of(await read_json(request), request.path_params)
        return await self._answer(request, entry, "edits" if body.images else "generations", body)

    async def at_deployment(self, request: Request, entry: BillEntry) -> Response:
        """The path of Azure's deployments."""
        profile, endpoint = self._emulator.profile, request.path_params["endpoint"]
        assert isinstance(profile, AzureProfile)
        body = await read_body(request, self._emulator.files.picture)
        body.fields = profile.fields_of(request, body.fields)
        return await self._answer(request, entry, "edits" if endpoint == "edits" else "generations", body)

    def _with_limit(self, response: Response) -> Response:
        settings = self._emulator.settings
        if settings.states_limit and settings.images_per_minute is not None:
            response.headers["x-ratelimit-limit-images"] = str(settings.images_per_minute)
        return response

    async def _answer(self, request: Request, entry: BillEntry, endpoint: Endpoint, body: Body) -> Response:
        emulator = self._emulator
        entry.prompt, entry.model = text_of(body.fields.get("prompt")), text_of(body.fields.get("model"))
        entry.lane = "interactive"
        kinds = IMAGE_KINDS | (STREAM_KINDS if is_set(body.fields, "stream") else frozenset())
        rule = emulator.fault_book.choose(entry.path, entry.prompt, request.method, kinds)
        entry.fault = rule.kind if rule else None
        if rule and not is_billed(rule) and (stand_in := emulator.stand_in(rule, entry)):
            return stand_in
        work = self._charge(
            emulator.read_order(endpoint, body), entry, rule, str(request.base_url).rstrip("/")
        )
        if work.order.stream:
            if rule and (stand_in := emulator.stand_in(rule, entry)):
                return stand_in
            return self._stream(work)
        await asyncio.sleep(self._latency_s(work.order))
        if rule and (stand_in := emulator.stand_in(rule, entry)):
            return stand_in
        answer = await self._paint(work)
        if rule is not None:
            answer = await anyio.to_thread.run_sync(spoil, rule.kind, answer)
        return _deliver(emulator.profile.shape(answer, entry.charged_nanousd), rule)

    def _charge(self, order: ImagesRequest, entry: BillEntry, rule: FaultRule | None, address: str) -> Work:
        emulator = self._emulator
        order = emulator.settle_tier(order, rule)
        self._limiter.take(order.model.id, order.n)
        replicates = emulator.renderer.take(order, entry.client_request_id)
        partials = emulator.renderer.partials(order, replicates[0])
        if rule and rule.kind == "fewer_partials":
            partials = max(0, order.partials - 1)
        count = emulator.charge(order, entry, rule, partials)
        return Work(order, entry, replicates, count, partials, rule, address)

    def _latency_s(self, order: ImagesRequest) -> float:
        settings = self._emulator.settings
        return settings.pace * settings.latency_s.get(order.tier, 0.0)

    async def _paint(self, work: Work) -> dict[str, Any]:
        emulator = self._emulator
        answer = await emulator.renderer.paint(work.order, work.replicates, work.count, int(time.time()))
        return emulator.profile.dress(work.order, answer, work.address)

    def _stream(self, work: Work) -> Response:
        events = self._events(work)
        if work.rule and work.rule.kind == "truncated_body":
            events = cut(events, 2 * work.partials)  # in the middle of the last event, the complete picture
        return Pieces(events, "text/event-stream")

    async def _events(self, work: Work) -> AsyncGenerator[bytes, None]:
        rule, name = work.rule, EVENT_NAMES[work.order.endpoint]
        wait_s = self._latency_s(work.order) / (work.partials + 1)
        answer = await self._paint(work)
        picture = base64.b64decode(answer["data"][0]["b64_json"])
        for index in range(work.partials):
            await asyncio.sleep(wait_s)
            sketch = await self._emulator.renderer.sketch(work.order, picture, index)
            facts = {"b64_json": base64.b64encode(sketch).decode(), "partial_image_index": index}
            yield _event(f"{name}.partial_image", answer, facts)
            if rule and rule.kind in ("stream_drop", "stream_error"):
                break
        if rule and rule.kind == "stream_drop":
            raise CutShortError
        if rule and rule.kind == "stream_error":
            error = {"error": stream_error(rule, work.entry.request_id)}
            yield f"event: error\ndata: {json.dumps(error)}\n\n".encode()
            return
        await asyncio.sleep(wait_s)
        if rule:
            answer = await anyio.to_thread.run_sync(spoil, rule.kind, answer)
        for whole in answer["data"]:
            usage = {"usage": answer["usage"]} if "usage" in answer else {}
            yield _event(f"{name}.completed", answer, whole | usage)


def _event(type: str, answer: dict[str, Any], facts: dict[str, Any]) -> bytes:
    shared = {name: answer[name] for name in ("size", "quality", "background", "output_format")}
    event = {"type": type, "created_at": answer["created"], **shared, **facts}
    return f"event: {type}\ndata: {json.dumps(event)}\n\n".encode()


def _deliver(answer: dict[str, Any], rule: FaultRule | None) -> Response:
    if rule is None:
        return JSONResponse(answer)
    if rule.kind == "slow_body":
        return SlowBody(json.dumps(answer).encode(), rule.duration_s)
    if rule.kind == "truncated_body":
        return TruncatedBody(json.dumps(answer), media_type="application/json")
    return JSONResponse(answer)
