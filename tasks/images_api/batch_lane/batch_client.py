"""The client of a provider's batch and file endpoints; each call returns a result or a failure.

Uploads, look-ups and downloads cost nothing and may be repeated. Creating a batch spends money, so ``create``
is the only call that does and is never made twice for the same batch.
"""

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any, Literal, TypeVar

import httpx2
import openai
from openai import AsyncOpenAI
from openai.types import Batch

from tasks.crash_points import crash_point
from tasks.images_api.answer_bounds import bounds_of_file, most_bytes
from tasks.images_api.batch_lane.lines import split_lines
from tasks.images_api.batch_lane.report import BatchReport, read_batch
from tasks.images_api.failures import WEB_PAGE, Failure, FailureKind, failure_of, not_json
from tasks.images_api.receiving import Received, receiving
from tasks.images_api.retries import Chance, with_jitter
from tasks.images_api.terms import Terms
from tasks.ledger import BatchRecord
from tasks.limits import ANSWER_MARGIN_BYTES
from tasks.order import Order
from tasks.redaction import hide_secrets, redact

T = TypeVar("T")

KEY = "runoff_batch"
"""The name of a batch's key in its metadata."""
READ_S, TRANSFER_S = 60.0, 600.0
CLOCKS_APART = timedelta(hours=1)
PAGE = 100
MOST_LISTED = 10_000
"""How many of the newest batches are looked through for one of ours."""
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
        """Upload a file and return the provider's id for it. Costs nothing; tried up to three times.

        A page in place of an answer means that nothing can be bought at this address.
        """
        timeout = self._timeout(TRANSFER_S)

        async def send() -> str:
            answer = await self._client.files.create(file=file, purpose=_PURPOSES[what], timeout=timeout)
            return _named(answer)

        for wait_s in UPLOAD_BACKOFF_S:
            answer = await self._attempt(send)
            if isinstance(answer, Failure) and answer.code == WEB_PAGE:
                return replace(answer, kind=FailureKind.stop_run)
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

    async def create(self, record: BatchRecord, endpoint: Any) -> BatchReport | Failure:  # noqa: ANN401 - the SDK's literal
        """Create a batch. This spends money: its orders must be reserved already."""

        async def ask() -> BatchReport:
            batch = await self._client.batches.create(
                input_file_id=str(record.input_file_id),
                endpoint=endpoint,
                completion_window="24h",
                metadata={KEY: record.batch_key, "runoff_run": record.run_id},
                timeout=self._timeout(READ_S),
            )
            return _report(batch)

        return await self._attempt(ask)

    async def find(self, record: BatchRecord) -> BatchReport | Failure | None:
        """Find a batch by its key among the newest ones; ``None`` when it is not listed."""
        oldest_s = (record.reserved_at - CLOCKS_APART).timestamp()

        async def look() -> BatchReport | None:
            n_seen = 0
            try:
                page = await self._client.batches.list(limit=PAGE, timeout=self._timeout(READ_S))
                while True:
                    for batch in page.data or ():
                        if isinstance(batch.metadata, dict) and batch.metadata.get(KEY) == record.batch_key:
                            return _report(batch)
                        if batch.created_at < oldest_s:
                            return None
                        n_seen += 1
                        _require_end(n_seen)
                    if not page.has_next_page():
                        return None
                    page = await page.get_next_page()
            except (AttributeError, TypeError, ValueError) as error:  # the SDK fails on another shape
                raise _UnreadableError(redact(str(error))) from error

        return await self._attempt(look)

    async def look(self, vendor_batch_id: str) -> BatchReport | Failure | None:
        """Read a batch's status; ``None`` when the provider does not know it."""

        async def ask() -> BatchReport | None:
            try:
                batch = await self._client.batches.retrieve(vendor_batch_id, timeout=self._timeout(READ_S))
            except openai.NotFoundError:
                return None
            return _report(batch)

        return await self._attempt(ask)

    async def cancel(self, vendor_batch_id: str) -> Failure | None:
        """Ask the provider to cancel a batch; finished requests stay and are billed."""

        async def ask() -> None:
            await self._client.batches.cancel(vendor_batch_id, timeout=self._timeout(READ_S))

        return await self._attempt(ask)

    @asynccontextmanager
    async def lines(self, file_id: str, orders: Sequence[Order]) -> AsyncIterator[AsyncIterator[bytes]]:
        """Open a file of results and read its lines while it is downloaded.

        Args:
            file_id: The provider's id of the file.
            orders: The batch's orders, which say how large it may be.

        Raises:
            openai.APIError: It cannot be read.
            httpx2.HTTPError: The download was cut off; lines may be missing.
        """
        content = self._client.files.with_streaming_response.content
        most_line_bytes = max(map(most_bytes, orders), default=0) + ANSWER_MARGIN_BYTES
        async with AsyncExitStack() as opened:
            with receiving(Received(bounds_of_file(orders, TRANSFER_S), keeps=False)):
                sending = content(file_id, timeout=self._timeout(TRANSFER_S))
                response = await opened.enter_async_context(sending)
            pieces = await opened.enter_async_context(aclosing(response.http_response.aiter_bytes()))
            yield await opened.enter_async_context(aclosing(split_lines(pieces, most_line_bytes)))

    def failure_of(self, error: Exception) -> Failure:
        """Return the failure that an exception of a call means."""
        if isinstance(error, openai.APIError):
            return failure_of(error)
        return Failure(
            FailureKind.unknown, type(error).__name__, f"The download broke off: {redact(str(error))}"
        )

    async def _attempt(self, call: Callable[[], Awaitable[T]]) -> T | Failure:
        crash_point("before request")
        try:
            answer = await call()
        except openai.APIError as error:
            return self.failure_of(error)
        except _UnreadableError as error:
            return not_json(str(error), {})
        crash_point("answered")
        return answer

    def _timeout(self, read_s: float) -> httpx2.Timeout:
        connect_s = self._terms.provider.timeouts.connect_s
        return httpx2.Timeout(connect=connect_s, read=read_s, write=TRANSFER_S, pool=read_s)


class _UnreadableError(Exception):
    """An answer with status 200 that is a page, has no id, or has a secret for one."""


def _require_end(n_seen: int) -> None:
    if n_seen >= MOST_LISTED:
        message = f"The list of batches has no end after {n_seen:,} of them."
        raise _UnreadableError(message)


def _report(batch: Batch) -> BatchReport:
    _named(batch)
    return read_batch(batch)


def _named(answer: object) -> str:
    name = getattr(answer, "id", None)
    if not isinstance(name, str) or not name or hide_secrets(name) != name:
        raise _UnreadableError(redact(str(answer))[:80])
    return name
