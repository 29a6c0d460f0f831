"""How fast a run may order: pictures a minute, and a pause that the whole run takes together.

A window of the last sixty seconds is counted, so that a provider's limit holds whether it counts by
sliding or by fixed minutes, and the first pictures still start at once. A rate limit met all the same
halves the rate; each minute without one gives a tenth of the limit back.
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
        clock: Seconds that only go up.
        sleep: Waits that many seconds.
    """

    def __init__(
        self,
        images_per_minute: float | None,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self.limit = images_per_minute
        self.rate = images_per_minute
        self._clock = clock
        self._sleep = sleep
        self._sent: deque[tuple[float, int]] = deque()
        self._not_before_s = 0.0
        self._changed_at_s = clock()
        self._turn = asyncio.Lock()

    async def turn(self, n: int) -> None:
        """Wait until ``n`` more pictures may be ordered, and count them as ordered."""
        async with self._turn:
            while (wait_s := self._wait_s(n)) > 0:
                await self._sleep(wait_s)
            self._sent.append((self._clock(), n))

    def hold(self, wait_s: float) -> None:
        """Let the whole run wait, and go on at half the rate: the provider said it was too much."""
        now = self._clock()
        self._not_before_s = max(self._not_before_s, now + wait_s)
        counted = sum(n for _, n in self._sent)
        rate = self.rate if self.rate is not None else max(counted, 2)
        if now - self._changed_at_s > 1.0:  # many answers of one moment count as one
            self.rate = max(1.0, rate / 2)
        self._changed_at_s = now

    def _wait_s(self, n: int) -> float:
        now = self._clock()
        if now < self._not_before_s:
            return self._not_before_s - now
        self._recover(now)
        while self._sent and now - self._sent[0][0] >= WINDOW_S:
            self._sent.popleft()
        if self.rate is None or not self._sent or sum(m for _, m in self._sent) + n <= self.rate:
            return 0.0
        return max(0.01, self._sent[0][0] + WINDOW_S - now)

    def _recover(self, now: float) -> None:
        minutes = int((now - self._changed_at_s) // 60)
        if minutes < 1 or self.rate is None or self.rate == self.limit:
            return
        self._changed_at_s += minutes * 60
        if self.limit is None:
            self.rate *= 1.5**minutes
        else:
            self.rate = min(self.limit, self.rate + minutes * self.limit / 10)
