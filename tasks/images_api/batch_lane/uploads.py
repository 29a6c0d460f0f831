"""Uploads the references and masks of batch orders, each distinct file once.

A file recorded in the ledger is checked before it is used: it may have been deleted, or the account changed.
Uploading costs nothing; a file uploaded by a killed process may stay unused.
"""

import asyncio
from collections.abc import Iterable
from datetime import UTC, datetime

from tasks.images_api.batch_lane.batch_client import BatchClient
from tasks.images_api.client import upload
from tasks.images_api.failures import Failure
from tasks.ledger import Ledger
from tasks.order import Order, Reference

AT_ONCE = 8


class PictureUploads:
    """The pictures that one provider stores for one process.

    Args:
        vendor: The client of the provider.
        ledger: Where their ids are recorded.
        provider: The provider's name.
    """

    def __init__(self, vendor: BatchClient, ledger: Ledger, provider: str) -> None:
        self._vendor = vendor
        self._ledger = ledger
        self._provider = provider
        self._sure: dict[str, str] = {}

    async def ids_of(self, orders: Iterable[Order]) -> dict[str, str] | Failure:
        """Upload missing files; returns the provider's file ids by ``Order.upload_key``.

        Raises:
            PictureError: A picture is missing or was changed since it was planned.
        """
        wanted = {
            order.upload_key(picture): (picture, order.is_upright(picture))
            for order in orders
            for picture in order.sent
        }
        missing = [key for key in wanted if key not in self._sure]
        known = self._ledger.uploads.known(self._provider) if missing else {}
        places = asyncio.Semaphore(AT_ONCE)

        async def name(key: str) -> Failure | None:
            async with places:
                return await self._name(key, *wanted[key], known.get(key))

        ends = await asyncio.gather(*map(name, missing), return_exceptions=True)
        for end in ends:
            if isinstance(end, BaseException):
                raise end
        fault = next((end for end in ends if isinstance(end, Failure)), None)
        return fault or {key: self._sure[key] for key in wanted}

    async def _name(
        self, key: str, picture: Reference, is_upright: bool, remembered: str | None
    ) -> Failure | None:
        if remembered is not None:
            is_there = await self._vendor.has_file(remembered)
            if isinstance(is_there, Failure):
                return is_there
            if is_there:
                self._sure[key] = remembered
                return None
        file = await asyncio.to_thread(upload, picture, is_upright=is_upright)
        answer = await self._vendor.upload(file, "picture")
        if isinstance(answer, Failure):
            return answer
        record = self._ledger.uploads.record
        await asyncio.to_thread(record, self._provider, key, answer, datetime.now(UTC))
        self._sure[key] = answer
        return None
