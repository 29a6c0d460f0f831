"""The one place that spends money: reserve, send once, keep the bytes, settle.

A desk serves one run in one process. It bounds how many requests are under way and how many pictures a
minute are asked for, lets the whole run wait together when the provider says so, and stops sending, for
good, when a budget is used up or no further order can succeed. What is under way is always awaited: its
bill is coming either way.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import openai
from openai import AsyncOpenAI

from tasks.candidate import Order, OrderState
from tasks.errors import BudgetError, RunoffError, StopRunError
from tasks.images_api.answer import Answer, read_answer
from tasks.images_api.client import post
from tasks.images_api.faults import RESENT_KINDS, Fault, FaultKind, fault_of
from tasks.images_api.keeping import keep, settlement_of
from tasks.images_api.pace import Pace
from tasks.images_api.terms import Terms
from tasks.ledger import Ledger, Limits, Settlement

# How long to wait before each further sending, seconds; its length is how often an order is sent again.
UNSENT_WAITS_S = (1.0, 4.0, 15.0, 30.0)
SERVER_FAULT_WAITS_S = (5.0, 20.0)
RATE_LIMIT_WAIT_S = 10.0
LONGEST_RATE_LIMIT_S = 1800.0
"""A run that is told to wait longer than this in all for one order is stopped; it can be resumed."""


@dataclass(frozen=True, slots=True)
class Purchase:
    """One order's end, told to whoever watches.

    Args:
        order: The order.
        state: How it ended.
        n_pictures: How many pictures it brought.
        charged_usd: What it weighs on the budget.
        fault: What went wrong, if anything did.
    """

    order: Order
    state: OrderState
    n_pictures: int
    charged_usd: Decimal
    fault: Fault | None = None


class Desk:
    """Buys orders for one run.

    Args:
        client: From ``client.connect``.
        terms: What an order costs and should hold.
        ledger: Where orders are reserved and settled.
        folder: The run's folder; pictures go below it.
        limits: The budgets.
        pace: Pictures a minute.
        watch: Told of every order's end.
        now: The time, aware.
        sleep: Waits that many seconds.
    """

    def __init__(
        self,
        *,
        client: AsyncOpenAI,
        terms: Terms,
        ledger: Ledger,
        folder: Path,
        limits: Limits,
        pace: Pace,
        watch: Callable[[Purchase], None] = lambda _: None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self.closed_by: RunoffError | None = None
        self._client = client
        self._terms = terms
        self._ledger = ledger
        self._folder = folder
        self._limits = limits
        self._pace = pace
        self._places = asyncio.Semaphore(terms.provider.concurrency)
        self._watch = watch
        self._now = now
        self._sleep = sleep
        self._n_under_way = 0
        self._settled = asyncio.Condition()

    def close(self, reason: RunoffError) -> None:
        """Send nothing more; what is under way is still awaited. The first reason is kept."""
        self.closed_by = self.closed_by or reason

    async def buy(self, order: Order) -> Purchase | None:
        """Buy one planned order. This spends money: at most the order's estimate is reserved for it.

        Returns:
            How it ended; ``None`` when the desk was closed first: the order stays planned.

        Raises:
            LedgerError: The order is not planned, or the ledger cannot be written; nothing was sent.
            SettingError: The picture came and could not be kept; the order stays ``sent``.
        """
        async with self._places:
            purchase = await self._buy_in_place(order)
        if purchase is not None:
            self._watch(purchase)
        return purchase

    async def _buy_in_place(self, order: Order) -> Purchase | None:
        faults: list[FaultKind] = []
        waited_s = 0.0
        while self.closed_by is None:
            await self._pace.turn(order.n)
            if not await self._reserve(order):
                return None
            outcome, latency_s = await self._send(order)
            if isinstance(outcome, Answer):
                return await self._keep_and_settle(order, outcome, latency_s)
            faults.append(outcome.kind)
            wait_s = _wait_before_next(outcome, faults)
            if outcome.kind is FaultKind.rate_limited:
                waited_s += wait_s or 0
                wait_s = wait_s if waited_s <= LONGEST_RATE_LIMIT_S else None
            if wait_s is None or self.closed_by is not None:
                return await self._settle_fault(order, outcome, latency_s)
            await self._unsend(order, outcome)
            if outcome.kind is FaultKind.server_fault:
                await self._sleep(wait_s)
            else:  # what one order met, the next would meet too: the whole run waits
                self._pace.hold(wait_s)
        return None

    async def _reserve(self, order: Order) -> bool:
        """Reserve and mark as sent; with no room left, wait for what is under way to free some."""
        while self.closed_by is None:
            async with self._settled:
                n_under_way = self._n_under_way
                try:
                    await asyncio.to_thread(self._ledger.orders.send, order, self._limits, self._now())
                except BudgetError as error:
                    if n_under_way == 0:
                        self.close(error)
                        return False
                    await self._settled.wait()
                    continue
                self._n_under_way += 1
                return True
        return False

    async def _send(self, order: Order) -> tuple[Answer | Fault, float]:
        started_s = time.monotonic()
        try:
            parsed, headers = await post(self._client, order, self._terms)
        except openai.APIError as error:
            return fault_of(error, self._terms.api_key), time.monotonic() - started_s
        return read_answer(
            parsed, headers, order, self._terms.expected_tokens(order)
        ), time.monotonic() - started_s

    async def _keep_and_settle(self, order: Order, answer: Answer, latency_s: float) -> Purchase:
        settlement = settlement_of(
            order,
            answer.usage,
            self._terms,
            latency_s=latency_s,
            vendor_request_id=answer.vendor_request_id,
        )

        def settle() -> None:
            receipts = keep(self._folder, order, answer, latency_s)
            self._ledger.orders.settle(order.order_id, settlement, receipts)

        try:
            await self._off_the_way(settle)
        except RunoffError as error:
            self.close(error)
            raise
        charged_usd = order.estimate_usd if settlement.cost_usd is None else settlement.cost_usd
        return Purchase(order, "received", len(answer.pictures), charged_usd)

    async def _settle_fault(self, order: Order, fault: Fault, latency_s: float) -> Purchase | None:
        if fault.kind in (FaultKind.stop_run, FaultKind.unsent, FaultKind.rate_limited):
            self.close(_stop(order, fault))
            await self._unsend(order, fault)
            return None
        settlement = Settlement(
            state=fault.kind.state,
            latency_s=latency_s,
            vendor_request_id=fault.vendor_request_id,
            error_code=fault.code,
            error_message=fault.message,
        )
        await self._off_the_way(lambda: self._ledger.orders.settle(order.order_id, settlement))
        charged_usd = order.estimate_usd if fault.kind.state == "unknown" else Decimal(0)
        return Purchase(order, fault.kind.state, 0, charged_usd, fault)

    async def _unsend(self, order: Order, fault: Fault) -> None:
        await self._off_the_way(lambda: self._ledger.orders.unsend(order.order_id, fault.code, fault.message))

    async def _off_the_way(self, settle: Callable[[], None]) -> None:
        """Run what ends a sending in a thread, and wake whoever waits for the money it frees."""
        try:
            await asyncio.to_thread(settle)
        finally:
            async with self._settled:
                self._n_under_way -= 1
                self._settled.notify_all()


def _wait_before_next(fault: Fault, faults: list[FaultKind]) -> float | None:
    """Tell how long to wait before the order is sent again; ``None`` when it is not."""
    if fault.kind not in RESENT_KINDS:
        return None
    if fault.kind is FaultKind.rate_limited:
        return RATE_LIMIT_WAIT_S if fault.retry_after_s is None else fault.retry_after_s + 0.5
    waits_s = UNSENT_WAITS_S if fault.kind is FaultKind.unsent else SERVER_FAULT_WAITS_S
    n_before = faults.count(fault.kind) - 1
    return waits_s[n_before] if n_before < len(waits_s) else None


def _stop(order: Order, fault: Fault) -> StopRunError:
    return StopRunError(
        where=f"provider {order.provider}, order {order.order_id}",
        what=f"{fault.code}: {fault.message}",
        money="This order was not billed; what was bought before stays and is reported.",
        next_step=f"{_way_out(fault)} Then: runoff run --resume {order.run_id}",
    )


def _way_out(fault: Fault) -> str:
    if fault.kind is FaultKind.unsent:
        return "See that the address and the network are right."
    if fault.kind is FaultKind.rate_limited:
        return "Wait, or lower images_per_minute of the provider."
    if fault.code in ("http_401", "invalid_api_key"):
        return "Set the provider's key anew."
    if fault.code == "model_not_found":
        return "Name another model in the campaign (runoff models lists them)."
    if "verified" in fault.message:
        return "Verify the organization at the provider."
    return "Look at the account's billing and limits at the provider."
