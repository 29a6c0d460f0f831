"""A provider that goes away in the middle of a run: who tries it, for how long, and what is said."""

import asyncio
import time
from collections.abc import Callable

import httpx2
import pytest

from tasks.errors import StopRunError
from tasks.images_api.failures import Failure, FailureKind
from tasks.images_api.outage import Outage
from tasks.images_api.rate_limiter.limiter import RateLimiter
from tasks.images_api.retries import UNSENT_BACKOFF_S
from tasks.images_api.wait_notices import WaitNotices
from tests.support.shop import Opener, order_of

REFUSED = "[Errno 111] Connection refused"
ENOUGH_S = 30.0


class Flaky(httpx2.AsyncBaseTransport):
    """A connection to a provider that is away for some attempts, and then there."""

    def __init__(self, is_away: Callable[[int], bool]) -> None:
        self.n_attempts = 0
        self._is_away = is_away
        self._network = httpx2.AsyncHTTPTransport()

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """Fail to connect, or pass the request on."""
        self.n_attempts += 1
        if self._is_away(self.n_attempts):
            raise httpx2.ConnectError(REFUSED, request=request)
        return await self._network.handle_async_request(request)

    async def aclose(self) -> None:
        """Close the connections."""
        await self._network.aclose()


def test_a_provider_that_stays_away_is_tried_for_minutes_by_one_request_and_the_run_stops(
    open_shop: Opener,
) -> None:
    """Not by each of twenty orders; nothing is charged, all can be sent later, and it is said at once."""
    shop = open_shop()
    said: list[str] = []
    shop.transport = flaky = Flaky(lambda _: True)
    buyer = shop.buy(*(order_of(replicate=k) for k in range(20)), waits=WaitNotices(said.append))
    assert isinstance(buyer.closed_by, StopRunError)
    assert REFUSED in str(buyer.closed_by)
    assert shop.waits_s == list(UNSENT_BACKOFF_S)
    assert flaky.n_attempts <= len(UNSENT_BACKOFF_S) + shop.terms.provider.concurrency
    assert {record.state for record in shop.records()} == {"planned"}
    assert len(said) == 1
    assert said[0].startswith(
        f"The provider cannot be reached (Connection error. {REFUSED}). It is tried again"
    )
    assert "at the latest (for " in said[0]


def test_a_run_goes_on_when_the_provider_is_back_and_it_is_said(open_shop: Opener) -> None:
    """Every order is bought once; after three waits the one that tries tells the others."""
    shop = open_shop()
    said: list[str] = []
    shop.transport = Flaky(lambda n: 4 < n <= 4 + 6)
    shop.buy(*(order_of(replicate=k) for k in range(12)), waits=WaitNotices(said.append))
    assert {record.state for record in shop.records()} == {"received"}
    assert shop.bill()["total"]["requests"] == 12
    assert shop.waits_s == list(UNSENT_BACKOFF_S[: len(shop.waits_s)])
    assert 1 < len(shop.waits_s) <= 6
    assert [line.split(" ")[2] for line in said] == ["cannot", "can"]


def test_what_never_left_does_not_count_against_the_rate_limit(open_shop: Opener) -> None:
    """Five pictures a minute: after eight attempts in vain five orders go at once, not a minute later."""
    shop = open_shop()
    shop.transport = Flaky(lambda n: n <= 8)
    began_s = time.monotonic()
    shop.buy(*(order_of(replicate=k) for k in range(5)), rate_limiter=RateLimiter(5))
    assert {record.state for record in shop.records()} == {"received"}
    assert time.monotonic() - began_s < ENOUGH_S


UNSENT = Failure(FailureKind.unsent, "ConnectError", "away")


@pytest.mark.parametrize(
    ("sent_s_ago", "n_failures", "is_said"),
    [
        pytest.param(0.1, 1, False, id="a moment"),
        pytest.param(0.1, 2, True, id="still away after a second"),
        pytest.param(10.0, 1, True, id="a connection that timed out"),
    ],
)
def test_an_outage_is_said_within_seconds_and_a_blip_is_not(
    sent_s_ago: float, n_failures: int, is_said: bool
) -> None:
    """With how long it will be tried: all waits, at their longest."""
    now_s = [100.0]
    said: list[str] = []

    async def run() -> None:
        outage = Outage(10, said.append, asyncio.sleep, lambda: 0.0, lambda: now_s[0])
        for _ in range(n_failures):
            assert outage.failed(UNSENT, now_s[0] - sent_s_ago, is_trying=True)
            now_s[0] += 1.1
        outage.reached()

    asyncio.run(run())
    assert bool(said) is is_said
    if is_said:
        left_s = sum(UNSENT_BACKOFF_S[n_failures - 1 :]) * 1.25
        assert f"(for {left_s:.0f} s)" in said[0]
        assert said[1].startswith("The provider can be reached again, after ")


def test_a_request_that_has_its_connection_lets_the_others_go() -> None:
    """They need not wait for the picture of the one that tries."""

    async def run() -> None:
        outage = Outage(-0.99, lambda _: None, lambda _: asyncio.sleep(0), lambda: 0.0)
        outage.failed(UNSENT, time.monotonic(), is_trying=False)
        assert await outage.enter()
        waiting = asyncio.create_task(outage.enter())
        await asyncio.sleep(0.05)
        assert not waiting.done()
        with outage.sending():
            assert not await asyncio.wait_for(waiting, 5)

    asyncio.run(run())
