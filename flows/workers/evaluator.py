"""Where a run's pictures are evaluated: in a process of its own, or in threads of this one.

Evaluating takes as much of the interpreter as buying does, and an interpreter does one thing at a time. So a
run of many pictures is evaluated in a process beside the one that buys. That process loads what it needs
while the buying one loads Prefect, and works on the same ledger and files, as a worker on another machine
would. It buys nothing and holds no lock. However the process that started it ends, it ends at once, and
leaves what any killed process leaves. Should it end first, the other one goes on in threads.
"""

import asyncio
import itertools
import signal
import sys
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, TypeVar, cast

from flows.evaluation.looks import forget_looks
from flows.runs.run import StoredRun
from flows.workers.evaluation_process import gains_by_process, start_process
from tasks.campaign import Campaign

P = ParamSpec("P")
T = TypeVar("T")
Evaluation = Callable[Concatenate[StoredRun, P], T]
Say = Callable[[str], None]

END_LIMIT_S = 5.0


@dataclass(frozen=True)
class Opening:
    """What the process needs to know of a run before it evaluates any of it.

    Args:
        path: Where this process finds modules.
        home: The home's folder.
        environ: The environment that the run is made by.
        run_id: The run.
        hold: The token of the run's hold in the ledger; empty with a SQLite ledger.
    """

    path: tuple[str, ...]
    home: Path
    environ: dict[str, str]
    run_id: str
    hold: str


@dataclass(frozen=True, slots=True)
class Request:
    """One evaluation that the process is to do, and the campaign that it is done by."""

    number: int
    campaign: Campaign | None
    evaluation: Callable[..., Any]
    args: tuple[Any, ...]
    kwargs: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of a request: a result or an error. Without a number it is a line for people."""

    number: int | None
    result: Any = None
    error: Exception | None = None
    line: str = ""


class Evaluator:
    """Evaluates a run: in its process, or in threads of this one where it has none or lost it."""

    def __init__(self, process: "_Process | None" = None) -> None:
        self._process = process

    @property
    def is_apart(self) -> bool:
        """Whether a process of its own evaluates the run."""
        return self._process is not None

    async def evaluate(
        self, run: StoredRun, evaluation: Evaluation[P, T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Call a function of ``flows.evaluation``, or one like them: what it does can be done again.

        Args:
            run: The run.
            evaluation: The function, by its name in its module.
            args: What it takes besides; small, because a process gets a copy.
            kwargs: More of it.

        Returns:
            What the function returns.

        Raises:
            Exception: What the function raises.
        """
        process = self._process
        if process is not None:
            try:
                return cast("T", await process.do(run.other_campaign, evaluation, args, kwargs))
            except _ProcessEndedError as ended:
                if self._process is not None:  # of several that were awaited, the first one says so
                    self._process = None
                    process.say(str(ended))
        return await asyncio.to_thread(evaluation, run, *args, **kwargs)


class _ProcessEndedError(Exception):
    """The process has ended, and with it whatever it had not answered."""


class _Process:
    """The process, from this side."""

    def __init__(self, opening: Opening, say: Say, loop: asyncio.AbstractEventLoop) -> None:
        self.say = say
        self._loop = loop
        self._numbers = itertools.count()
        self._sending = threading.Lock()
        self._awaited: dict[int, asyncio.Future[Any]] = {}
        self._started = start_process()
        self._send(opening)
        threading.Thread(target=self._read, name="evaluation", daemon=True).start()

    async def do(
        self,
        campaign: Campaign | None,
        evaluation: Callable[..., Any],
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
    ) -> object:
        """Have an evaluation done.

        Raises:
            _ProcessEndedError: The process ended first.
            Exception: What the evaluation raises.
        """
        number = next(self._numbers)
        awaited = self._awaited[number] = self._loop.create_future()
        try:
            try:
                await asyncio.to_thread(self._send, Request(number, campaign, evaluation, args, kwargs))
            except OSError as fault:
                raise await asyncio.to_thread(self._ended) from fault
            answer: Answer | None = await awaited
            if answer is None:
                raise await asyncio.to_thread(self._ended)
        finally:
            del self._awaited[number]
        if answer.error is not None:
            raise answer.error
        return answer.result

    def _send(self, message: Opening | Request) -> None:
        with self._sending:
            self._started.connection.send(message)

    def _read(self) -> None:
        """Pass on what it answers, in a thread, until it ends or says what cannot be understood."""
        try:
            while True:
                answer: Answer = self._started.connection.recv()
                if answer.number is None:
                    self.say(answer.line)
                else:
                    self._loop.call_soon_threadsafe(self._settle, answer.number, answer)
        except (EOFError, OSError):
            pass
        except Exception:
            self._started.kill()  # or what is asked of it later would be awaited for ever
        with suppress(RuntimeError):  # the loop has ended too
            self._loop.call_soon_threadsafe(self._settle_all)

    def _settle(self, number: int, answer: Answer | None) -> None:
        awaited = self._awaited.get(number)
        if awaited is not None and not awaited.done():
            awaited.set_result(answer)

    def _settle_all(self) -> None:
        for number in self._awaited:
            self._settle(number, None)

    def _ended(self) -> _ProcessEndedError:
        status = self._started.wait(END_LIMIT_S)
        if status is None:
            self._started.kill()
            status = cast("int", self._started.wait(None))
        how = f"was ended by signal {-status}" if status < 0 else f"ended with status {status}"
        if status == -signal.SIGKILL:
            how += ", as when memory runs out"
        what = f"The process that evaluates the pictures {how}."
        return _ProcessEndedError(f"{what} Nothing is lost: this one goes on without it.")

    def close(self) -> None:
        """End the process, whatever it does, and wait until it has ended."""
        self._started.close()


@asynccontextmanager
async def open_evaluator(stored: StoredRun, n_pictures: int, hold: str, say: Say) -> AsyncIterator[Evaluator]:
    """Start a process to evaluate a run in, if that gains time; it is ended at the end.

    Args:
        stored: The run.
        n_pictures: How many pictures may have to be evaluated.
        hold: The token of its hold in the ledger; empty with a SQLite ledger.
        say: Shows one line for people, from any thread.
    """
    process = None
    if gains_by_process(n_pictures):
        settings = stored.settings
        opening = Opening(tuple(sys.path), settings.home, dict(settings.environ), stored.run_id, hold)
        with suppress(OSError):  # no more processes or files are allowed: threads do the same
            process = await asyncio.to_thread(_Process, opening, say, asyncio.get_running_loop())
    try:
        yield Evaluator(process)
    finally:
        if process is not None:
            await asyncio.to_thread(process.close)
        forget_looks(stored.folder)
