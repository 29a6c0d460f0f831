"""Responses that deliver an answer slowly, partly or not at all.

Hanging and dropping need a real connection: over an in-process transport a hang lasts its full duration and a
drop raises the error that a client would have seen.
"""

# ruff: noqa: ARG002 - every response has the three arguments of an ASGI application

import asyncio
import contextlib
from collections.abc import AsyncGenerator

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

SLOW_PIECES = 20


class Hang(Response):
    """No answer: waits until the caller disconnects, then closes the connection.

    Args:
        duration_s: Seconds after which the emulator gives up.
    """

    def __init__(self, duration_s: float) -> None:
        super().__init__()
        self.duration_s = duration_s

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Wait, then drop the connection."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self.duration_s):
                while (await receive())["type"] != "http.disconnect":
                    pass
        await _drop(scope)


class Drop(Response):
    """No answer: the connection is closed at once."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Drop the connection."""
        await _drop(scope)


class TruncatedBody(Response):
    """The headers of the whole body, half of the body, then a closed connection."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send half, then drop the connection."""
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        half = bytes(self.body)[: len(self.body) // 2]
        await send({"type": "http.response.body", "body": half, "more_body": True})
        await asyncio.sleep(0.05)
        await _drop(scope)


class SlowBody(Response):
    """The whole body, a little at a time.

    Args:
        body: The body.
        duration_s: Seconds it takes.
    """

    def __init__(self, body: bytes, duration_s: float) -> None:
        super().__init__(body, media_type="application/json")
        self.duration_s = duration_s

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it piece by piece."""
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        body = bytes(self.body)
        piece_bytes = -(-len(body) // SLOW_PIECES)
        for start in range(0, len(body), piece_bytes):
            await asyncio.sleep(self.duration_s / SLOW_PIECES)
            piece = body[start : start + piece_bytes]
            is_last = start + piece_bytes >= len(body)
            await send({"type": "http.response.body", "body": piece, "more_body": not is_last})
        if self.background:
            await self.background()


class CutShortError(Exception):
    """Raised among pieces: the connection closes in place of the rest."""


class Pieces(Response):
    """A body that is generated while it is sent, in chunks.

    Args:
        pieces: Its parts; ``CutShortError`` among them drops the connection.
        media_type: Its type.
    """

    def __init__(self, pieces: AsyncGenerator[bytes, None], media_type: str) -> None:
        super().__init__(media_type=media_type)
        del self.headers["content-length"]
        self.pieces = pieces

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send piece by piece; stop when the caller has disconnected."""
        request = Request(scope, receive)
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        try:
            async with contextlib.aclosing(self.pieces):
                async for piece in self.pieces:
                    await send({"type": "http.response.body", "body": piece, "more_body": True})
                    if await request.is_disconnected():
                        return
        except CutShortError:
            # What was sent so far must leave before the connection is closed.
            await asyncio.sleep(0.05)
            await _drop(scope)
            return
        await send({"type": "http.response.body", "body": b"", "more_body": False})
        if self.background:
            await self.background()


async def cut(pieces: AsyncGenerator[bytes, None], count: int) -> AsyncGenerator[bytes, None]:
    """Cut a body in the middle of its middle piece.

    Args:
        pieces: Its parts.
        count: How many there are.
    """
    number = 0
    async with contextlib.aclosing(pieces):
        async for piece in pieces:
            if number == count // 2:
                yield piece[: len(piece) // 2]
                break
            yield piece
            number += 1
    raise CutShortError


class DroppableStarlette(Starlette):
    """An application that keeps the server's connection, so that a response can drop it."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Store the connection before any layer wraps it, then answer."""
        if scope["type"] == "http":
            scope["emulator.connection"] = getattr(getattr(send, "__self__", None), "transport", None)
            scope["emulator.receive"] = receive
        await super().__call__(scope, receive, send)


async def _drop(scope: Scope) -> None:
    connection = scope.get("emulator.connection")
    if connection is None:
        from httpx2 import RemoteProtocolError

        message = "Server disconnected without sending a response."
        raise RemoteProtocolError(message)
    connection.abort()
    # The server must see the disconnect before this returns, or it would answer 500 on a closed connection.
    while (await scope["emulator.receive"]())["type"] != "http.disconnect":
        pass
