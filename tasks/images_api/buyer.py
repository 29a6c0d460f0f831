"""The buyer, which spends money: reserve, send once, store the answer, settle.

A buyer serves one run in one process. It limits the requests in flight and the pictures requested per minute,
pauses the whole run when the provider asks for it, and stops sending for good when a budget is used up, the
disk is full or no further order can succeed. Waiting orders then return at once; requests in flight are
always awaited, because they will be billed.
"""

import asyncio
import contextlib
import random
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, TypeVar

import openai
from openai import AsyncOpenAI

from tasks.errors import BudgetError, LedgerError, RunError, RunoffError, SettingError, StopRunError
from tasks.images_api.answer_store import settlement_of, settlement_of_failure, store_answer
from tasks.images_api.answers import Answer, read_answer
from tasks.images_api.client import fields_of, post
from tasks.images_api.disk_space import require_room
from tasks.images_api.failures import SLOW_DOWN_CODE, Failure, FailureKind, failure_of
from tasks.images_api.questions import read_reply
from tasks.images_api.rate_limiter.limiter import RateLimiter
from tasks.images_api.retries import SLOW_DOWN_HOLD_S, Chance, Retries
from tasks.images_api.stop_messages import stop_for, unstored_answer
from tasks.images_api.streaming import sketches_of
from tasks.images_api.terms import Terms
from tasks.ledger import Ledger, Limits, Settlement
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
    """

    order: Order
    state: OrderState
    n_pictures: int
    charged_usd: Decimal
    fault: Failure | None = None


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
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        chance: Chance = random.random,
    ) -> None:
        self.closed_by: RunoffError | None = None
        self._client = client
        self._terms = terms
        self._ledger = ledger
        self._folder = folder
        self._limits = limits
        self._rate_limiter = rate_limiter
        self._places = asyncio.Semaphore(terms.provider.concurrency)
        self._watch = watch
        self._now = now
        self._sleep = sleep
        self._chance = chance
        self._n_under_way = 0
        self._closed = asyncio.Event()
        self._freed = asyncio.Event()

    def close(self, reason: RunoffError) -> None:
        """Send nothing more; requests in flight are still awaited. The first reason is kept."""
        self.closed_by = self.closed_by or reason
        self._closed.set()

    async def until_closed(self) -> None:
        """Wait until the buyer sends nothing more."""
        await self._closed.wait()

    async def buy(self, order: Order) -> Purchase | None:
        """Buy one planned order. This spends money: at most the order's estimate is reserved for it.

        Returns:
            How it ended; ``None`` when the buyer was closed first: the order stays planned.

        Raises:
            LedgerError: The order is not planned, or the ledger cannot be written. The buyer is closed.
            PictureError: A reference is missing or was changed; the order was not sent. The buyer is closed.
            SettingError: The picture arrived and could not be stored; the order is ``unknown`` at its known
                cost, or still ``sent`` when the ledger could not be written either. The buyer is closed.
        """
        try:
            purchase = await self._buy(order)
        except RunoffError as error:
            self.close(error)
            raise
        except Exception as error:
            self.close(RunError(where=f"order {order.order_id}", what=repr(error), money="See: runoff runs"))
            raise
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
                await self._while_open(self._sleep(end))
        return None

    async def _try(self, order: Order, retries: Retries) -> Purchase | float | None:
        """Send an order once; return how it ended, or the seconds after which to send it again."""
        fields = await asyncio.to_thread(fields_of, order) if order.references else fields_of(order)
        ordered_at_s = await self._while_open(self._rate_limiter.acquire(order.n))
        if ordered_at_s is None or not await self._reserve(order):
            return None
        try:
            outcome, latency_s = await self._send(order, fields)
            if isinstance(outcome, Answer):
                return await self._keep_and_settle(order, outcome, latency_s)
            wait_s = retries.wait_s(outcome)
            if wait_s is None:
                return await self._settle_fault(order, outcome, latency_s)
            await asyncio.to_thread(self._ledger.orders.unsend, order.order_id, outcome.code, outcome.message)
        finally:
            self._end_one()
        if outcome.kind is FailureKind.server_fault:
            return wait_s
        await self._hold_all(outcome, wait_s, ordered_at_s)
        return 0.0

    async def _hold_all(self, fault: Failure, wait_s: float, ordered_at_s: float) -> None:
        """Pause the whole run, and after a rate limit all runs: the next order would fail in the same way."""
        if fault.kind is FailureKind.rate_limited:
            for_s = SLOW_DOWN_HOLD_S if fault.code == SLOW_DOWN_CODE else 0.0
            await self._rate_limiter.slow_down(ordered_at_s, wait_s, for_s)
        else:
            self._rate_limiter.pause(wait_s)

    async def _reserve(self, order: Order) -> bool:
        """Reserve an order and mark it sent; if the budget is full, wait for requests in flight."""
        while self.closed_by is None:
            freed = self._freed
            try:
                require_room(self._folder, order, self._n_under_way)
                self._n_under_way += 1
                try:
                    await asyncio.to_thread(self._ledger.orders.send, order, self._limits, self._now())
                except BaseException:
                    self._n_under_way -= 1
                    raise
            except BudgetError as error:
                if self._n_under_way == 0 and not freed.is_set():
                    self.close(error)
                else:
                    await self._while_open(freed.wait())
            except StopRunError as error:
                self.close(error)
            else:
                return True
        return False

    def _end_one(self) -> None:
        """Count one order less in flight, and wake orders that wait for the money it freed."""
        self._n_under_way -= 1
        freed, self._freed = self._freed, asyncio.Event()
        freed.set()

    async def _send(self, order: Order, fields: Mapping[str, Any]) -> tuple[Answer | Failure, float]:
        started_s = time.monotonic()
        key, expected_tokens = self._terms.api_key, self._terms.expected_tokens(order)
        try:
            sketches = sketches_of(self._folder, order)
            body, headers = await post(self._client, order, fields, self._terms, sketches)
        except openai.APIError as error:
            return failure_of(error, key), time.monotonic() - started_s
        latency_s = time.monotonic() - started_s
        if order.endpoint == "chat":
            return read_reply(body, headers, key), latency_s
        return read_answer(body, headers, order, expected_tokens, key), latency_s

    async def _keep_and_settle(self, order: Order, answer: Answer, latency_s: float) -> Purchase:
        settlement = settlement_of(
            order,
            answer.usage,
            self._terms,
            latency_s=latency_s,
            vendor_request_id=answer.vendor_request_id,
        )
        await asyncio.to_thread(self._keep, order, answer, settlement)
        return Purchase(order, "received", len(answer.pictures), settlement.charged_usd(order.estimate_usd))

    def _keep(self, order: Order, answer: Answer, settlement: Settlement) -> None:
        try:
            receipts = store_answer(self._folder, order, answer, settlement.latency_s)
        except SettingError as error:
            lost = unstored_answer(order, settlement, error)
            with contextlib.suppress(LedgerError):  # the ledger may be on the same full disk
                self._ledger.orders.settle(order.order_id, lost.settlement)
            raise lost.error from error
        self._ledger.orders.settle(order.order_id, settlement, receipts, answer.content)

    async def _settle_fault(self, order: Order, fault: Failure, latency_s: float) -> Purchase | None:
        if fault.kind.state == "planned":
            self.close(stop_for(order, fault))
            await asyncio.to_thread(self._ledger.orders.unsend, order.order_id, fault.code, fault.message)
            return None
        settlement = settlement_of_failure(order, fault, self._terms, latency_s)
        await asyncio.to_thread(self._ledger.orders.settle, order.order_id, settlement)
        return Purchase(order, fault.kind.state, 0, settlement.charged_usd(order.estimate_usd), fault)

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
