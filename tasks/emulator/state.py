"""The state shared by all routes: settings, bill, faults and files; and the wrapper of every answer."""

import time
from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import replace

from starlette.background import BackgroundTask
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from tasks.emulator import refusals
from tasks.emulator.bill import Bill, BillEntry
from tasks.emulator.bodies import Body
from tasks.emulator.delivery import Drop, Hang
from tasks.emulator.fault_kinds import ANSWER_KINDS, gateway_page, is_billed, refusal_for
from tasks.emulator.faults import FailureKind, FaultBook, FaultRule
from tasks.emulator.files import FileStore
from tasks.emulator.images_request import Endpoint, ImagesRequest, read_request, read_upload
from tasks.emulator.profiles import PROFILES
from tasks.emulator.refusals import Refusal
from tasks.emulator.renderer import Renderer
from tasks.emulator.settings import EmulatorSettings
from tasks.emulator.tokens import TokenCount

GATEWAY_STATUSES = frozenset({502, 504, 524})
Handler = Callable[[Request, BillEntry], Awaitable[Response]]
Effect = Callable[[], Awaitable[Response]]


class EmulatorState:
    """The state behind the routes.

    Args:
        settings: How the emulator behaves.
    """

    def __init__(self, settings: EmulatorSettings) -> None:
        self.settings = settings
        self.bill = Bill()
        self.fault_book = FaultBook(settings.faults, settings.seed)
        self.files = FileStore(settings.now_s)
        self.renderer = Renderer(settings)
        self.profile = PROFILES[settings.profile](settings)

    def open_entry(self, path: str, client_request_id: str | None = None) -> BillEntry:
        """Open an entry on the bill for a request."""
        request_id = self.profile.request_id(len(self.bill.entries) + 1)
        return self.bill.open(path, request_id, client_request_id)

    def billed(self, handler: Handler) -> Callable[[Request], Awaitable[Response]]:
        """Wrap a route: open a bill entry, check the key, turn refusals into answers, add headers."""

        async def answer(request: Request) -> Response:
            started_s = time.monotonic()
            entry = self.open_entry(request.url.path, request.headers.get("x-client-request-id"))
            try:
                self._check_key(request)
                response = await handler(request, entry)
            except Refusal as refusal:
                response = self.profile.refuse(refusal, entry.request_id)
            return await self._finish(request, entry, response, time.monotonic() - started_s)

        return answer

    def _check_key(self, request: Request) -> None:
        header = self.profile.key_header
        given = request.headers.get(header, "")
        scheme, _, key = (given if header == "authorization" else f"Bearer {given}").partition(" ")
        if scheme.lower() != "bearer" or not key.strip():
            raise refusals.no_key()
        if self.settings.api_key not in (None, key.strip()):
            raise refusals.wrong_key()

    async def _finish(
        self, request: Request, entry: BillEntry, response: Response, elapsed_s: float
    ) -> Response:
        if isinstance(response, Hang | Drop):
            return response
        entry.status = response.status_code
        self.profile.sign(response, entry.request_id, elapsed_s)
        if not await request.is_disconnected():
            response.background = BackgroundTask(setattr, entry, "is_answered", True)
        return response

    async def act(
        self,
        request: Request,
        entry: BillEntry,
        effect: Effect,
        kinds: Collection[FailureKind] = ANSWER_KINDS,
        own: Mapping[str, Refusal] | None = None,
    ) -> Response:
        """Answer a request on a route without pictures, applying its faults.

        Args:
            request: The request.
            entry: Its entry on the bill.
            effect: Does what was requested and returns the answer. A billed fault runs it and drops the
                answer.
            kinds: The faults that can happen here.
            own: The refusals of kinds of fault that only this route has.

        Raises:
            Refusal: A fault or the effect raised it.
        """
        rule = self.fault_book.choose(entry.path, None, request.method, kinds)
        entry.fault = rule.kind if rule else None
        if rule is None:
            return await effect()
        if refusal := (own or {}).get(rule.kind):
            raise refusal
        if not is_billed(rule) and (stand_in := self.stand_in(rule, entry)):
            return stand_in
        response = await effect()
        return self.stand_in(rule, entry) or response

    def stand_in(self, rule: FaultRule, entry: BillEntry) -> Response | None:
        """The answer that a fault puts in place of the real one; ``None`` when its kind has none."""
        if refusal := refusal_for(rule, entry.request_id, entry.model):
            if rule.kind == "server_error" and rule.status in GATEWAY_STATUSES:
                return Response(gateway_page(rule.status), rule.status, media_type="text/html")
            return self.profile.refuse(refusal, entry.request_id)
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

    def read_order(self, endpoint: Endpoint, body: Body) -> ImagesRequest:
        """Check an images request.

        Raises:
            Refusal: The provider would not accept it.
        """
        references = tuple(read_upload("image", data) for data in body.images)
        mask = None if body.mask is None else read_upload("mask", body.mask)
        fields = self.profile.read(body.fields)
        order = read_request(endpoint, fields, self.settings.today(), references, mask)
        self.profile.admit(order)
        return order

    def settle_tier(self, order: ImagesRequest, rule: FaultRule | None) -> ImagesRequest:
        """The order as executed: a fault can reduce it to the lowest tier."""
        if rule and rule.kind == "lower_tier":
            return replace(order, tier=order.model.tiers[0])
        return order

    def charge(
        self, order: ImagesRequest, entry: BillEntry, rule: FaultRule | None, partials: int = 0
    ) -> TokenCount:
        """Charge a request on the bill: half price for a line of a batch, nothing if a fault says so.

        Args:
            order: The request.
            entry: Its line on the bill.
            rule: The fault that applies to it, if any.
            partials: How many partial pictures are streamed.
        """
        count = self.renderer.count(order, partials)
        entry.quality, entry.size, entry.n = order.tier, order.size_text, order.n
        if rule and not is_billed(rule):
            return count
        entry.usage = count.as_wire()
        entry.charged_nanousd = count.charge_nanousd(order.model, in_batch=entry.lane == "batch")
        return count


def text_of(value: object) -> str | None:
    """A field's text, or ``None`` when it is not text."""
    return value if isinstance(value, str) else None
