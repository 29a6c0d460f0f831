"""Receives answers within bounds: the whole time that one may take, and the bytes that it may have.

The HTTP library bounds only each wait for further bytes, so that a body of one byte a second never ends, and
it reads whatever comes into memory. What came before an answer was cut off is in its ``Received``. An answer
whose status says that it failed ends at its bounds without an error: the status alone says what it means.
"""

import asyncio
import time
import zlib
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

import httpx2

from tasks.limits import ERROR_BODY_S, ERROR_BYTES, JSON_BYTES, SLOWEST_UPLOAD_BYTES_PER_S

LONGEST_READ_S = 600.0
"""For a request without a timeout, seconds; the SDK's own."""
SUSPENDED_S = 1.0
"""A timer that is later than this, seconds, shows that the process did not run: it was suspended."""
_BEFORE_S = 0.001
_COMPRESSED = ("gzip", "x-gzip", "deflate")


class AnswerTooLargeError(httpx2.TransportError):
    """An answer has more bytes than what was asked for can need."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """What an answer may take.

    Args:
        within_s: The whole time, from sending to the last byte, seconds.
        most_bytes: Its bytes, decompressed.
        least_bytes_per_s: What arrives at this rate may take longer; ``None`` where nothing may.
    """

    within_s: float
    most_bytes: int = JSON_BYTES
    least_bytes_per_s: float | None = None


class Received:
    """What has come of one answer.

    Args:
        bounds: What the answer may take.
        keeps: Whether the bytes are kept here too, for an answer that is cut off.
        clock: Seconds that only go up.
    """

    def __init__(
        self, bounds: Bounds, *, keeps: bool = True, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.bounds = bounds
        self.headers: Mapping[str, str] = {}
        self._keeps = keeps
        self._clock = clock
        self._pieces: list[bytes] = []
        self._n_bytes = 0
        self._until_s = clock() + bounds.within_s
        self._most_bytes = bounds.most_bytes

    @property
    def content(self) -> bytes:
        """The bytes so far; empty where none are kept."""
        return b"".join(self._pieces)

    @property
    def left_s(self) -> float:
        """Seconds until the answer is cut off."""
        rate = self.bounds.least_bytes_per_s
        return self._until_s + (self._n_bytes / rate if rate else 0.0) - self._clock()

    @property
    def left_bytes(self) -> int:
        """How many bytes more there may be; negative where there were too many."""
        return self._most_bytes - self._n_bytes

    def begin(self, request: httpx2.Request) -> None:
        """Start the clock; a request with a large body gets more time to be sent."""
        upload_s = int(request.headers.get("content-length", 0)) / SLOWEST_UPLOAD_BYTES_PER_S
        self._until_s = self._clock() + self.bounds.within_s + upload_s

    @asynccontextmanager
    async def in_time(self) -> AsyncIterator[None]:
        """Wait inside for no longer than the answer may take.

        Raises:
            TimeoutError: It is cut off. A process that was suspended until then first reads what has arrived.
        """
        loop = asyncio.get_running_loop()

        def look() -> None:
            late_s = loop.time() - due_s
            if late_s > SUSPENDED_S:
                self._until_s = self._clock() + min(late_s, self.bounds.within_s)
                limit.reschedule(loop.time() + self.left_s)

        async with asyncio.timeout(self.left_s) as limit:
            due_s = (limit.when() or 0.0) - _BEFORE_S
            looking = loop.call_at(due_s, look)
            try:
                yield
            finally:
                looking.cancel()

    def has_headers(self, response: httpx2.Response) -> None:
        """Note an answer's headers, and expect less of one that failed."""
        self.headers = response.headers
        if not response.is_success:
            self._until_s = min(self._until_s, self._clock() + ERROR_BODY_S)
            if "json" not in response.headers.get("content-type", ""):  # else it may hold a picture
                self._most_bytes = ERROR_BYTES

    def add(self, piece: bytes) -> bytes:
        """Count a piece, up to what there may be, and return that much of it."""
        taken = piece[: max(self.left_bytes, 0)]
        self._n_bytes += len(piece)
        if self._keeps:
            self._pieces.append(taken)
        return taken

    def too_late(self, request: httpx2.Request) -> httpx2.ReadTimeout:
        """Build the error for an answer that is not whole in time."""
        message = f"The answer was not whole after {self.bounds.within_s:g} s."
        return httpx2.ReadTimeout(message, request=request)

    def too_large(self, request: httpx2.Request) -> AnswerTooLargeError:
        """Build the error for an answer that has too many bytes."""
        message = f"The answer has more than {self._most_bytes:,} bytes, the most that was expected."
        return AnswerTooLargeError(message, request=request)


_EXPECTED: ContextVar[Received | None] = ContextVar("expected", default=None)


@contextmanager
def receiving(received: Received) -> Iterator[None]:
    """Bound the answers to requests that are sent inside; others have bounds by their read timeout."""
    token = _EXPECTED.set(received)
    try:
        yield
    finally:
        _EXPECTED.reset(token)


class BoundedClient(httpx2.AsyncClient):
    """An HTTP client that ends every answer at its bounds."""

    async def send(self, request: httpx2.Request, *, stream: bool = False, **options: Any) -> httpx2.Response:  # noqa: ANN401 - the library's options
        """Send a request, and receive its answer within its bounds.

        Raises:
            AnswerTooLargeError: An answer with a status of success has too many bytes.
            httpx2.ReadTimeout: It was not whole in time.
        """
        received = _expected(request)
        received.begin(request)
        try:
            async with received.in_time():
                response = await super().send(request, stream=True, **options)
        except TimeoutError as error:
            raise received.too_late(request) from error
        response.stream = _BoundedStream(response, received)
        if not stream:
            try:
                await response.aread()
            except BaseException:
                await response.aclose()
                raise
        return response


class BoundedSyncClient(httpx2.Client):
    """The same without an event loop; it looks at the clock whenever bytes have arrived."""

    def send(self, request: httpx2.Request, *, stream: bool = False, **options: Any) -> httpx2.Response:  # noqa: ANN401 - the library's options
        """See ``BoundedClient``."""
        received = _expected(request)
        received.begin(request)
        response = super().send(request, stream=True, **options)
        response.stream = _BoundedStream(response, received)
        if not stream:
            try:
                response.read()
            except BaseException:
                response.close()
                raise
        return response


def _expected(request: httpx2.Request) -> Received:
    read_s: float | None = request.extensions.get("timeout", {}).get("read")
    return _EXPECTED.get() or Received(Bounds(read_s or LONGEST_READ_S), keeps=False)


async def _end(pieces: AsyncIterator[bytes]) -> None:
    """End a body that may not be read to its end, down to the connection.

    The library's streams lie in one another, and closing one leaves the one inside to the garbage collector,
    which may come from another thread while this one is at work in it. Interrupting a read ends them all.
    """
    with suppress(Exception):  # how it ends no longer matters
        async with asyncio.timeout(0):
            while True:
                await anext(pieces)


class _BoundedStream(httpx2.AsyncByteStream, httpx2.SyncByteStream):
    """An answer's body, decompressed here: a few bytes may decompress into any number of them."""

    def __init__(self, response: httpx2.Response, received: Received) -> None:
        received.has_headers(response)
        self._body: Any = response.stream
        self._received = received
        self._request = response.request
        self._is_success = response.is_success
        # Taken away, so that the library does not decompress it once more.
        encoding = response.headers.pop("content-encoding", "").strip().lower()
        self._ways = [zlib.MAX_WBITS | 32, -zlib.MAX_WBITS] if encoding in _COMPRESSED else []
        self._inflate = zlib.decompressobj(self._ways[0]) if self._ways else None

    async def __aiter__(self) -> AsyncIterator[bytes]:
        pieces = aiter(self._body)
        try:
            while True:
                try:
                    async with self._received.in_time():
                        piece = await anext(pieces)
                    taken = self._received.add(self._decompressed(piece))
                except StopAsyncIteration:
                    return
                except (TimeoutError, zlib.error, httpx2.TransportError) as error:
                    if self._is_success:
                        raise self._explained(error) from error
                    return
                yield taken
                if self._is_full():
                    return
        finally:
            await _end(pieces)

    def __iter__(self) -> Iterator[bytes]:
        pieces = iter(self._body)
        while True:
            try:
                piece = next(pieces)
                if self._received.left_s < 0:
                    raise self._received.too_late(self._request)
                taken = self._received.add(self._decompressed(piece))
            except StopIteration:
                return
            except (zlib.error, httpx2.TransportError) as error:
                if self._is_success:
                    raise self._explained(error) from error
                return
            yield taken
            if self._is_full():
                return

    def _explained(self, error: Exception) -> Exception:
        if isinstance(error, TimeoutError):
            return self._received.too_late(self._request)
        if isinstance(error, zlib.error):
            message = f"The answer cannot be decompressed: {error}"
            return httpx2.ReadError(message, request=self._request)
        return error

    def _decompressed(self, piece: bytes) -> bytes:
        """Decompress a piece, to one byte more than there may be; a body that is not compressed is left.

        Some servers leave the header of ``deflate`` out, and some say so of what they did not compress: which
        it is shows in the first piece.
        """
        most_bytes = max(self._received.left_bytes, 0) + 1
        while self._inflate is not None:
            try:
                plain = self._inflate.decompress(piece, most_bytes)
            except zlib.error:
                if not self._ways:
                    raise
                self._ways.pop(0)
                self._inflate = zlib.decompressobj(self._ways[0]) if self._ways else None
            else:
                self._ways = []
                return plain
        return piece

    def _is_full(self) -> bool:
        """Return whether an answer that failed has come far enough.

        Raises:
            AnswerTooLargeError: One that succeeded has more bytes than there may be.
        """
        if self._received.left_bytes >= 0:
            return False
        if self._is_success:
            raise self._received.too_large(self._request)
        return True

    async def aclose(self) -> None:
        """Close the connection's stream."""
        await self._body.aclose()

    def close(self) -> None:
        """Close the connection's stream."""
        self._body.close()
