"""A provider that cannot be reached in the middle of a run: one request tries it again, all others wait.

Nothing left this machine, so nothing was billed. The waits are the provider's, not an order's: were each
order tried by itself, a run of many orders would try for hours, and each try would count against its limit.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

from tasks.images_api.failures import Failure
from tasks.images_api.retries import UNSENT_BACKOFF_S, Chance, with_jitter

QUIET_S = 5.0
"""How long a provider may be away without a word, seconds; what is back after the first wait is not told."""
CONNECTED_MARGIN_S = 1.0
"""A request that has not failed this long after the connection's time-out has one."""


class Outage:
    """Whether the provider of one buyer can be reached, and who tries.

    Args:
        connect_s: How long a connection may take, seconds.
        say: Shows one line to people.
        sleep: Waits that many seconds.
        chance: Draws from [0, 1), for the jitter of waits.
        clock: Seconds that only go up.
    """

    def __init__(
        self,
        connect_s: float,
        say: Callable[[str], None],
        sleep: Callable[[float], Awaitable[None]],
        chance: Chance,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._connect_s = connect_s
        self._say = say
        self._sleep = sleep
        self._chance = chance
        self._clock = clock
        self._n_failures = 0
        self._since_s = 0.0
        self._failed_s = 0.0
        self._wait_s = 0.0
        self._is_told = False
        self._is_tried = False
        self._is_given_up = False
        self._changed = asyncio.Event()

    @property
    def is_on(self) -> bool:
        """Whether the provider could not be reached when it was last tried."""
        return self._n_failures > 0

    def until_s(self) -> float:
        """Return until when it is tried, at most, by the clock."""
        return self._failed_s + with_jitter(sum(UNSENT_BACKOFF_S[self._n_failures - 1 :]), lambda: 1.0)

    async def enter(self) -> bool:
        """Wait until a request may go: at once if the provider can be reached, else one at a time.

        Returns:
            Whether this request tries a provider that is away; ``leave`` ends that. May be cancelled.
        """
        while self.is_on and not self._is_given_up:
            if self._is_tried:
                await self._changed.wait()
                continue
            self._is_tried = True
            try:
                await self._sleep(self._wait_s)
            except BaseException:
                self.leave()
                raise
            return True
        return False

    def leave(self) -> None:
        """End the try of the request that went, so that another may try."""
        self._is_tried = False
        self._wake()

    @contextmanager
    def sending(self) -> Iterator[None]:
        """Take the provider for reached if a request that is sent has not failed in the connection's time."""
        within_s = self._connect_s + CONNECTED_MARGIN_S
        timer = asyncio.get_running_loop().call_later(within_s, self.reached)
        try:
            yield
        finally:
            timer.cancel()

    def reached(self) -> None:
        """Note that the provider was reached."""
        if self._is_told:
            self._say(f"The provider can be reached again, after {self._clock() - self._since_s:.0f} s.")
        self._n_failures, self._is_told = 0, False
        self._wake()

    def failed(self, failure: Failure, sent_at_s: float, *, is_trying: bool) -> bool:
        """Note that the provider was not reached.

        Args:
            failure: Why.
            sent_at_s: When the request was sent, by the clock.
            is_trying: It is the request that tries; what others meet meanwhile says no more.

        Returns:
            Whether it is tried again.
        """
        if self.is_on and not is_trying:
            return True
        now_s = self._clock()
        self._since_s = self._since_s if self.is_on else sent_at_s
        if self._n_failures == len(UNSENT_BACKOFF_S):
            self._is_given_up = True  # nobody waits any longer: the run stops
            return False
        self._failed_s = now_s
        self._wait_s = with_jitter(UNSENT_BACKOFF_S[self._n_failures], self._chance)
        self._n_failures += 1
        if not self._is_told and (self._n_failures > 1 or now_s - self._since_s >= QUIET_S):
            self._is_told = True
            self._tell(failure)
        return True

    def _tell(self, failure: Failure) -> None:
        left_s = self.until_s() - self._clock()
        until = datetime.now().astimezone() + timedelta(seconds=left_s)
        self._say(
            f"The provider cannot be reached ({failure.message}). It is tried again until {until:%H:%M:%S} at"
            f" the latest (for {left_s:.0f} s); then the run stops, with all that it has bought."
        )

    def _wake(self) -> None:
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()
