"""How fast a run may order: pictures a minute, and a pause that the whole run takes together.

A window of the last sixty seconds is counted, so that a provider's limit holds whether it counts by
sliding or by fixed minutes, and the first pictures still start at once. A rate limit met all the same
halves the rate, once for all that was under way together; each minute without one gives a tenth of the limit
back.
"""

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable

WINDOW_S = 60.0


class Pace:
    """The run's pace; one for all orders of a process.

    Args:
        images_per_minute: The provider's limit; ``None`` is none known.
        window_s: How long that minute is, seconds.
        clock: Seconds that only go up.
        sleep: Waits that many seconds.
    """

    def __init__(
        self,
        images_per_minute: float | None,
        *,
        window_s: float = WINDOW_S,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self.limit = images_per_minute
        self.rate = images_per_minute
        self._window_s = window_s
        self._clock = clock
        self._sleep = sleep
        self._sent: deque[tuple[float, int]] = deque()
        self._not_before_s = 0.0
        self._slowed_at_s = -float("inf")
        self._recovers_from_s = clock()
        self._turn = asyncio.Lock()

    async def turn(self, n: int) -> float:
        """Wait until ``n`` more pictures may be ordered, and count them as ordered.

        May be cancelled while it waits; nothing is counted then.

        Returns:
            The moment at which they were counted, for ``slow_down``.
        """
        async with self._turn:
            while (wait_s := self._wait_s(n)) > 0:
                await self._sleep(wait_s)
            now = self._clock()
            self._sent.append((now, n))
            return now

    def pause(self, wait_s: float) -> None:
        """Let the whole run wait that many seconds from now."""
        self._not_before_s = max(self._not_before_s, self._clock() + wait_s)

    def slow_down(self, ordered_at_s: float, for_s: float = 0.0) -> None:
        """Go on at half the rate: the provider said that it was too much.

        Args:
            ordered_at_s: When the refused pictures were counted. What was under way at the last slowing tells
                nothing about the slower rate.
            for_s: How long to stay there before the rate recovers, seconds.
        """
        now = self._clock()
        self._recovers_from_s = max(self._recovers_from_s, now + for_s)
        if ordered_at_s > self._slowed_at_s:
            self.rate = max(1.0, self._speed(now) / 2)
            self._slowed_at_s = now

    def _speed(self, now: float) -> float:
        """Pictures a minute, as allowed or, when that is less, as ordered of late."""
        self._forget(now)
        began_s = self._sent[0][0] if self._sent else now
        ordered = sum(n for _, n in self._sent) * self._window_s / max(now - began_s, self._window_s / 60)
        return ordered if self.rate is None else min(self.rate, ordered)

    def _forget(self, now: float) -> None:
        while self._sent and now - self._sent[0][0] >= self._window_s:
            self._sent.popleft()

    def _wait_s(self, n: int) -> float:
        now = self._clock()
        if now < self._not_before_s:
            return self._not_before_s - now
        self._recover(now)
        self._forget(now)
        if self.rate is None or not self._sent or sum(m for _, m in self._sent) + n <= self.rate:
            return 0.0
        return max(self._window_s / 6000, self._sent[0][0] + self._window_s - now)

    def _recover(self, now: float) -> None:
        minutes = int((now - self._recovers_from_s) // self._window_s)
        if minutes < 1:
            return
        self._recovers_from_s += minutes * self._window_s
        if self.rate is None or self.rate == self.limit:
            return
        if self.limit is None:
            self.rate *= 1.5 ** min(minutes, 60)
        else:
            self.rate = min(self.limit, self.rate + minutes * self.limit / 10)
