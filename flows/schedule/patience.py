"""Patience with a flow run's process that was told to end: it may wait for answers that are paid for.

Prefect 3.8.8 kills a process 30 s after it was told, if a run is cancelled or its worker stops. An answer
may take an hour, several large pictures three, and would be paid and lost. A process that is told a second
time ends at once: so it is told once, however many reasons there are.
"""

import asyncio
import contextlib
import os
import signal
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID

from prefect.runner._process_manager import ProcessManager

from flows.engine.registry import is_alive

PATIENCE_S = 4 * 3600.0
"""How long a process may take: longer than an answer with the most and largest pictures, and a report."""
HURRY_S = 10.0
"""How long it may take once everything is to end at once: it still says what is lost."""
RECORD_S = 6.0
"""How long Prefect's server may take to record that the flow runs ended, once their processes are gone."""
UNRECORDED = "has not recorded the end of what ran here"
"""What is said of a server that is left."""
LOOK_S = 0.2


class Patience:
    """How this process's flow runs are told to end, and how long they may take."""

    def __init__(self) -> None:
        self._told: set[int] = set()
        self._hurried_s: float | None = None

    def tell(self, pids: Iterable[int]) -> bool:
        """Tell processes to end, each once; returns whether there are any."""
        pids = list(pids)
        for pid in pids:
            if pid not in self._told:
                self._told.add(pid)
                _signal(pid)
        return bool(pids)

    async def see_off(self, pids: Callable[[], Iterable[int]]) -> None:
        """Return once no process has been there for ``RECORD_S``: nobody waits longer for Prefect's server.

        Args:
            pids: Lists the processes now; one that was started meanwhile is told too.
        """
        gone_s = time.monotonic()
        while time.monotonic() - gone_s <= RECORD_S:
            now = list(pids())
            self.tell(now)
            if any(map(is_alive, now)):
                gone_s = time.monotonic()
            await asyncio.sleep(LOOK_S)

    def hurry(self, pids: Iterable[int]) -> None:
        """Tell processes to end at once, and wait for none of them much longer."""
        self._hurried_s = time.monotonic()
        for pid in pids:
            _signal(pid)

    @contextmanager
    def with_flow_runs(self) -> Iterator[None]:
        """Let flow runs end by themselves where Prefect would kill them."""
        prefects = ProcessManager.kill

        async def kill(
            manager: ProcessManager, flow_run_id: UUID, grace_seconds: float = 30, *, force: bool = False
        ) -> None:
            handle = manager.get(flow_run_id)
            if handle is None or handle.pid is None or force:
                await prefects(manager, flow_run_id, grace_seconds, force=force)
            else:
                self.tell([handle.pid])
                await self._end(handle)
                self._told.discard(handle.pid)

        replaceable: Any = ProcessManager
        replaceable.kill = kill
        try:
            yield
        finally:
            replaceable.kill = prefects

    async def _end(self, handle: Any) -> None:  # noqa: ANN401 - Prefect's
        began_s = time.monotonic()
        while handle.is_alive():
            now_s = time.monotonic()
            is_late = self._hurried_s is not None and now_s - self._hurried_s > HURRY_S
            if is_late or now_s - began_s > PATIENCE_S:
                with contextlib.suppress(OSError):
                    handle.hard_kill()
                return
            await asyncio.sleep(LOOK_S)


def _signal(pid: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGTERM)
