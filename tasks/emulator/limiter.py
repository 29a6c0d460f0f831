"""The limit of images per minute, as a token bucket that refills steadily, like the vendor's."""

import math
import time
from collections.abc import Callable

from tasks.emulator import refusals


class ImagesPerMinute:
    """A token bucket of pictures; rejected requests take nothing out.

    Args:
        limit: Pictures per minute; ``None`` for no limit.
        minute_s: Length of the minute, seconds; short in tests.
        now_s: A monotonic clock, seconds.
    """

    def __init__(
        self, limit: int | None, minute_s: float = 60.0, now_s: Callable[[], float] = time.monotonic
    ) -> None:
        self.limit = limit
        self.minute_s = minute_s
        self._now_s = now_s
        self._left = float(limit or 0)
        self._since_s = now_s()

    def take(self, model: str, n: int) -> None:
        """Take ``n`` pictures.

        Raises:
            Refusal: 429 with the time to wait, or without one when ``n`` can never fit.
        """
        if self.limit is None:
            return
        now_s = self._now_s()
        refill = (now_s - self._since_s) * self.limit / self.minute_s
        self._left, self._since_s = min(float(self.limit), self._left + refill), now_s
        if n > self._left:
            wait_s = None if n > self.limit else (n - self._left) * self.minute_s / self.limit
            raise refusals.too_many_pictures(
                model,
                limit=self.limit,
                used=self.limit - math.floor(self._left),
                requested=n,
                wait_s=None if wait_s is None else math.ceil(wait_s),
            )
        self._left -= n
