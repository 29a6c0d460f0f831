"""The rate limiter: pictures a minute, and waits that all orders of a process take together.

What may be ordered stands in an account's ``SlidingWindow``. It is kept in the process, or, for a provider
that others ask too, in the ledger: then every process on that ledger orders from one allowance. Orders that
wait at one moment ask together, so that each hardly costs a transaction.
"""

import asyncio
import hashlib
import random
import secrets
import time
from collections.abc import Awaitable, Callable
from typing import Protocol, TypeVar

from tasks.images_api.retries import Chance
from tasks.images_api.sliding_window import WINDOW_S, SlidingWindow
from tasks.images_api.terms import Terms
from tasks.ledger import Ledger

T = TypeVar("T")
Step = Callable[[SlidingWindow, float], T]
_KEY_ROUNDS = 100_000
WAKE_JITTER = 1 / 120
"""Each wait is longer by up to this share, at random: all processes wait for the same picture to leave the
window, and would meet at the same row of the ledger.
"""


class WindowHolder(Protocol):
    """Keeps a window, and the clock that it goes by."""

    async def change(self, step: Step[T]) -> T:
        """Let a step look at the window and change it, alone, given the time in seconds."""


class MemoryWindow:
    """A window of this process's own.

    Args:
        length_s: How long the window is.
        clock: Seconds that only go up.
    """

    def __init__(self, length_s: float = WINDOW_S, clock: Callable[[], float] = time.monotonic) -> None:
        self.window = SlidingWindow(length_s)
        self._clock = clock

    async def change(self, step: Step[T]) -> T:
        """See ``WindowHolder``."""
        return step(self.window, self._clock())


class LedgerWindow:
    """A window that all processes on a ledger share, by the database's clock.

    Args:
        ledger: The ledger.
        name: Which allowance, such as from ``allowance_of``.
        length_s: How long the window is; the same for all that share it.
    """

    def __init__(self, ledger: Ledger, name: str, length_s: float = WINDOW_S) -> None:
        self._ledger = ledger
        self._name = name
        self._length_s = length_s

    async def change(self, step: Step[T]) -> T:
        """See ``WindowHolder``.

        Raises:
            LedgerError: The ledger cannot be written; nothing was changed.
        """
        return await asyncio.to_thread(self._change, step)

    def _change(self, step: Step[T]) -> T:
        told: list[T] = []

        def change(state: dict[str, object] | None, now_s: float) -> dict[str, object]:
            window = SlidingWindow(self._length_s) if state is None else SlidingWindow.of(state)
            told.append(step(window, now_s))
            return window.state()

        self._ledger.allowances.change(self._name, change)
        return told[-1]


def allowance_of(terms: Terms) -> str:
    """Name the account that a provider's limit holds for: by its address and its key, whatever it is called.

    The key cannot be read from the name, which stands in the ledger: it is derived as a password's hash is.

    Raises:
        SettingError: The key is missing.
    """
    salt = f"runoff allowance {terms.base_url}".encode()
    return hashlib.pbkdf2_hmac("sha256", terms.api_key.encode(), salt, _KEY_ROUNDS).hex()


def rate_limiter_of(terms: Terms, ledger: Ledger) -> "RateLimiter":
    """Share an account's pictures a minute with all that order; the emulator in here knows no limit.

    Raises:
        SettingError: The key is missing.
    """
    if terms.base_url is None:
        return RateLimiter(None)
    return RateLimiter(terms.provider.images_per_minute, LedgerWindow(ledger, allowance_of(terms)))


class RateLimiter:
    """A process's rate limiter; one for all of its orders.

    Args:
        images_per_minute: The provider's limit; ``None`` is none known.
        window: Keeps what was ordered; by default this process alone.
        clock: Seconds that only go up.
        sleep: Waits that many seconds.
        chance: Draws from [0, 1), for the jitter of waits.
    """

    def __init__(
        self,
        images_per_minute: float | None,
        window: WindowHolder | None = None,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        chance: Chance = random.random,
    ) -> None:
        self.limit = images_per_minute
        self._window = window or MemoryWindow(clock=clock)
        self._clock = clock
        self._sleep = sleep
        self._chance = chance
        self._process = secrets.token_hex(4)
        self._not_before_s = 0.0
        self._waiting: dict[object, int] = {}
        self._went: dict[object, float] = {}
        self._turn = asyncio.Lock()

    async def acquire(self, n: int) -> float:
        """Wait until ``n`` more pictures may be ordered, and count them as ordered.

        May be cancelled while it waits; nothing is counted then.

        Returns:
            The moment at which they were counted, for ``slow_down``.

        Raises:
            LedgerError: The window is in a ledger that cannot be written.
        """
        me = object()
        self._waiting[me] = n
        try:
            async with self._turn:  # who has it asks for all that wait
                while me not in self._went:
                    if (wait_s := self._not_before_s - self._clock()) <= 0:
                        wait_s = await self._ask()
                    if me not in self._went:
                        await self._sleep(wait_s * (1 + WAKE_JITTER * self._chance()))
            return self._went[me]
        finally:
            self._waiting.pop(me, None)
            self._went.pop(me, None)

    async def _ask(self) -> float:
        """Take turns for as many orders as may go; returns the seconds until it is worth asking again."""
        asking = dict(self._waiting)

        def take(window: SlidingWindow, now_s: float) -> tuple[float, int, float]:
            counts = list(asking.values())
            return now_s, *window.take(now_s, counts, by=self._process, limit=self.limit)

        now_s, n_going, wait_s = await self._window.change(take)
        for order in list(asking)[:n_going]:
            if self._waiting.pop(order, None) is not None:  # else it went home meanwhile
                self._went[order] = now_s
        return wait_s

    def pause(self, wait_s: float) -> None:
        """Let this process wait that many seconds from now, for what others may not have met."""
        self._not_before_s = max(self._not_before_s, self._clock() + wait_s)

    async def slow_down(self, ordered_at_s: float, wait_s: float, for_s: float = 0.0) -> None:
        """Let all that share the allowance wait, and go on at half the rate: it was too much.

        Args:
            ordered_at_s: When the refused pictures were counted. What was under way at the last slowing tells
                nothing about the slower rate.
            wait_s: How long to wait, seconds.
            for_s: How long to stay slow before the rate recovers, seconds.

        Raises:
            LedgerError: The window is in a ledger that cannot be written.
        """

        def slow(window: SlidingWindow, now_s: float) -> None:
            window.slow_down(now_s, ordered_at_s=ordered_at_s, wait_s=wait_s, for_s=for_s, limit=self.limit)

        await self._window.change(slow)
