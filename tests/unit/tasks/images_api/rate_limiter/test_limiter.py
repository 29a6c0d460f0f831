"""The rate limiter: never above the limit, together when it waits, slower when refused, and back again."""

import asyncio
import re
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.images_api.rate_limiter.limiter import MemoryWindow, RateLimiter, Step, T


class Clock:
    """Time that passes only where somebody sleeps."""

    def __init__(self) -> None:
        self.now_s = 1000.0

    def __call__(self) -> float:
        """Tell the time."""
        return self.now_s

    async def sleep(self, seconds: float) -> None:
        """Let it pass."""
        assert seconds > 0
        self.now_s += seconds
        await asyncio.sleep(0)


def a_rate_limiter(limit: float | None, chance: float = 0.0) -> tuple[RateLimiter, Clock]:
    """Make a rate limiter on a clock of its own, with no chance in it."""
    clock = Clock()
    return RateLimiter(limit, clock=clock, sleep=clock.sleep, chance=lambda: chance), clock


def rate_of(rate_limiter: RateLimiter) -> float | None:
    """Tell how many pictures a minute it allows now."""
    assert isinstance(rate_limiter._window, MemoryWindow)
    return rate_limiter._window.window.allowed(rate_limiter.limit)


def slow_down(rate_limiter: RateLimiter, ordered_at_s: float, for_s: float = 0.0) -> None:
    """Tell it that it was too much, with no time to wait."""
    asyncio.run(rate_limiter.slow_down(ordered_at_s, 0.0, for_s))


def turns(rate_limiter: RateLimiter, counts: Sequence[int]) -> list[float]:
    """Take turns one after the other; returns their moments."""

    async def take() -> list[float]:
        return [await rate_limiter.acquire(n) for n in counts]

    return asyncio.run(take())


def most_in_a_window(moments: Sequence[float], counts: Sequence[int], window_s: float = 60.0) -> int:
    """Count the most pictures in any window, its end left out."""
    return max(
        sum(n for moment, n in zip(moments, counts, strict=True) if start <= moment < start + window_s)
        for start in moments
    )


def test_who_waits_after_a_rate_limit_is_told_the_pace_that_is_left() -> None:
    """The limit alone would say that nothing is in the way."""
    rate_limiter, _ = a_rate_limiter(1000)
    assert rate_limiter.reason == "for the limit of 1000 pictures a minute"
    slow_down(rate_limiter, turns(rate_limiter, [1] * 8)[-1])
    turns(rate_limiter, [1])
    found = re.fullmatch(
        r"for the pace since the provider's rate limit: (\d+) of 1000 pictures a minute", rate_limiter.reason
    )
    assert found is not None, rate_limiter.reason
    assert int(found[1]) < 1000


@given(st.integers(4, 50), st.lists(st.tuples(st.integers(1, 4), st.floats(0, 30)), min_size=1, max_size=80))
def test_no_minute_holds_more_pictures_than_the_limit(limit: int, orders: list[tuple[int, float]]) -> None:
    """Whatever is ordered when, every window of sixty seconds keeps the limit."""
    rate_limiter, clock = a_rate_limiter(limit)

    async def order() -> list[float]:
        moments = []
        for n, pause_s in orders:
            clock.now_s += pause_s
            moments.append(await rate_limiter.acquire(n))
        return moments

    counts = [n for n, _ in orders]
    assert most_in_a_window(asyncio.run(order()), counts) <= limit


@given(st.integers(2, 40), st.lists(st.booleans(), min_size=1, max_size=60))
def test_slowing_down_never_lets_more_through(limit: int, refusals: list[bool]) -> None:
    """Rate limits in any sequence keep the rate between one picture and the limit."""
    rate_limiter, clock = a_rate_limiter(limit)

    async def order() -> None:
        for is_refused in refusals:
            moment = await rate_limiter.acquire(1)
            if is_refused:
                clock.now_s += 0.1
                await rate_limiter.slow_down(moment, 0.0)
            rate = rate_of(rate_limiter)
            assert rate is not None
            assert 1.0 <= rate <= limit

    asyncio.run(order())


def test_the_first_pictures_start_at_once_and_the_rest_a_minute_later() -> None:
    """The limit is a window's, not a gap between orders; a second more lets the slower requests arrive."""
    rate_limiter, _ = a_rate_limiter(5)
    assert turns(rate_limiter, [1] * 7) == [1000.0] * 5 + [1061.0] * 2


def test_who_waits_together_does_not_wake_at_once() -> None:
    """Never sooner than there is room, and at most half a second later."""
    moments = [turns(a_rate_limiter(1, chance)[0], [1, 1])[1] for chance in (0.0, 0.5, 0.999)]
    assert moments == sorted(set(moments))
    assert 1061 <= min(moments) < max(moments) < 1061.6


def test_an_order_above_the_limit_waits_for_an_empty_window_and_is_not_stuck() -> None:
    """The provider will say that it is too much; here it only must not wait for ever."""
    rate_limiter, _ = a_rate_limiter(5)
    assert turns(rate_limiter, [5, 8]) == [1000.0, 1061.0]


def test_without_a_limit_nothing_waits() -> None:
    """Inside the process there is nobody to be gentle with."""
    rate_limiter, clock = a_rate_limiter(None)
    turns(rate_limiter, [10] * 50)
    assert clock.now_s == 1000.0


def test_what_was_not_sent_does_not_count() -> None:
    """Five of six go; once two were given back, two more go at once, and the next waits for the window."""
    rate_limiter, clock = a_rate_limiter(5)
    moments = turns(rate_limiter, [1] * 5)
    clock.now_s += 10
    for moment in moments[:2]:
        asyncio.run(rate_limiter.give_back(moment, 1))
    assert turns(rate_limiter, [1, 1, 1]) == [1010.0, 1010.0, 1061.0]


def test_many_refusals_of_one_moment_slow_down_once() -> None:
    """Eight requests under way are refused over some seconds: half the rate, not a 256th."""
    rate_limiter, clock = a_rate_limiter(64)
    moments = turns(rate_limiter, [1] * 64)
    for moment in moments[:8]:
        clock.now_s += 3
        slow_down(rate_limiter, moment)
    assert rate_of(rate_limiter) == 32
    clock.now_s += 60
    slow_down(rate_limiter, turns(rate_limiter, [1])[0] + 1)
    rate = rate_of(rate_limiter)
    assert rate is not None
    assert rate < 32


def test_a_limit_far_above_what_was_ordered_is_brought_down_to_it() -> None:
    """Half of a million pictures a minute would slow nobody."""
    rate_limiter, clock = a_rate_limiter(1_000_000)
    moment = turns(rate_limiter, [1] * 40)[-1]
    clock.now_s += 60 - 0.001
    slow_down(rate_limiter, moment)
    assert rate_of(rate_limiter) == pytest.approx(20, rel=0.01)


def test_the_rate_recovers_a_tenth_of_the_limit_a_minute() -> None:
    """And never above the limit."""
    rate_limiter, clock = a_rate_limiter(60)
    moment = turns(rate_limiter, [1] * 60)[-1]
    slow_down(rate_limiter, moment)
    rates = []
    for _ in range(7):
        clock.now_s += 60
        turns(rate_limiter, [1])
        rates.append(rate_of(rate_limiter))
    assert rates == [36, 42, 48, 54, 60, 60, 60]


def test_the_rate_stays_down_for_as_long_as_it_is_told_to() -> None:
    """A quarter of an hour, say; the recovery begins after it."""
    rate_limiter, clock = a_rate_limiter(60)
    slow_down(rate_limiter, turns(rate_limiter, [1] * 60)[-1], for_s=900)
    clock.now_s += 899
    turns(rate_limiter, [1])
    assert rate_of(rate_limiter) == 30
    clock.now_s += 61
    turns(rate_limiter, [1])
    assert rate_of(rate_limiter) == 36


def test_a_limit_nobody_named_is_found_and_left_again() -> None:
    """Where no limit was known the speed at the refusal is halved, and grows by half a minute."""
    rate_limiter, clock = a_rate_limiter(None)
    slow_down(rate_limiter, turns(rate_limiter, [1] * 20)[-1])
    assert rate_of(rate_limiter) == 600  # twenty at once count as a second's
    clock.now_s += 60
    turns(rate_limiter, [1])
    assert rate_of(rate_limiter) == 900


def test_a_wait_that_is_cancelled_counts_nothing() -> None:
    """A closed buyer sends its orders home; their pictures are not missing from the window."""

    async def cancel() -> float:
        rate_limiter = RateLimiter(1, MemoryWindow(0.2))
        await rate_limiter.acquire(1)
        waiting = asyncio.ensure_future(rate_limiter.acquire(1))
        await asyncio.sleep(0.01)
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
        began = asyncio.get_running_loop().time()
        await rate_limiter.acquire(1)
        return asyncio.get_running_loop().time() - began

    assert asyncio.run(cancel()) < 0.35


def test_one_that_goes_home_while_its_turn_is_taken_leaves_it_to_nobody() -> None:
    """Another process may have been told already that it is taken: it counts, and falls out in a minute."""

    class SlowWindow(MemoryWindow):
        """Answers after a moment, as a ledger does."""

        async def change(self, step: Step[T]) -> T:
            """Look, then take a moment."""
            result = await super().change(step)
            await asyncio.sleep(0.02)
            return result

    async def cancel() -> list[int]:
        window = SlowWindow(0.3)
        rate_limiter = RateLimiter(4, window)
        _, asking, leaving, last = (asyncio.ensure_future(rate_limiter.acquire(1)) for _ in range(4))
        await asyncio.sleep(0.03)  # the first one asked alone; now the three others are asked for together
        leaving.cancel()
        assert await last == await asking
        assert leaving.cancelled()
        return [entry.n for entry in window.window.taken]

    assert asyncio.run(cancel()) == [1, 3]
