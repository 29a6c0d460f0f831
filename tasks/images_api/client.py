"""The official SDK, configured to send once; the retry policy is Runoff's own.

By default the SDK resends a POST twice after a read timeout, each time a new purchase, so it runs with
``max_retries=0``. Redirects are not followed: a POST turned into a GET returns a page, not pictures.
"""

import hashlib
import mimetypes
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

import httpx2
from openai import AsyncOpenAI, DefaultAsyncHttpxClient

from tasks.errors import PictureError
from tasks.images_api.questions import chat_fields
from tasks.images_api.streaming import read_stream
from tasks.images_api.terms import Terms
from tasks.order import Order, Reference
from tasks.storage.mirror import found_here

WRITE_TIMEOUT_S = 60.0
IN_PROCESS_URL = "http://emulator.invalid/v1"


def connect(terms: Terms, transport: httpx2.AsyncBaseTransport | None = None) -> AsyncOpenAI:
    """Make a client for one provider.

    Args:
        terms: The provider's address, key and concurrency.
        transport: Where requests go instead of the network, such as a provider inside the process.

    Raises:
        SettingError: The key or the address is missing.
    """
    most = terms.provider.concurrency + 2
    http_client = DefaultAsyncHttpxClient(
        transport=transport,
        follow_redirects=False,
        limits=httpx2.Limits(max_connections=most, max_keepalive_connections=most),
    )
    return AsyncOpenAI(
        base_url=terms.base_url or IN_PROCESS_URL,
        api_key=terms.api_key,
        max_retries=0,
        http_client=http_client,
    )


def fields_of(order: Order) -> dict[str, Any]:
    """Build the fields of an order's request, reading its references from disk.

    Raises:
        PictureError: A reference is missing or was changed since it was planned. Nothing was sent.
    """
    if order.endpoint == "chat":
        return chat_fields(order, map(upload, order.references))
    fields: dict[str, Any] = {"prompt": order.prompt, **order.parameters}
    if order.endpoint == "edits":
        images = [upload(reference) for reference in order.references]
        # The SDK names a single picture `image`, those of a list `image[]`, which some gateways do not know.
        fields["image"] = images[0] if len(images) == 1 else images
        if order.mask is not None:
            fields["mask"] = upload(order.mask)
    return fields


def upload(reference: Reference) -> tuple[str, bytes, str]:
    """Read a reference for sending: file name, bytes, media type.

    The name and type are always given: a bare file object is sent as ``application/octet-stream``, which the
    vendor rejects.

    Raises:
        PictureError: It cannot be read, or its bytes do not match the order.
    """
    file = found_here(Path(reference.file))
    try:
        data = file.read_bytes()
    except OSError as fault:
        raise _reference_fault(file, f"the reference cannot be read: {fault.strerror}") from fault
    if hashlib.sha256(data).hexdigest() != reference.sha256:
        raise _reference_fault(file, "the reference was changed after the run was planned")
    ending = mimetypes.guess_extension(reference.media_type) or ".png"
    return file.stem + ending, data, reference.media_type


def _reference_fault(file: Path, what: str) -> PictureError:
    return PictureError(
        where=str(file),
        what=what,
        money="The order was not sent; what was bought before is kept.",
        next_step="Restore the picture, then: runoff run --resume latest",
    )


async def post(
    client: AsyncOpenAI,
    order: Order,
    fields: Mapping[str, Any],
    terms: Terms,
    sketches: Path | None = None,
) -> tuple[object, Mapping[str, str]]:
    """Send an order's request once and wait for its answer. This spends money.

    Args:
        client: From ``connect``.
        order: Its estimate must be reserved already.
        fields: From ``fields_of``.
        terms: How long to wait.
        sketches: Where the partial pictures of a stream go.

    Returns:
        The answer's JSON, of any shape, or its text where it is not JSON; and the headers.

    Raises:
        openai.APIError: There is no usable answer; ``failures.failure_of`` says what that means.
    """
    read_s = terms.read_timeout_s(order)
    raw = await _sender(client, order)(
        **fields,
        timeout=httpx2.Timeout(
            connect=terms.provider.timeouts.connect_s, read=read_s, write=WRITE_TIMEOUT_S, pool=read_s
        ),
        # Unknown orders can be found in the provider's logs by this id.
        extra_headers={"X-Client-Request-Id": order.order_id},
    )
    if order.parameters.get("stream"):
        return await read_stream(raw, sketches), raw.headers
    return _content(raw.http_response), raw.headers


def _sender(client: AsyncOpenAI, order: Order) -> Callable[..., Awaitable[Any]]:
    if order.endpoint == "chat":
        return client.chat.completions.with_raw_response.create
    images = client.images.with_raw_response
    return images.generate if order.endpoint == "generations" else images.edit


def _content(response: httpx2.Response) -> object:
    # Not parsed by the SDK: gateways do not keep to the shapes of its types.
    try:
        content: object = response.json()
    except (ValueError, RecursionError):
        return response.text
    return content
