"""Connections to a provider lie in several small pools, and requests find their way to one that has room."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx2
import pytest

from tasks.images_api.spread_transport import EACH, SpreadTransport

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


class Server:
    """Answers on every connection when it is told to, and counts what each connection was used for."""

    def __init__(self) -> None:
        self.answers = asyncio.Event()
        self.answers.set()
        self.breaks = False
        self.requests: Counter[int] = Counter()
        self.url = ""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection."""
        number = len(self.requests)
        self.requests[number] = 0
        try:
            while await reader.readuntil(b"\r\n\r\n"):
                self.requests[number] += 1
                await self.answers.wait()
                if self.breaks:
                    return
                writer.write(ANSWER)
                await writer.drain()
        except asyncio.IncompleteReadError:
            pass
        finally:
            writer.close()


@asynccontextmanager
async def opened() -> AsyncIterator[tuple[Server, httpx2.AsyncClient]]:
    """Open a server, and a client of it with room for five pools."""
    served = Server()
    listening = await asyncio.start_server(served.serve, "127.0.0.1", 0)
    served.url = f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}/"
    limits = httpx2.Limits(max_connections=5 * EACH, max_keepalive_connections=5 * EACH)
    async with listening, httpx2.AsyncClient(transport=SpreadTransport(limits)) as client:
        yield served, client


async def test_requests_one_after_another_share_one_connection() -> None:
    """As in one pool."""
    async with opened() as (server, client):
        for _ in range(3 * EACH):
            assert (await client.get(server.url)).text == "ok"
    assert server.requests == {0: 3 * EACH}


async def test_as_many_connections_are_used_as_requests_are_in_flight() -> None:
    """And the same ones again by the next requests."""
    async with opened() as (server, client):
        for _ in range(3):
            answers = await asyncio.gather(*(client.get(server.url) for _ in range(3 * EACH)))
            assert {answer.status_code for answer in answers} == {200}
    assert server.requests.total() == 9 * EACH
    assert len(server.requests) == 3 * EACH


@pytest.mark.parametrize("is_cancelled", [True, False], ids=["cancelled", "broken off"])
async def test_what_fails_takes_no_room_from_later_requests(*, is_cancelled: bool) -> None:
    """Or a provider's bad minute would leave ever more connections behind."""
    async with opened() as (server, client):
        server.answers.clear()
        sent = [asyncio.create_task(client.get(server.url)) for _ in range(2 * EACH)]
        while server.requests.total() < len(sent):
            await asyncio.sleep(0)
        server.breaks = not is_cancelled
        server.answers.set()
        for task in sent:
            if is_cancelled:
                task.cancel()
        ends = await asyncio.gather(*sent, return_exceptions=True)
        assert {type(end) for end in ends} == {
            asyncio.CancelledError if is_cancelled else httpx2.RemoteProtocolError
        }
        server.breaks = False
        n_before = len(server.requests)
        for _ in range(3):
            assert (await client.get(server.url)).text == "ok"
        assert len(server.requests) == n_before + 1


async def test_an_answer_that_is_not_read_keeps_its_room_until_it_is_closed() -> None:
    """Then another request takes its connection."""
    async with opened() as (server, client):
        async with client.stream("GET", server.url) as answer:
            await client.get(server.url)
            assert len(server.requests) == 2
            assert (await answer.aread()) == b"ok"
        await client.get(server.url)
    assert len(server.requests) == 2
