"""The buyer, which spends money: reserve, send once, store the answer, settle.

A buyer serves one run in one process. It limits the requests in flight and the pictures requested per minute,
pauses the whole run when the provider asks for it, and stops sending for good when a budget is used up, the
disk is full or no further order can succeed. Waiting orders then return at once; requests in flight are
awaited, because they will be billed.
"""

import asyncio
import contextlib
import random
import time
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import Future
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import openai
from openai import AsyncOpenAI

from tasks.errors import BudgetError, LedgerError, RunError, RunoffError, SettingError, StopRunError
from tasks.images_api.answer_bounds import AnswerBounds
from tasks.images_api.answers import Answer
from tasks.images_api.client import fields_of, post
from tasks.images_api.disk_space import require_room
from tasks.images_api.failures import SLOW_DOWN_CODE, WEB_PAGE, Failure, FailureKind
from tasks.images_api.in_flight import InFlight
from tasks.images_api.order_spans import order_span
from tasks.images_api.outage import Outage
from tasks.images_api.own_thread import DiskThreads, in_own_thread
from tasks.images_api.picture_files import store_answer, store_end
from tasks.images_api.rate_limiter.limiter import RateLimiter
from tasks.images_api.rate_limiter.stated_limit import stated_limit
from tasks.images_api.reading import reader_of
from tasks.images_api.receiving import Received
from tasks.images_api.retries import SLOW_DOWN_HOLD_S, Chance, Retries
from tasks.images_api.settlements import settlement_of, settlement_of_failure
from tasks.images_api.stop_messages import stop_for, stop_for_cancel, stop_for_price, unstored_answer
from tasks.images_api.streaming import sketches_of
from tasks.images_api.terms import Terms
from tasks.images_api.uncancelled import uncancelled
from tasks.images_api.wait_notices import WaitNotices
from tasks.ledger import Ledger, Limits, Settlement, is_of_share, share_of
from tasks.order import Order, OrderState

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Purchase:
    """How one order ended, passed to the buyer's ``watch``.

    Args:
        order: The order.
        state: How it ended.
        n_pictures: How many pictures were received.
        charged_usd: What is charged to the budgets.
        fault: What went wrong, if anything did.
        cost_usd: What it cost; ``None`` where that is not known.
    """

    order: Order
    state: OrderState
    n_pictures: int
    charged_usd: Decimal
    fault: Failure | None = None
    cost_usd: Decimal | None = None


class Buyer:
    """Buys orders for one run.

    Args:
        client: From ``client.connect``.
        terms: What orders cost and their answers should contain.
        ledger: Where orders are reserved and settled.
        folder: The run's folder; pictures go below it.
        limits: The budgets.
        rate_limiter: Limits the pictures requested per minute.
        watch: Called with every order's end.
        waits: Tells people about long waits.
        in_flight: The orders in flight of the run, also at other providers; by default only this buyer's.
        now: The time, aware.
        sleep: Waits that many seconds.
        chance: Draws from [0, 1), for the jitter of waits.
    """

    def __init__(
        self,
        *,
        client: AsyncOpenAI,
        terms: Terms,
        ledger: Ledger,
        folder: Path,
        limits: Limits,
        rate_limiter: RateLimiter,
        watch: Callable[[Purchase], None] = lambda _: None,
        waits: WaitNotices | None = None,
        in_flight: InFlight | None = None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        chance: Chance = random.random,
    ) -> None:
        self.closed_by: RunoffError | None = None
        self.full_shares: dict[str, BudgetError] = {}
        self._client = client
        self._terms = terms
        self._ledger = ledger
        self._folder = folder
        self._limits = limits
        self._rate_limiter = rate_limiter
        self._bounds = AnswerBounds(terms, ledger)
        self._places = asyncio.Semaphore(terms.provider.concurrency)
        self._disk = DiskThreads()
        self._watch = watch
        self._now = now
        self._sleep = sleep
        self._chance = chance
        self._waits = waits or WaitNotices()
        self._outage = Outage(terms.provider.timeouts.connect_s, self._waits.say, sleep, chance)
        self._held_by: Failure | None = None
        self._held_until_s = 0.0
        self._has_spoken_api = False
        self._n_pages, self._n_under_way = 0, 0
        self._closed = asyncio.Event()
        self._in_flight = in_flight or InFlight()

    def close(self, reason: RunoffError) -> None:
        """Send nothing more; requests in flight are still awaited. The first reason is kept."""
        self.closed_by = self.closed_by or reason
        self._closed.set()

    @property
    def n_in_flight(self) -> int:
        """How many requests are in flight."""
        return self._n_under_way

    async def until_closed(self) -> None:
        """Wait until the buyer sends nothing more."""
        await self._closed.wait()

    async def buy(self, order: Order) -> Purchase | None:
        """Buy one planned order. This spends money: at most the order's estimate is reserved for it.

        Cancelling it closes the buyer; the order in flight, which is paid for, is awaited first.

        Returns:
            How it ended; ``None`` when the buyer was closed first: the order stays planned.

        Raises:
            LedgerError: The order is not planned, or the ledger cannot be written. The buyer is closed.
            PictureError: A reference is missing or was changed; the order was not sent. The buyer is closed.
            SettingError: The picture arrived and could not be stored; the order is ``unknown`` at its known
                cost, or still ``sent`` when the ledger could not be written either. The buyer is closed.
        """
        return await uncancelled(self._bought(order), lambda: self.close(stop_for_cancel()))

    async def _bought(self, order: Order) -> Purchase | None:
        with order_span(order) as note_end:
            try:
                purchase = await self._buy(order)
            except RunoffError as error:
                self.close(error)
                raise
            except Exception as error:
                where = f"order {order.order_id}"
                self.close(RunError(where=where, what=repr(error), money="See: runoff runs"))
                raise
            note_end(purchase)
        if purchase is not None:
            self._watch(purchase)
        return purchase

    async def _buy(self, order: Order) -> Purchase | None:
        retries = Retries(self._chance)
        while self.closed_by is None:
            async with self._places:
                end = await self._try(order, retries)
            if not isinstance(end, float):
                return end
            if end:  # other orders may use its place meanwhile: the failure concerns only this one
                with self._waits.waiting("to be sent again after a failure of the provider", end):
                    await self._while_open(self._sleep(end))
        return None

    async def _try(self, order: Order, retries: Retries) -> Purchase | float | None:
        """Send an order once; return how it ended, or the seconds after which to send it again."""
        fields = await asyncio.to_thread(fields_of, order) if order.references else fields_of(order)
        fields = self._terms.fields_as_sent(order, fields)
        is_trying = await self._when_reachable()
        if is_trying is None:
            return None
        try:
            return await self._try_once(order, fields, retries, is_trying=is_trying)
        finally:
            if is_trying:
                self._outage.leave()

    async def _when_reachable(self) -> bool | None:
        """Wait for a provider that is away; returns whether this order tries it, ``None`` once closed."""
        if not self._outage.is_on:
            return False
        reason = "for the provider, which cannot be reached"
        with self._waits.waiting(reason, until_s=self._outage.until_s):
            return await self._while_open(self._outage.enter())

    async def _try_once(
        self, order: Order, fields: Mapping[str, Any], retries: Retries, *, is_trying: bool
    ) -> Purchase | float | None:
        if share_of(order) in self.full_shares:
            return None
        bounds = self._bounds.of(order)
        with self._waiting_for_turn():
            ordered_at_s = await self._while_open(self._rate_limiter.acquire(order.n))
        if ordered_at_s is None or not await self._reserve(order):
            return None
        try:
            sent_at_s = time.monotonic()
            outcome, latency_s = await self._send(order, fields, Received(bounds))
            if isinstance(outcome, Answer):
                purchase = await self._keep_and_settle(order, outcome, latency_s)
                with contextlib.suppress(LedgerError):  # the next order finds out
                    await self._rate_limiter.note_answer(ordered_at_s)
                return purchase
            if outcome.kind is FailureKind.unsent:
                with contextlib.suppress(LedgerError):
                    await self._rate_limiter.give_back(ordered_at_s, order.n)
                wait_s = 0.0 if self._outage.failed(outcome, sent_at_s, is_trying=is_trying) else None
            else:
                self._outage.reached()
                wait_s = retries.wait_s(outcome)
            if wait_s is None:
                return await self._settle_fault(order, outcome, latency_s)
            await self._unsend(order, outcome)
        finally:
            self._end_one()
        if outcome.kind is not FailureKind.rate_limited:
            return wait_s
        await self._hold_all(outcome, wait_s, ordered_at_s)
        return 0.0

    async def _hold_all(self, fault: Failure, wait_s: float, ordered_at_s: float) -> None:
        """Pause all runs of the account after a rate limit: the next order would fail in the same way."""
        self._held_by, self._held_until_s = fault, time.monotonic() + wait_s
        for_s = SLOW_DOWN_HOLD_S if fault.code == SLOW_DOWN_CODE else 0.0
        await self._rate_limiter.slow_down(ordered_at_s, wait_s, for_s)

    def _waiting_for_turn(self) -> AbstractContextManager[None]:
        """Note that an order waits for the rate limit; after an error also what the provider said."""
        if self._held_by is not None and time.monotonic() < self._held_until_s:
            why, details = f"for the provider's rate limit ({self._held_by.code})", self._held_by.message
        else:
            why, details = self._rate_limiter.reason, ""
        return self._waits.waiting(why, until_s=lambda: self._rate_limiter.next_turn_s, details=details)

    async def _reserve(self, order: Order) -> bool:
        """Reserve an order and mark it sent; if the budget is full, wait for requests in flight."""
        while self.closed_by is None and share_of(order) not in self.full_shares:
            freed = self._in_flight.freed
            try:
                require_room(self._folder, order, self._in_flight.n)
                self._begin_one()
                try:
                    reserving = self._ledger.orders.begin_send(order, self._limits, self._now())
                    await asyncio.wrap_future(reserving)
                except BaseException:
                    self._n_under_way -= 1
                    self._in_flight.n -= 1
                    raise
            except BudgetError as error:
                if self._in_flight.n or freed.is_set():
                    await self._while_open(freed.wait())
                elif is_of_share(error):
                    self.full_shares[share_of(order)] = error
                else:
                    self.close(error)
            except StopRunError as error:
                self.close(error)
            else:
                return True
        self._in_flight.wake()  # orders that saw this one's attempt may wait for it to end
        return False

    def _begin_one(self) -> None:
        self._n_under_way += 1
        self._in_flight.begin()

    def _end_one(self) -> None:
        """Note that an order is not under way any more; this wakes those that wait for the money it freed."""
        self._n_under_way -= 1
        self._in_flight.end()

    async def _send(
        self, order: Order, fields: Mapping[str, Any], received: Received
    ) -> tuple[Answer | Failure, float]:
        started_s = time.monotonic()
        reader = reader_of(order, self._folder, self._terms)
        try:
            sketches = sketches_of(self._folder, order)
            within_s = received.bounds.within_s
            with self._waits.waiting("for the provider's answer", within_s), self._outage.sending():
                body, headers = await post(self._client, order, fields, self._terms, received, sketches)
        except openai.APIError as error:
            read = partial(reader.read_error, error, received)
            if isinstance(error, openai.APIStatusError):
                await self._note_stated(error.response.headers)
        else:
            read = partial(reader.read, body, headers)
            self._outage.reached()
            self._has_spoken_api = self._has_spoken_api or isinstance(body, dict)
            await self._note_stated(headers)
        latency_s = time.monotonic() - started_s
        with self._waits.waiting("for a picture that the answer names"):
            answer, trouble = await in_own_thread(read)
        if reader.predictions is not None:  # the answer is the one that was asked for last
            latency_s = time.monotonic() - started_s
        if isinstance(answer, Failure) and answer.code == WEB_PAGE and await self._is_wrong_address():
            answer = replace(answer, kind=FailureKind.stop_run)
        if isinstance(answer, Answer):
            self._bounds.note(order, latency_s)
        if trouble is not None:
            self.close(trouble)
        return answer, latency_s

    async def _note_stated(self, headers: Mapping[str, str]) -> None:
        with contextlib.suppress(LedgerError):  # the next order finds out
            await self._rate_limiter.note_stated(stated_limit(headers))

    async def _is_wrong_address(self) -> bool:
        """Return whether nobody sells pictures here: a page came, and a page for all that is in flight."""
        self._n_pages += 1
        try:
            while not self._has_spoken_api and self.closed_by is None and self._n_pages < self._n_under_way:
                await self._while_open(self._in_flight.freed.wait())
            return not self._has_spoken_api
        finally:
            self._n_pages -= 1

    async def _keep_and_settle(self, order: Order, answer: Answer, latency_s: float) -> Purchase:
        settlement = await self._disk.run(self._keep, order, answer, latency_s)
        self._stop_if_too_dear(order, settlement)
        charged_usd = settlement.charged_usd(order.estimate_usd)
        return Purchase(order, "received", len(answer.pictures), charged_usd, cost_usd=settlement.cost_usd)

    def _keep(self, order: Order, answer: Answer, latency_s: float) -> "tuple[Settlement, Future[None]]":
        """Store an answer before anything about it is computed, then begin to settle its order."""
        settle = partial(
            settlement_of, order, answer.usage, self._terms, latency_s=latency_s,
            n_pictures=len(answer.pictures), reported_usd=answer.reported_usd,
        )  # fmt: skip
        request_id = answer.vendor_request_id
        try:
            receipts = store_answer(self._folder, order, answer, latency_s)
        except SettingError as error:
            lost = unstored_answer(order, settle(vendor_request_id=request_id), error)
            with contextlib.suppress(LedgerError):  # the ledger may be on the same full disk
                self._ledger.orders.settle(order.order_id, lost.settlement)
            raise lost.error from error
        settlement = settle(vendor_request_id=request_id)
        settling = self._ledger.orders.begin_settle(order.order_id, settlement, receipts, answer.content)
        return settlement, settling

    def _stop_if_too_dear(self, order: Order, settlement: Settlement) -> None:
        if error := stop_for_price(order, settlement):
            self.close(error)

    async def _settle_fault(self, order: Order, fault: Failure, latency_s: float) -> Purchase | None:
        if fault.kind.state == "planned":
            self.close(stop_for(order, fault, self._terms))
            await self._unsend(order, fault)
            return None
        settlement = settlement_of_failure(order, fault, self._terms, latency_s)
        await asyncio.wrap_future(await asyncio.to_thread(self._end, order, settlement))
        self._stop_if_too_dear(order, settlement)
        charged_usd = settlement.charged_usd(order.estimate_usd)
        return Purchase(order, fault.kind.state, 0, charged_usd, fault, settlement.cost_usd)

    def _end(self, order: Order, settlement: Settlement) -> "Future[None]":
        store_end(self._folder, order, settlement)
        return self._ledger.orders.begin_settle(order.order_id, settlement)

    async def _unsend(self, order: Order, fault: Failure) -> None:
        unsending = self._ledger.orders.begin_unsend(order.order_id, fault.code, fault.message)
        await asyncio.wrap_future(unsending)

    async def _while_open(self, waiting: Awaitable[T]) -> T | None:
        """Wait for a result until the buyer is closed; return ``None`` then."""
        waiter, closing = asyncio.ensure_future(waiting), asyncio.ensure_future(self._closed.wait())
        try:
            await asyncio.wait({waiter, closing}, return_when=asyncio.FIRST_COMPLETED)
            return waiter.result() if waiter.done() and self.closed_by is None else None
        finally:
            waiter.cancel()
            closing.cancel()
            await asyncio.gather(waiter, closing, return_exceptions=True)
