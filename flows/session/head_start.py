"""The head start of a new run: its first requests are sent while Prefect is still being loaded.

The run is opened here, and the flow takes it over as it is: it finds these orders begun, and awaits them in
its first batches. Whoever is killed in between leaves what any killed run leaves: orders that the ledger has
as sent. Without a flow, what was sent is awaited and kept, and the run is stopped.
"""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass

from flows.runs.progress import RelayDisplay, current_display, showing
from flows.session.prepare import Prepared
from flows.session.session import Purpose, Session, open_session
from tasks.campaign.briefs import missing_briefs
from tasks.catalogue.providers import Provider
from tasks.errors import EngineError, RunError, RunoffError
from tasks.money import count_of
from tasks.order import Order
from tasks.tracing import wants_traces

ORDERS_PER_TASK = 50
SENDING_S = 0.3
"""How long the first requests may take to be sent before something else is loaded beside them."""
LOOK_S, RESERVING_S = 0.01, 0.05
"""How often that is looked at, and how long reserving the last of them takes."""


@dataclass
class HeadStart:
    """A run that is open, whose first drafts are being bought.

    Args:
        run: The run.
        n_begun: How many orders were begun.
        closing: Closes the run.
    """

    run: Session
    n_begun: int
    closing: AsyncExitStack
    is_taken: bool = False

    def take(self) -> AsyncExitStack:
        """Take the run over: whoever does closes it."""
        self.is_taken = True
        return self.closing.pop_all()


_AHEAD: ContextVar[HeadStart | None] = ContextVar("ahead", default=None)


@asynccontextmanager
async def head_start(prepared: Prepared) -> AsyncIterator[None]:
    """Open a new run and begin to buy its first drafts. This spends money, within the run's budgets.

    Args:
        prepared: The prepared run, which no process has begun.

    Raises:
        EngineError: The flow inside could not begin; what was sent until then is kept, which it says.
        RunoffError: See ``open_session``.
    """
    with showing(RelayDisplay(current_display())):
        async with AsyncExitStack() as closing:
            run = await closing.enter_async_context(open_session(prepared))
            closing.push_async_callback(_end_begun, run)
            orders = first_orders(run)
            run.buyer.begin(orders)
            await _until_sent(run, len(orders))
            ahead = HeadStart(run, len(orders), closing)
            token = _AHEAD.set(ahead)
            try:
                yield
            except EngineError as error:
                if ahead.is_taken or not orders:
                    raise
                raise _said_with_money(error, ahead) from error
            finally:
                _AHEAD.reset(token)


@asynccontextmanager
async def taken_over(prepared: Prepared, purpose: Purpose) -> AsyncIterator[Session]:
    """Take over the run that ``head_start`` has opened, or open it; it is closed at the end.

    Args:
        prepared: The prepared run.
        purpose: What it is opened for.

    Raises:
        RunoffError: See ``open_session``.
    """
    ahead = _AHEAD.get()
    if ahead is None or ahead.run.prepared is not prepared or ahead.is_taken:
        async with open_session(prepared, purpose) as run:
            yield run
        return
    async with ahead.take():
        yield ahead.run


def first_orders(run: Session) -> list[Order]:
    """List the drafts of a run that its flow would begin with at each provider, in their sequence.

    None with workers, which buy by themselves, none where statements are to be written first, and none where
    traces are made: an order's span is a part of the flow's.
    """
    is_traced = wants_traces(run.prepared.settings.environ)
    if run.pool is not None or run.is_out or is_traced or missing_briefs(run.campaign):
        return []
    left: dict[str, int] = {}
    chosen = []
    for order in run.planned("draft"):
        most = left.setdefault(order.provider, _n_at_once(run, order.provider))
        if order.lane == "interactive" and most:
            left[order.provider] = most - 1
            chosen.append(order)
    return chosen


def batches_at_once(provider: Provider) -> int:
    """Return how many batches of a provider are made at once: two more than can be in flight.

    The buyer must never wait for work.
    """
    return provider.concurrency // ORDERS_PER_TASK + 2


def _n_at_once(run: Session, name: str) -> int:
    return ORDERS_PER_TASK * batches_at_once(run.prepared.terms.at(name).provider)


async def _until_sent(run: Session, n_orders: int) -> None:
    """Wait until the first requests are sent, for a moment at most."""
    most = sum(run.prepared.terms.at(name).provider.concurrency for name in run.campaign.sellers)
    until_s = time.monotonic() + SENDING_S
    while run.buyer.n_in_flight < min(n_orders, most) and time.monotonic() < until_s:
        await asyncio.sleep(LOOK_S)
    await asyncio.sleep(RESERVING_S)


async def _end_begun(run: Session) -> None:
    """Wait for what is in flight and was not awaited by the flow, and send nothing more."""
    if run.buyer.begun:
        reason = RunError(
            where=f"run {run.run_id}",
            what="ended before its flow awaited its requests",
            money="What was bought is kept.",
            next_step=_resume(run),
        )
        run.buyer.close(reason)
        with suppress(RunoffError):  # whoever ended it has an error to tell
            await run.buyer.await_begun()


def _said_with_money(error: EngineError, ahead: HeadStart) -> EngineError:
    requests = count_of(ahead.n_begun, "request")
    return EngineError(
        where=error.where,
        what=error.what,
        accepted=error.accepted,
        money=f"Of {requests} that had begun, what was bought is kept.",
        next_step=f"{error.next_step} Then: {_resume(ahead.run)}".strip(),
    )


def _resume(run: Session) -> str:
    return f"runoff run --resume {run.run_id}"
