"""Prefect's worker for flow runs in processes, stopped so that those under way end by themselves.

Prefect 3.8.8 kills them 30 s after its worker was stopped, or after a flow run was cancelled. What they had
asked a provider for by then would be paid and lost.
"""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from prefect.workers.process import ProcessWorker, ProcessWorkerResult

from flows.runs.stop_signals import (
    STOP_SIGNALS,
    Presses,
    handling,
    is_ignored,
    stopping_line,
)
from flows.schedule.patience import HURRY_S, LOOK_S, UNRECORDED, Patience


class DrainingWorker(ProcessWorker):
    """A worker that a signal asks to stop: it takes no more flow runs, and awaits those that it has.

    Prefect's server is not awaited: one that does not record the ends of the flow runs is left after
    ``RECORD_S``.
    Each flow run's process is asked by SIGTERM: it sends no more orders, and waits for those in flight. A
    second Ctrl-C or SIGTERM ends everything at once; each process says what is lost.

    Args:
        pool: The work pool, of the type ``process``.
        say: Prints one line for the user.
        give_up: Called with what the server failed to do, when it is left.
        limit: The most flow runs at once; ``None`` for no limit.
        name: The worker's name in Prefect's UI; ``None`` for one that Prefect makes.
    """

    type = "draining-process"  # registered as a type of its own, so that Prefect's worker is not replaced

    def __init__(
        self,
        pool: str,
        say: Callable[[str], None],
        give_up: Callable[[str], None],
        *,
        limit: int | None = None,
        name: str | None = None,
    ) -> None:
        super().__init__(work_pool_name=pool, limit=limit, name=name)
        self._say = say
        self._give_up = give_up
        self._presses = Presses()
        self._patience = Patience()
        self._n_runs = 0
        self._pids: set[int] = set()

    async def work(self) -> None:
        """Work until a signal comes, and then until the flow runs under way have ended."""
        working = asyncio.ensure_future(self.start(printer=self._say))
        draining: list[asyncio.Task[None]] = []

        def asked(number: int) -> None:
            if self._presses.is_first(number):
                draining.append(asyncio.create_task(self._drain(working)))
            elif self._presses.is_second(number):
                self._patience.hurry(self._pids)  # each records and says what it loses
                asyncio.get_running_loop().call_later(HURRY_S, working.cancel)

        numbers = [one for one in STOP_SIGNALS if not is_ignored(one)]
        with handling(numbers, asked), self._patience.with_flow_runs():
            with suppress(asyncio.CancelledError):
                await working
            for task in draining:
                await task

    async def _drain(self, working: "asyncio.Future[None]") -> None:
        if self._patience.tell(self._pids):
            self._say(stopping_line())
        seeing_off = asyncio.create_task(self._patience.see_off(lambda: self._pids))
        while self._n_runs and not working.done() and not seeing_off.done():
            await asyncio.sleep(LOOK_S)
        if self._n_runs and seeing_off.done():
            self._give_up(UNRECORDED)
        seeing_off.cancel()
        working.cancel()

    async def get_and_submit_flow_runs(self) -> list[Any]:
        """Take flow runs that are due; none once the worker was asked to stop."""
        return [] if self._presses.is_asked else await super().get_and_submit_flow_runs()

    async def run(self, flow_run: Any, configuration: Any, task_status: Any = None) -> ProcessWorkerResult:  # noqa: ANN401
        """Run a flow run in a process of its own, as Prefect's worker does.

        Args:
            flow_run: The flow run.
            configuration: How to start its process.
            task_status: Told the process's id once it is started.
        """
        noted: Any = _NotedProcess(self._pids, task_status)
        self._n_runs += 1
        try:
            return await super().run(flow_run, configuration, noted)
        finally:
            self._n_runs -= 1
            noted.forget()


DrainingWorker.type = "process"  # to the server and its work pool it is one


class _NotedProcess:
    """A task's status that notes the process which was started."""

    def __init__(self, pids: set[int], status: Any) -> None:  # noqa: ANN401
        self._pids, self._status = pids, status
        self._pid: int | None = None

    def started(self, value: int) -> None:
        """Note the process's id, and pass it on."""
        self._pid = value
        self._pids.add(value)
        if self._status is not None:
            self._status.started(value)

    def forget(self) -> None:
        """The process has ended."""
        if self._pid is not None:
            self._pids.discard(self._pid)
