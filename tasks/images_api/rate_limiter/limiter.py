"""The rate limiter: pictures per minute, and pauses of all orders of a process.

An account's ``SlidingWindow`` says how many pictures may be ordered. It is kept in memory, or, for a real
provider, in the ledger, where all processes on that ledger share one allowance. Orders that wait at the same
time are requested together, so that they share a transaction.
"""

import asyncio
import hashlib
import random
import secrets
import time
from collections.abc import Awaitable, Callable
from typing import Any, Literal, Protocol, TypeVar

from tasks.catalogue.providers import AUTO, LEAST_IMAGES_PER_MINUTE
from tasks.images_api.rate_limiter.sliding_window import WINDOW_S, SlidingWindow
from tasks.images_api.retries import Chance
from tasks.images_api.terms import Terms
from tasks.ledger import Ledger

T = TypeVar("T")
Step = Callable[[SlidingWindow, float], T]
_KEY_ROUNDS = 100_000
WAKE_JITTER = 1 / 120
"""Each wait is longer by up to this share, at random: all processes wait for the same picture to leave the
window, and would meet at the same row of the ledger.
"""


FINDING_POLL_S = 1.0
"""How often a limit that is being found is asked for, seconds: it is raised by answers, not by time."""


class WindowHolder(Protocol):
    """Stores a window, with the clock that it uses."""

    async def change(self, step: Step[T]) -> T:
        """Run a step that reads and changes the window exclusively, given the time in seconds."""


class MemoryWindow:
    """A window in memory, for this process alone.

    Args:
        length_s: Length of the window, seconds.
        clock: Seconds that only go up.
    """

    def __init__(self, length_s: float = WINDOW_S, clock: Callable[[], float] = time.monotonic) -> None:
        self.window = SlidingWindow(length_s)
        self._clock = clock

    async def change(self, step: Step[T]) -> T:
        """See ``WindowHolder``."""
        return step(self.window, self._clock())


class LedgerWindow:
    """A window that all processes on a ledger share, using the database's clock.

    Args:
        ledger: The ledger.
        name: The allowance's name, from ``allowance_of``.
        length_s: Length of the window, seconds; the same for all that share it.
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
        results: list[T] = []

        def change(state: dict[str, object] | None, now_s: float) -> dict[str, object]:
            window = SlidingWindow(self._length_s) if state is None else SlidingWindow.of(state)
            results.append(step(window, now_s))
            return window.state()

        self._ledger.allowances.change(self._name, change)
        return results[-1]


def allowance_of(terms: Terms) -> str:
    """Name the account that a provider's limit applies to, derived from its address and its key.

    The key cannot be recovered from the name, which the ledger stores: it is derived like a password hash.

    Raises:
        SettingError: The key is missing.
    """
    salt = f"runoff allowance {terms.base_url}".encode()
    key = terms.api_key
    return hashlib.pbkdf2_hmac("sha256", (key.reveal() if key else "none").encode(), salt, _KEY_ROUNDS).hex()


def found_limit_in(state: dict[str, Any] | None) -> float | None:
    """Return the limit that was found, from an allowance's state; ``None`` if none was."""
    found = SlidingWindow.of(state).found if state else None
    if found is None or (found.limit is None and found.stated is None):
        return None
    return min(one for one in (found.limit, found.stated) if one is not None)


def rate_limiter_of(terms: Terms, ledger: Ledger) -> "RateLimiter":
    """Create the limiter for a provider's account; the emulator in this process has no limit.

    Raises:
        SettingError: The key is missing.
    """
    if terms.base_url is None:
        return RateLimiter(None)
    return RateLimiter(terms.provider.images_per_minute, LedgerWindow(ledger, allowance_of(terms)))


class RateLimiter:
    """The rate limiter of a process, shared by all its orders.

    Args:
        images_per_minute: The provider's limit; ``None`` for none, ``auto`` to find it while buying.
        window: Where the window is kept; by default in memory.
        clock: Seconds that only go up.
        sleep: Waits that many seconds.
        chance: Draws from [0, 1), for the jitter of waits.
    """

    def __init__(
        self,
        images_per_minute: float | Literal["auto"] | None,
        window: WindowHolder | None = None,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        chance: Chance = random.random,
    ) -> None:
        self._is_finding = images_per_minute == AUTO
        self._is_found = False
        self._stated: int | None = None
        self._rate: float | None = None
        self.limit = LEAST_IMAGES_PER_MINUTE if images_per_minute == AUTO else images_per_minute
        """Pictures a minute, as known when it last asked; ``None`` for no limit."""
        self._window = window or MemoryWindow(clock=clock)
        self._sleep = sleep
        self._chance = chance
        self._process = secrets.token_hex(4)
        self._waiting: dict[object, int] = {}
        self._went: dict[object, float] = {}
        self._turn = asyncio.Lock()
        self.next_turn_s: float | None = None
        """When it asks again, in seconds of ``time.monotonic``; ``None`` while nobody waits."""

    async def acquire(self, n: int) -> float:
        """Wait until ``n`` more pictures may be requested, and count them.

        May be cancelled while waiting; then nothing is counted.

        Returns:
            The time at which they were counted, for ``slow_down``.

        Raises:
            LedgerError: The window is in a ledger that cannot be written.
        """
        me = object()
        self._waiting[me] = n
        try:
            async with self._turn:  # the holder of the lock asks for all that wait
                while me not in self._went:
                    wait_s = await self._ask()
                    if me not in self._went:
                        await self._sleep_on(wait_s * (1 + WAKE_JITTER * self._chance()))
            return self._went[me]
        finally:
            self._waiting.pop(me, None)
            self._went.pop(me, None)

    async def _sleep_on(self, wait_s: float) -> None:
        self.next_turn_s = time.monotonic() + wait_s
        if self._is_finding and not self._is_found:
            wait_s = min(wait_s, FINDING_POLL_S)  # an answer, here or elsewhere, may have raised it
        try:
            await self._sleep(wait_s)
        finally:
            self.next_turn_s = None

    async def _ask(self) -> float:
        """Admit as many waiting orders as possible; return the seconds until the next attempt."""
        asking = dict(self._waiting)

        def take(window: SlidingWindow, now_s: float) -> tuple[float, int, float]:
            counts, limit = list(asking.values()), self._limit_of(window, now_s)
            taken = window.take(now_s, counts, by=self._process, limit=limit)
            self._rate = window.rate
            return now_s, *taken

        now_s, n_going, wait_s = await self._window.change(take)
        for order in list(asking)[:n_going]:
            if self._waiting.pop(order, None) is not None:  # else it was cancelled meanwhile
                self._went[order] = now_s
        return wait_s

    def _limit_of(self, window: SlidingWindow, now_s: float) -> float | None:
        """Return the limit: the stated one, or the one that is found so far."""
        if self._is_finding:
            self.limit = window.find_limit(now_s)
            self._is_found = window.found is not None and window.found.limit is not None
        return self.limit

    @property
    def reason(self) -> str:
        """Why an order waits for its turn, for people."""
        if self.limit is None:
            return "for its turn"
        if self._is_finding:
            found = "tried so far, to find the account's limit"
            if self._is_found:
                found = "found for this account"
            elif self._stated == self.limit:
                found = "that the provider states"
            return f"for the pace {found}: {self.limit:g} pictures a minute"
        if self._rate is not None and self._rate < self.limit:
            pace = f"{self._rate:.0f} of {self.limit:g} pictures a minute"
            return f"for the pace since the provider's rate limit: {pace}"
        return f"for the limit of {self.limit:g} pictures a minute"

    async def note_answer(self, ordered_at_s: float) -> None:
        """Note that an order was answered, by which the account's limit is found if it was not stated.

        Raises:
            LedgerError: The window is in a ledger that cannot be written.
        """
        if self._is_finding and not self._is_found:
            await self._window.change(lambda window, now_s: window.note_answer(now_s, ordered_at_s))

    async def note_stated(self, per_minute: int | None) -> None:
        """Note the limit that an answer states, where it is to be found; told again, it says nothing new.

        Raises:
            LedgerError: The window is in a ledger that cannot be written.
        """
        if not self._is_finding or per_minute is None or per_minute == self._stated:
            return
        self._stated = per_minute
        await self._window.change(lambda window, now_s: window.note_stated(now_s, per_minute))

    async def give_back(self, ordered_at_s: float, n: int) -> None:
        """Count ``n`` pictures no longer: their request did not leave this machine.

        Args:
            ordered_at_s: When they were counted.
            n: How many pictures.

        Raises:
            LedgerError: The window is in a ledger that cannot be written.
        """
        await self._window.change(lambda window, _: window.give_back(ordered_at_s, n, by=self._process))

    async def slow_down(self, ordered_at_s: float, wait_s: float, for_s: float = 0.0) -> None:
        """Pause all processes that share the allowance, then continue at half the rate.

        Args:
            ordered_at_s: When the rejected pictures were counted. Requests in flight at the last slowdown say
                nothing about the slower rate.
            wait_s: How long to wait, seconds.
            for_s: How long to stay slow before the rate recovers, seconds.

        Raises:
            LedgerError: The window is in a ledger that cannot be written.
        """

        def slow(window: SlidingWindow, now_s: float) -> None:
            if self._is_finding and window.exceeds_found(now_s, wait_s):
                return
            limit = self._limit_of(window, now_s)
            window.slow_down(now_s, ordered_at_s=ordered_at_s, wait_s=wait_s, for_s=for_s, limit=limit)

        await self._window.change(slow)
