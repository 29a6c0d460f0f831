"""A limit that nobody stated is found: quickly, without a picture too many for long, and remembered."""

import asyncio
from dataclasses import dataclass, field

import pytest

from tasks.catalogue.providers import LEAST_IMAGES_PER_MINUTE as START
from tasks.images_api.rate_limiter.limiter import (
    MemoryWindow,
    RateLimiter,
    WindowHolder,
    found_limit_in,
)
from tasks.images_api.rate_limiter.sliding_window import SlidingWindow
from tasks.images_api.rate_limiter.stated_limit import stated_limit

LATENCY_S = 15.0


class Clock:
    """Time that passes only where somebody sleeps."""

    def __init__(self) -> None:
        self.now_s = 1000.0

    async def sleep(self, seconds: float) -> None:
        """Let it pass."""
        self.now_s += seconds
        await asyncio.sleep(0)


@dataclass
class Account:
    """A provider that accepts so many pictures a minute, and answers each after a while."""

    limit: int
    clock: Clock
    window: WindowHolder
    accepted: list[float] = field(default_factory=list)
    n_refused: int = 0

    async def buy(self, n_pictures: int) -> float:
        """Buy pictures one by one as the limiter admits them; returns how long it took, seconds."""
        limiter = RateLimiter(
            "auto", self.window, clock=lambda: self.clock.now_s, sleep=self.clock.sleep, chance=lambda: 0.0
        )
        began_s, left = self.clock.now_s, n_pictures
        answers: list[float] = []
        while left or answers:
            while answers and answers[0] + LATENCY_S <= self.clock.now_s:
                await limiter.note_answer(answers.pop(0))
            admitted = await self._admitted(limiter) if left else None
            if admitted is None:
                await self.clock.sleep(1.0)
            elif self._is_refused():
                await limiter.slow_down(admitted, 12.0)
            else:
                answers.append(admitted)
                left -= 1
        return self.clock.now_s - began_s

    async def _admitted(self, limiter: RateLimiter) -> float | None:
        """Ask for one picture without waiting; ``None`` if it must wait."""
        me = object()
        limiter._waiting[me] = 1
        await limiter._ask()
        limiter._waiting.pop(me, None)
        return limiter._went.pop(me, None)

    def _is_refused(self) -> bool:
        recent = [at for at in self.accepted if at > self.clock.now_s - 60]
        if len(recent) >= self.limit:
            self.n_refused += 1
            return True
        self.accepted.append(self.clock.now_s)
        return False


def an_account(limit: int) -> Account:
    """Open an account that nobody knows the limit of."""
    clock = Clock()
    return Account(limit, clock, MemoryWindow(clock=lambda: clock.now_s))


def found(account: Account) -> float | None:
    """Tell the limit that was found."""
    assert isinstance(account.window, MemoryWindow)
    known = account.window.window.found
    return None if known is None else known.limit


@pytest.mark.parametrize("limit", [5, 20, 50, 150])
def test_an_account_of_each_tier_is_found_with_few_refusals(limit: int) -> None:
    """Nothing that was refused was billed; the limit that was found is at least half of what there is."""
    account = an_account(limit)
    asyncio.run(account.buy(3 * limit))
    known = found(account)
    assert known is None or limit / 2 <= known <= limit
    assert account.n_refused <= 3


def test_a_higher_tier_is_faster_than_the_lowest() -> None:
    """100 pictures take 20 minutes at 5 a minute; at 50 a minute they take no more than 4."""
    account = an_account(50)
    assert asyncio.run(account.buy(100)) < 4 * 60


def test_the_lowest_tier_is_not_slower_than_if_it_were_stated() -> None:
    """By more than what one refusal costs."""
    account = an_account(START)
    assert asyncio.run(account.buy(30)) < 30 / START * 60 + 60 + LATENCY_S


def test_what_was_found_is_kept_with_the_account() -> None:
    """The next run begins there, and is refused nothing; a day later more is tried."""
    account = an_account(20)
    asyncio.run(account.buy(60))
    known, refused = found(account), account.n_refused
    assert known is not None
    asyncio.run(account.buy(20))
    assert (found(account), account.n_refused) == (known, refused)
    assert isinstance(account.window, MemoryWindow)
    kept = SlidingWindow.of(account.window.window.state())
    assert kept.find_limit(account.clock.now_s) == known
    account.clock.now_s += 25 * 3600
    account.limit = 50
    asyncio.run(account.buy(120))
    assert len(account.accepted) == 200
    assert max(found(account) or 99, known) > known


def test_what_waits_goes_as_soon_as_an_answer_raises_the_limit() -> None:
    """It does not sleep until the window is free."""
    clock = Clock()
    limiter = RateLimiter("auto", clock=lambda: clock.now_s, sleep=clock.sleep, chance=lambda: 0.0)

    async def work() -> float:
        first = [await limiter.acquire(1) for _ in range(START)]
        later = asyncio.create_task(limiter.acquire(1))
        await clock.sleep(2.0)
        await limiter.note_answer(first[0])
        return await later - first[0]

    assert asyncio.run(work()) < 5
    assert limiter.limit == 2 * START


def test_a_refusal_before_any_answer_slows_down_as_ever() -> None:
    """An account that takes fewer than the lowest tier."""
    account = an_account(2)
    asyncio.run(account.buy(6))
    assert account.n_refused < 12


def a_limiter() -> tuple[RateLimiter, MemoryWindow]:
    """A limiter that finds its limit, and its window."""
    clock = Clock()
    window = MemoryWindow(clock=lambda: clock.now_s)
    return RateLimiter("auto", window, sleep=clock.sleep, chance=lambda: 0.0), window


def n_at_once(window: MemoryWindow) -> float:
    """How many pictures a window may have now."""
    return window.window.find_limit(1000.0)


def test_a_limit_that_the_provider_states_is_gone_to_and_never_passed() -> None:
    """Without an answer for each step; answers prove no more than it."""
    limiter, window = a_limiter()

    async def work() -> None:
        await limiter.note_stated(None)
        assert n_at_once(window) == START
        await limiter.note_stated(50)
        assert n_at_once(window) == 50
        moments = [await limiter.acquire(1) for _ in range(50)]
        await limiter.note_answer(moments[-1])
        assert n_at_once(window) == 50

    asyncio.run(work())
    assert limiter.reason == "for the pace that the provider states: 50 pictures a minute"
    assert found_limit_in(window.window.state()) == 50


def test_a_refusal_counts_more_than_what_is_stated_until_another_number_is() -> None:
    """The header may be that of a whole organization, whose limit others use too."""
    limiter, window = a_limiter()

    async def work() -> None:
        await limiter.note_stated(500)
        moments = [await limiter.acquire(1) for _ in range(20)]
        await limiter.note_answer(moments[-1])
        await limiter.slow_down(moments[-1], 12.0)
        assert n_at_once(window) == 20
        await limiter.note_stated(500)
        assert n_at_once(window) == 20
        await limiter.note_stated(50)
        assert n_at_once(window) == 50
        await limiter.note_stated(10)
        assert n_at_once(window) == 10

    asyncio.run(work())


def test_a_limit_that_a_person_states_is_kept_whatever_the_provider_says() -> None:
    """It may be meant to be lower."""
    clock = Clock()
    limiter = RateLimiter(5, clock=lambda: clock.now_s, sleep=clock.sleep, chance=lambda: 0.0)

    async def work() -> float:
        await limiter.note_stated(50)
        return [await limiter.acquire(1) for _ in range(6)][-1]

    assert asyncio.run(work()) > 1060


@pytest.mark.parametrize(
    ("text", "expected"),
    [("50", 50), (" 50 ", 50), ("", None), ("0", None), ("-5", None), ("many", None), ("1e9", None),
     ("9" * 5000, None), ("٥", None), ("100001", None), ("100000", 100_000)],
)  # fmt: skip
def test_only_a_number_that_can_be_meant_is_a_limit(text: str, expected: int | None) -> None:
    """A header is text from outside."""
    assert stated_limit({"x-ratelimit-limit-images": text}) == expected
    assert stated_limit({"x-ratelimit-limit-requests": text}) is None
