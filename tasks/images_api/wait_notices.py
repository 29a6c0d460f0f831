"""Says what is waited for, until when and why, so that no long wait is silent.

Each reason is told after ten seconds, then at growing intervals; waits for the same reason are told together.
"""

import asyncio
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

from tasks.money import count_of

SHOW_AFTER_S = 10.0
LONGEST_GAP_S = 300.0
"""The longest time between two lines about the same reason."""


@dataclass(eq=False, slots=True)
class _Wait:
    reason: str
    details: str
    since_s: float
    until_s: Callable[[], float | None]


class WaitNotices:
    """The waits of one process for one provider.

    Args:
        say: Shows one line to people.
        show_after_s: How long a wait may be silent, seconds.
        clock: Seconds that only go up.
    """

    def __init__(
        self,
        say: Callable[[str], None] = lambda _: None,
        show_after_s: float = SHOW_AFTER_S,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.say = say
        self._show_after_s = show_after_s
        self._clock = clock
        self._waits: list[_Wait] = []
        self._gaps_s: dict[str, float] = {}
        self._due_s: dict[str, float] = {}
        self._timer: asyncio.TimerHandle | None = None

    @contextmanager
    def waiting(
        self,
        reason: str,
        within_s: float | None = None,
        until_s: Callable[[], float | None] = lambda: None,
        details: str = "",
    ) -> Iterator[None]:
        """Note a wait for as long as the block runs; call it in a running event loop.

        Args:
            reason: What is waited for, such as "for the provider's answer"; equal ones are told together.
            within_s: How long it may take at most, seconds; ``None`` if not known.
            until_s: When it ends, by the clock; asked when the wait is told. Used without ``within_s``.
            details: More about the reason, such as the provider's message; told once for equal reasons.
        """
        now_s = self._clock()
        end_s = until_s if within_s is None else lambda: now_s + within_s
        wait = _Wait(reason, details, now_s, end_s)
        self._waits.append(wait)
        self._arm()
        try:
            yield
        finally:
            self._waits.remove(wait)
            if not self._waits and self._timer is not None:
                self._timer.cancel()
                self._timer = None

    def _arm(self) -> None:
        if self._timer is None and self._waits:
            due_s = min(
                max(w.since_s + self._show_after_s, self._due_s.get(w.reason, 0.0)) for w in self._waits
            )
            in_s = min(max(due_s - self._clock(), self._show_after_s / 20), self._show_after_s / 2)
            self._timer = asyncio.get_running_loop().call_later(in_s, self._check)

    def _check(self) -> None:
        self._timer = None
        now_s = self._clock()
        for reason in dict.fromkeys(wait.reason for wait in self._waits):
            alike = [wait for wait in self._waits if wait.reason == reason]
            waited_s = now_s - min(wait.since_s for wait in alike)
            if waited_s >= self._show_after_s and now_s >= self._due_s.get(reason, now_s):
                gap_s = self._gaps_s.get(reason, self._show_after_s)
                self._due_s[reason] = now_s + gap_s
                self._gaps_s[reason] = min(2 * gap_s, LONGEST_GAP_S)
                self.say(self._line(reason, alike, waited_s))
        self._arm()

    def _line(self, reason: str, alike: list[_Wait], waited_s: float) -> str:
        ends_s = [end_s for wait in alike if (end_s := wait.until_s()) is not None]
        verb = "waits" if len(alike) == 1 else "wait"
        line = f"{count_of(len(alike), 'request')} {verb} {reason}, {waited_s:.0f} s so far"
        if ends_s:
            left_s = max(min(ends_s) - self._clock(), 0.0)
            until = datetime.now().astimezone() + timedelta(seconds=left_s)
            line += f"; until {until:%H:%M:%S} at the latest (in {left_s:.0f} s)"
        return line + (f": {alike[-1].details}" if alike[-1].details else ".")
