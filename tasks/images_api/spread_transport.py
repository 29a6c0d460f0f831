"""Connections to one provider in several small pools, because a pool looks at all of them for each request.

The library's pool asks the system about every idle connection whenever a request begins and ends: with 50
requests in flight 46 times an order, a twelfth of the processor time that buying it takes; so it is 7 times.
A request goes to the first pool that has room, so that requests one after another share one connection.
"""

from collections.abc import AsyncIterator, Callable

import httpx2

EACH = 8
"""Requests in flight in one pool before the next one is used."""


class SpreadTransport(httpx2.AsyncBaseTransport):
    """Sends requests over pools of a few connections each.

    Args:
        limits: How many connections there may be; no more requests than that are in flight.
    """

    def __init__(self, limits: httpx2.Limits) -> None:
        context = httpx2.create_ssl_context()
        n_pools = -(-(limits.max_connections or EACH) // EACH)
        self._pools = [httpx2.AsyncHTTPTransport(verify=context, limits=limits) for _ in range(n_pools)]
        self._n_in_flight = [0] * n_pools

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """Send a request; its connection is counted as used until the answer's stream is closed."""
        chosen = self._first_with_room()
        self._n_in_flight[chosen] += 1

        def end() -> None:
            self._n_in_flight[chosen] -= 1

        try:
            response = await self._pools[chosen].handle_async_request(request)
        except BaseException:
            end()
            raise
        response.stream = _Counted(response.stream, end)
        return response

    def _first_with_room(self) -> int:
        fewest = min(self._n_in_flight)
        return next(index for index, n in enumerate(self._n_in_flight) if n < EACH or n == fewest)

    async def aclose(self) -> None:
        """Close every connection."""
        for pool in self._pools:
            await pool.aclose()


class _Counted(httpx2.AsyncByteStream):
    """An answer's body, which says once when it is closed."""

    def __init__(self, body: object, end: Callable[[], None]) -> None:
        assert isinstance(body, httpx2.AsyncByteStream)
        self._body = body
        self._end: Callable[[], None] | None = end

    def __aiter__(self) -> AsyncIterator[bytes]:
        return aiter(self._body)

    async def aclose(self) -> None:
        """Close the body."""
        if self._end is not None:
            self._end()
            self._end = None
        await self._body.aclose()
