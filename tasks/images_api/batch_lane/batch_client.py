"""The client of a provider's batch and file endpoints; each call returns a result or a failure.

Uploads, look-ups and downloads cost nothing and may be repeated. Creating a batch spends money, so ``create``
is the only call that does and is never made twice for the same batch.
"""

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any, Literal, TypeVar

import httpx2
import openai
from openai import AsyncOpenAI
from openai.types import Batch

from tasks.images_api.batch_lane.lines import split_lines
from tasks.images_api.failures import Failure, FailureKind, failure_of
from tasks.images_api.retries import Chance, with_jitter
from tasks.images_api.terms import Terms
from tasks.ledger import BatchRecord

T = TypeVar("T")

KEY = "runoff_batch"
"""The name of a batch's key in its metadata."""
READ_S, TRANSFER_S = 60.0, 600.0
CLOCKS_APART = timedelta(hours=1)
PAGE = 100
UPLOAD_BACKOFF_S = (1.0, 5.0)
"""Before each further try; what fails three times is tried again when the run is resumed."""
_WORTH_ANOTHER_TRY = (FailureKind.unsent, FailureKind.unknown, FailureKind.server_fault)
_PURPOSES: dict[str, Literal["batch", "vision"]] = {"lines": "batch", "picture": "vision"}


class BatchClient:
    """A provider's files and batches.

    Args:
        client: From ``client.connect``.
        terms: Its key and timeouts.
        sleep: Waits that many seconds.
        chance: Draws from [0, 1), for the jitter of waits.
    """

    def __init__(
        self,
        client: AsyncOpenAI,
        terms: Terms,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        chance: Chance = random.random,
    ) -> None:
        self._client = client
        self._terms = terms
        self._sleep = sleep
        self._chance = chance

    async def upload(
        self, file: tuple[str, Path | bytes, str], what: Literal["lines", "picture"]
    ) -> str | Failure:
        """Upload a file and return the provider's id for it. Costs nothing; tried up to three times."""
        timeout = self._timeout(TRANSFER_S)

        async def send() -> str:
            answer = await self._client.files.create(file=file, purpose=_PURPOSES[what], timeout=timeout)
            return _named(answer)

        for wait_s in UPLOAD_BACKOFF_S:
            answer = await self._attempt(send)
            if isinstance(answer, str) or answer.kind not in _WORTH_ANOTHER_TRY:
                return answer
            await self._sleep(with_jitter(wait_s, self._chance))
        return await self._attempt(send)

    async def has_file(self, file_id: str) -> bool | Failure:
        """Return whether the provider still has a file."""

        async def look() -> bool:
            try:
                await self._client.files.retrieve(file_id, timeout=self._timeout(READ_S))
            except openai.NotFoundError:
                return False
            return True

        return await self._attempt(look)

    async def create(self, record: BatchRecord, endpoint: Any) -> Batch | Failure:  # noqa: ANN401 - the SDK's literal
        """Create a batch. This spends money: its orders must be reserved already."""

        async def ask() -> Batch:
            batch = await self._client.batches.create(
                input_file_id=str(record.input_file_id),
                endpoint=endpoint,
                completion_window="24h",
                metadata={KEY: record.batch_key, "runoff_run": record.run_id},
                timeout=self._timeout(READ_S),
            )
            _named(batch)
            return batch

        return await self._attempt(ask)

    async def find(self, record: BatchRecord) -> Batch | Failure | None:
        """Find a batch by its key among the newest ones; ``None`` when it is not listed."""
        oldest_s = (record.reserved_at - CLOCKS_APART).timestamp()

        async def look() -> Batch | None:
            try:
                async for batch in self._client.batches.list(limit=PAGE, timeout=self._timeout(READ_S)):
                    if (batch.metadata or {}).get(KEY) == record.batch_key:
                        return batch
                    if batch.created_at < oldest_s:
                        break
            except AttributeError as error:  # the SDK fails on a page with status 200
                raise _UnreadableError(str(error)) from error
            return None

        return await self._attempt(look)

    async def look(self, vendor_batch_id: str) -> Batch | Failure | None:
        """Read a batch's status; ``None`` when the provider does not know it."""

        async def ask() -> Batch | None:
            try:
                batch = await self._client.batches.retrieve(vendor_batch_id, timeout=self._timeout(READ_S))
            except openai.NotFoundError:
                return None
            _named(batch)
            return batch

        return await self._attempt(ask)

    async def cancel(self, vendor_batch_id: str) -> Batch | Failure:
        """Ask the provider to cancel a batch; finished requests stay and are billed."""

        async def ask() -> Batch:
            return await self._client.batches.cancel(vendor_batch_id, timeout=self._timeout(READ_S))

        return await self._attempt(ask)

    @asynccontextmanager
    async def lines(self, file_id: str) -> AsyncIterator[AsyncIterator[bytes]]:
        """Open a file and read its lines while it is downloaded.

        Raises:
            openai.APIError: It cannot be read.
            httpx2.HTTPError: The download was cut off; lines may be missing.
        """
        content = self._client.files.with_streaming_response.content
        async with content(file_id, timeout=self._timeout(TRANSFER_S)) as response:
            yield split_lines(response.iter_bytes())

    def failure_of(self, error: Exception) -> Failure:
        """Return the failure that an exception of a call means."""
        if isinstance(error, openai.APIError):
            return failure_of(error, self._terms.api_key)
        return Failure(FailureKind.unknown, type(error).__name__, f"The download broke off: {error}")

    async def _attempt(self, call: Callable[[], Awaitable[T]]) -> T | Failure:
        try:
            return await call()
        except openai.APIError as error:
            return self.failure_of(error)
        except _UnreadableError as error:
            return Failure(FailureKind.unknown, "not_json", f"The answer is no JSON of the protocol: {error}")

    def _timeout(self, read_s: float) -> httpx2.Timeout:
        connect_s = self._terms.provider.timeouts.connect_s
        return httpx2.Timeout(connect=connect_s, read=read_s, write=TRANSFER_S, pool=read_s)


class _UnreadableError(Exception):
    """An answer with status 200 that is a page, or has no id."""


def _named(answer: object) -> str:
    name = getattr(answer, "id", None)
    if not isinstance(name, str) or not name:
        raise _UnreadableError(str(answer)[:80])
    return name
