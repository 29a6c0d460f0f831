"""Prefect's runner, stopped so that the flow runs under way end by themselves.

Prefect 3.8.8 ends their processes within a second, and what they had asked a provider for would be paid and
lost.
"""

import asyncio
import signal
from collections.abc import Callable

from prefect.runner import Runner

from flows.runs.stop_signals import (
    STOP_SIGNALS,
    Presses,
    handling,
    is_ignored,
    stopping_line,
)
from flows.schedule.patience import HURRY_S, UNRECORDED, Patience


class DrainingRunner(Runner):
    """A runner that a signal asks to stop: nothing new is started, and what is under way is awaited.

    Prefect's server is not: one that does not record the ends of the flow runs is left after ``RECORD_S``.
    Each flow run's process is asked by SIGTERM: it sends no more orders, and waits for those in flight. A
    second Ctrl-C or SIGTERM ends everything at once; each process says what is lost.

    Args:
        say: Prints one line for the user.
        give_up: Called with what the server failed to do, when it is left.
        limit: The most flow runs at once; ``None`` for no limit.
    """

    def __init__(
        self, say: Callable[[str], None], give_up: Callable[[str], None], *, limit: int | None = None
    ) -> None:
        super().__init__(pause_on_shutdown=False, limit=limit)
        self._say = say
        self._give_up = give_up
        self._presses = Presses()
        self._patience = Patience()
        self._main: asyncio.Task[None] | None = None
        self._last_resort: asyncio.TimerHandle | None = None
        self._leaving: asyncio.Task[None] | None = None

    async def start(self, *_: object, **__: object) -> None:
        """Serve until a signal comes, and then until the flow runs under way have ended."""
        self._main = asyncio.current_task()
        # Prefect takes SIGTERM, and passes it to `handle_sigterm`: taken here too, one would count as two.
        numbers = [one for one in STOP_SIGNALS if one != signal.SIGTERM and not is_ignored(one)]
        with handling(numbers, self._asked), self._patience.with_flow_runs():
            try:
                await super().start()
            except asyncio.CancelledError:
                if not self.stopping:
                    raise
            finally:
                if self._last_resort is not None:
                    self._last_resort.cancel()
                if self._leaving is not None:
                    self._leaving.cancel()

    def handle_sigterm(self, *_: object, **__: object) -> None:
        """Prefect's handler of SIGTERM; its own awaits nothing, and so stops nothing."""
        asyncio.get_running_loop().call_soon_threadsafe(self._asked, signal.SIGTERM)

    def _asked(self, number: int) -> None:
        if self._presses.is_first(number):
            self._drain()
        elif self._presses.is_second(number) and self._main is not None:
            # Each records and says what it loses; the start ends with them.
            self._patience.hurry(self._pids())
            self._last_resort = asyncio.get_running_loop().call_later(HURRY_S, self._main.cancel)

    def _drain(self) -> None:
        self.started, self.stopping = False, True
        self._scheduled_run_poller.stopping = True
        if self._patience.tell(self._pids()):
            self._say(stopping_line())
        self._loops_task_group.cancel_scope.cancel()
        self._leaving = asyncio.create_task(self._leave())

    async def _leave(self) -> None:
        await self._patience.see_off(self._pids)
        self._give_up(UNRECORDED)
        if self._main is not None:
            self._main.cancel()

    def _pids(self) -> list[int]:
        handles = self._process_manager._process_map.values()
        return [handle.pid for handle in handles if handle.pid is not None]
