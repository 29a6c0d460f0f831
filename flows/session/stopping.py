"""Stopping a session: a signal, or a run that somebody cancelled for good.

Either closes the buyers: nothing more is sent, and requests in flight are awaited, because they are paid for.
A second signal ends the process at once; what was in flight then is recorded as unknown, and that is said.
"""

import asyncio
import contextlib
import signal
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING

from flows.runs.progress import Display
from flows.runs.stop_signals import (
    HANGUP,
    STOP_SIGNALS,
    Presses,
    handling,
    is_ignored,
    stopping_line,
)
from flows.session.prepare import Prepared
from tasks.campaign.succession import FINALS, JUDGES
from tasks.errors import InterruptError, LedgerError
from tasks.ledger import Ledger
from tasks.money import count_of, format_usd

if TYPE_CHECKING:
    from tasks.images_api.buyer import Buyer
    from tasks.images_api.sellers import Sellers

LOOK_S = 1.0
"""How often the ledger is asked whether the run was cancelled."""


class Stopping:
    """The stop of one session.

    Args:
        prepared: The run.
        ledger: The ledger.
        buyers: What buys; the first one counts.
        display: Where people are told.
        has_workers: Requests are in flight at workers too, which complete them by themselves.
    """

    def __init__(
        self,
        prepared: Prepared,
        ledger: Ledger,
        buyers: "Sequence[Sellers | Buyer]",
        display: Display,
        *,
        has_workers: bool,
    ) -> None:
        self._prepared, self._ledger = prepared, ledger
        self._buyers, self._display = buyers, display
        self._has_workers = has_workers
        self._presses = Presses()

    def by_signal(self, number: int) -> None:
        """Stop, or end at once if that was asked for before; a closed terminal cannot mean that."""
        if self._presses.is_first(number):
            self._close()
            if number != HANGUP:
                in_flight = None if self._has_workers else sum(one.n_in_flight for one in self._buyers)
                self._display.say(stopping_line(in_flight))
        elif self._presses.is_second(number):
            self._end_at_once(number)

    def for_good(self) -> None:
        """Stop because the ledger has the run as cancelled; a signal that says the same is the first."""
        self._display.say(f"Run {self._prepared.run_id} was cancelled; requests in flight are awaited.")
        self._close()

    async def watch(self) -> None:
        """Look into the ledger until the run is cancelled there."""
        while True:
            await asyncio.sleep(LOOK_S)
            with contextlib.suppress(LedgerError):  # whoever buys will report it
                if await asyncio.to_thread(self._ledger.runs.is_cancelled, self._prepared.run_id):
                    self.for_good()
                    return

    def _close(self) -> None:
        reason = InterruptError(
            where=f"run {self._prepared.run_id}",
            what="was interrupted",
            money="What was bought is kept; the ledger is consistent.",
            next_step=f"Resume it with: {_resume_command(self._prepared)}",
        )
        for buyer in self._buyers:
            buyer.close(reason)

    def _end_at_once(self, number: int) -> None:
        """End the process as if nobody handled the signal, after recording and saying what that costs."""
        loop = asyncio.get_running_loop()
        # A third press may cut this short; the same stop, passed on by a parent, may not.
        loop.remove_signal_handler(signal.SIGINT)
        self._display.say(self._loss())
        for handled in STOP_SIGNALS:
            loop.remove_signal_handler(handled)
        signal.raise_signal(number)

    def _loss(self) -> str:
        """Record the requests in flight as unknown, and describe them."""
        if self._has_workers:
            cost = "Requests in flight are completed and recorded by the workers."
        else:
            try:
                cost = self._record_loss()
            except LedgerError:
                cost = "Requests in flight become unknown, and stay charged, when the run is resumed."
        return f"Ended at once. {cost} Resume with: {_resume_command(self._prepared)}"

    def _record_loss(self) -> str:
        from tasks.images_api.recover_sent import recover_sent

        run_id = self._prepared.run_id
        sent = {record.order.order_id: record.order for record in self._ledger.orders.of_run(run_id, "sent")}
        recover_sent(self._ledger, run_id, self._prepared.folder, self._prepared.terms)
        lost = [
            sent[record.order.order_id]
            for record in self._ledger.orders.of_run(run_id, "unknown")
            if record.order.order_id in sent
        ]
        self._ledger.runs.end(run_id, "stopped", datetime.now(UTC))
        if not lost:
            return "No request was in flight."
        most_usd = sum((order.estimate_usd for order in lost), Decimal(0))
        requests = count_of(len(lost), "request")
        return (
            f"{requests} in flight may have been billed: recorded as unknown, charged at "
            f"{format_usd(most_usd)}. See: runoff ledger unknown, runoff ledger reconcile."
        )


def _resume_command(prepared: Prepared) -> str:
    if prepared.needed == JUDGES:
        return f"runoff judge {prepared.run_id} --ask-again N"
    command = "promote" if prepared.needed == FINALS else "run --resume"
    return f"runoff {command} {prepared.run_id}"


@asynccontextmanager
async def stopped_from_outside(stopping: Stopping) -> AsyncIterator[None]:
    """Let signals and a cancellation in the ledger stop a session as long as the block lasts."""
    wanted = (one for one in STOP_SIGNALS if one != HANGUP or not is_ignored(one))
    watching = asyncio.create_task(stopping.watch())
    try:
        with handling(wanted, stopping.by_signal):
            yield
    finally:
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)
