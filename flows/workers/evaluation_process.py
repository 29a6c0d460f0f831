"""Starting the process that evaluates a run: a program of its own, or forked from a command ahead of its run.

A program loads what the command has loaded already, most of a second of processor time. So on Linux a command
forks before it has a second thread and before it holds anything: the forked process keeps the modules and
nothing else, and waits until it is told of a run.
"""

import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.connection import Connection
from socket import socketpair

from flows.own_program import program_words

MANY_PICTURES = 50
"""From so many on a process of its own ends a run sooner, for half a second of processor time more: 60
pictures of 0.2 s each in 3.5 s, not 3.8."""

PROGRAM = "import gc; gc.disable(); from flows.workers.evaluation_program import main; main(int(sys.argv[1]))"


@dataclass(frozen=True)
class EvaluationProcess:
    """A process that waits to be told of a run.

    Args:
        connection: What it is told, and what it answers.
        kill: Ends it at once.
        wait: Waits for its end, seconds at most; returns its exit status, negative for a signal, or ``None``.
    """

    connection: Connection
    kill: Callable[[], None]
    wait: Callable[[float | None], int | None]

    def close(self) -> None:
        """End the process, whatever it does, and wait until it has ended."""
        self.kill()
        self.wait(None)
        self.connection.close()


_FORKED: ContextVar[list[EvaluationProcess] | None] = ContextVar("forked", default=None)
"""What ``forked_ahead`` has forked, until a run takes it."""


def gains_by_process(n_pictures: int) -> bool:
    """Whether a run of so many pictures ends sooner if a process of its own evaluates them."""
    return n_pictures >= MANY_PICTURES and os.name == "posix" and (os.cpu_count() or 1) > 1


@contextmanager
def forked_ahead(n_pictures: int) -> Iterator[None]:
    """Fork the process for a run that is made inside, where that is safe and gains time.

    Args:
        n_pictures: How many pictures may have to be evaluated.
    """
    forked = []
    # A thread may hold a lock, which would never be released in the other process; macOS has its own threads.
    if sys.platform == "linux" and threading.active_count() == 1 and gains_by_process(n_pictures):
        with suppress(OSError):  # no more processes or files are allowed
            forked = [_fork()]
    token = _FORKED.set(forked)
    try:
        yield
    finally:
        _FORKED.reset(token)
        for process in forked:
            process.close()


def start_process() -> EvaluationProcess:
    """Take the process that was forked ahead, or start one.

    Raises:
        OSError: No more processes or files are allowed.
    """
    return forked.pop() if (forked := _FORKED.get()) else _spawn()


def _spawn() -> EvaluationProcess:
    ours, theirs = socketpair()
    with theirs:
        child = subprocess.Popen(
            program_words(PROGRAM, str(theirs.fileno())),
            pass_fds=[theirs.fileno()], stdin=subprocess.DEVNULL,
            process_group=0,  # Ctrl-C in the terminal is for the run, which still needs it
        )  # fmt: skip

    def wait(limit_s: float | None) -> int | None:
        with suppress(subprocess.TimeoutExpired):
            child.wait(limit_s)
        return child.returncode

    return EvaluationProcess(Connection(ours.detach()), child.kill, wait)


def _fork() -> EvaluationProcess:
    ours, theirs = socketpair()
    with theirs:
        child = get_context("fork").Process(target=_evaluate, args=(theirs.fileno(),), daemon=True)
        child.start()

    def wait(limit_s: float | None) -> int | None:
        child.join(limit_s)
        return child.exitcode

    return EvaluationProcess(Connection(ours.detach()), child.kill, wait)


def _evaluate(descriptor: int) -> None:
    """Evaluate in the forked process, which keeps no file of the other one's open but its outputs.

    The null device takes the place of each: what was opened there may still be closed here, by its number.
    """
    os.setpgid(0, 0)
    nowhere = os.open(os.devnull, os.O_RDONLY)
    for name in os.listdir("/proc/self/fd"):  # noqa: PTH208 - numbers, not paths
        if int(name) not in (1, 2, descriptor, nowhere):
            os.dup2(nowhere, int(name), inheritable=False)
    from flows.workers.evaluation_program import main

    main(descriptor)
