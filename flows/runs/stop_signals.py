"""The signals that ask a process to stop: Ctrl-C, a scheduler's SIGTERM, and a terminal that is closed."""

import asyncio
import os
import signal
import stat
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

HANGUP = getattr(signal, "SIGHUP", None)
"""The terminal was closed; Windows has no such signal."""
STOP_SIGNALS = [one for one in (signal.SIGINT, signal.SIGTERM, HANGUP) if one is not None]
SAME_STOP_S = 2.0
"""Signals within so many seconds are one stop: a terminal or an init system tells the parent and the child,
and the parent passes it on."""
SAME_PRESS_S = 0.3
"""The same for Ctrl-C after Ctrl-C: a terminal sends it once, and who passes a stop on sends SIGTERM."""


class Presses:
    """Tells the first signal to stop from a second one, which asks to end at once."""

    def __init__(self) -> None:
        self._first: tuple[int, float] | None = None

    @property
    def is_asked(self) -> bool:
        """Whether a stop was asked for."""
        return self._first is not None

    def is_first(self, number: int) -> bool:
        """Take a signal; returns whether it is the first."""
        if self._first is not None:
            return False
        self._first = (number, time.monotonic())
        return True

    def is_second(self, number: int) -> bool:
        """Return whether a later signal is a stop of its own; a closed terminal cannot mean "at once"."""
        if self._first is None or number == HANGUP:
            return False
        first, first_s = self._first
        is_pressed_again = number == first == signal.SIGINT
        return time.monotonic() - first_s >= (SAME_PRESS_S if is_pressed_again else SAME_STOP_S)


def stopping_line(n_in_flight: int | None = None) -> str:
    """Say that a stop was asked for, and what is awaited.

    Args:
        n_in_flight: How many requests are in flight, if known.
    """
    if n_in_flight == 0:
        return "Stopping: no request is in flight."
    awaited = "requests in flight, which are" if n_in_flight is None else _counted(n_in_flight)
    return f"Stopping: waiting for the {awaited} paid for. Press Ctrl-C again to exit at once and lose them."


def _counted(n_in_flight: int) -> str:
    return (
        "request in flight, which is" if n_in_flight == 1 else f"{n_in_flight} requests in flight, which are"
    )


def is_ignored(number: int) -> bool:
    """Return whether this process was started with a signal ignored: by nohup, or in a shell's background."""
    return signal.getsignal(number) == signal.SIG_IGN


@contextmanager
def handling(numbers: Iterable[int], asked: Callable[[int], None]) -> Iterator[None]:
    """Have the running loop call a function for each of these signals; not on Windows or in another thread.

    Args:
        numbers: The signals.
        asked: Called with the signal's number; a closed terminal has been left then.
    """
    loop = asyncio.get_running_loop()

    def handle(number: int) -> None:
        if number == HANGUP:
            _leave_terminal()
        asked(number)

    before = {number: signal.getsignal(number) for number in numbers}
    try:
        for number in before:
            loop.add_signal_handler(number, handle, number)
    except (NotImplementedError, RuntimeError, ValueError):
        yield
        return
    try:
        yield
    finally:
        for number, handler in before.items():
            if loop.remove_signal_handler(number):  # which leaves the default handler
                signal.signal(number, handler)


@contextmanager
def noted_stops() -> Iterator[list[int]]:
    """Note the signals that ask to stop, for a server that handles SIGINT and SIGTERM and passes them on.

    A closed terminal counts as SIGTERM for such a server; it is noted before it.

    Yields:
        The signals, in the order in which they came; those that were ignored before stay ignored.
    """
    noted: list[int] = []

    def note(number: int, _: object) -> None:
        noted.append(number)
        if number == HANGUP:
            _leave_terminal()
            signal.raise_signal(signal.SIGTERM)

    before = {number: signal.signal(number, note) for number in STOP_SIGNALS if not is_ignored(number)}
    try:
        yield noted
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _leave_terminal() -> None:
    """Print to nowhere from now on: writing to a terminal that is gone raises, in the middle of any step."""
    nowhere = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        if _is_device(stream):
            os.dup2(nowhere, stream)
    os.close(nowhere)


def _is_device(stream: int) -> bool:
    """Whether a stream is no file or pipe; ``isatty`` denies a terminal that is gone."""
    try:
        return stat.S_ISCHR(os.fstat(stream).st_mode)
    except OSError:
        return True
