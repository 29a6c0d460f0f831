"""The official SDK, configured to send once; the retry policy is Runoff's own.

By default the SDK resends a POST twice after a read timeout, each time a new purchase, so it runs with
``max_retries=0``. Redirects are not followed: a POST turned into a GET returns a page, not pictures.
"""

import base64
import hashlib
from collections.abc import Awaitable, Callable, Mapping
from functools import lru_cache
from pathlib import Path
from threading import Lock
from typing import Any

import httpx2
from openai import AsyncOpenAI

from tasks.attachments.references import MAX_REFERENCE_BYTES
from tasks.crash_points import crash_point
from tasks.errors import PictureError
from tasks.images_api.adapters import ADAPTERS
from tasks.images_api.adapters.azure import at_deployment
from tasks.images_api.adapters.json_request import OF_IMAGES
from tasks.images_api.connection import CONNECTIONS, async_http_client, client_options
from tasks.images_api.questions import chat_fields
from tasks.images_api.receiving import Received, receiving
from tasks.images_api.streaming import read_stream
from tasks.images_api.terms import Terms
from tasks.order import Order, Reference
from tasks.pictures.container import ENDINGS, detect_format
from tasks.pictures.sendable import as_sent, look_at_sendable
from tasks.pictures.shown import draw_mask, shrink
from tasks.storage.mirror import found_here
from tasks.storage.regular_file import read_regular

WRITE_TIMEOUT_S = 60.0
IN_PROCESS_URL = "http://emulator.invalid/v1"


def connect(terms: Terms, transport: httpx2.AsyncBaseTransport | None = None) -> AsyncOpenAI:
    """Make a client for one provider.

    Args:
        terms: The provider's address, key and concurrency.
        transport: Where requests go instead of the network, such as a provider inside the process.

    Raises:
        SettingError: The key, the address or another variable is missing or unusable.
    """
    most = terms.provider.concurrency + CONNECTIONS
    options = client_options(terms)
    limits = httpx2.Limits(max_connections=most, max_keepalive_connections=most)
    http_client = async_http_client(terms, transport=transport, limits=limits)
    return AsyncOpenAI(base_url=terms.base_url or IN_PROCESS_URL, http_client=http_client, **options)


def fields_of(order: Order) -> dict[str, Any]:
    """Build the fields of an order's request, reading its references from disk.

    Raises:
        PictureError: A reference is missing or was changed since it was planned. Nothing was sent.
    """
    if order.endpoint == "chat":
        return chat_fields(order, [_shown(one, is_mask=one is order.mask) for one in order.sent])
    fields: dict[str, Any] = {"prompt": order.prompt, **order.parameters}
    if order.endpoint == "edits":
        images = [upload(one, is_upright=order.is_upright(one)) for one in order.references]
        # The SDK names a single picture `image`, those of a list `image[]`, which some gateways do not know.
        fields["image"] = images[0] if len(images) == 1 else images
        if order.mask is not None:
            fields["mask"] = upload(order.mask, is_upright=True)
    return fields


def _shown(picture: Reference, *, is_mask: bool) -> tuple[str, bytes, str]:
    """Read a picture that a judging model is shown: no larger than its order says."""
    name, data, media_type = upload(picture, is_upright=True)
    size = picture.width, picture.height
    seen = look_at_sendable(data)
    if is_mask:
        data, media_type = draw_mask(data, size)
    elif all(size) and (seen.width > size[0] or seen.height > size[1]):
        data, media_type = shrink(data, size)
    return name, data, media_type


def upload(reference: Reference, *, is_upright: bool = False) -> tuple[str, bytes, str]:
    """Read a reference for sending: file name, bytes, media type; converted where providers need it.

    The name and type are always given: a bare file object is sent as ``application/octet-stream``, which the
    vendor rejects.

    Args:
        reference: The picture.
        is_upright: See ``Order.is_upright``.

    Raises:
        PictureError: It cannot be read, or its bytes do not match the order.
    """
    file = found_here(Path(reference.file))
    try:
        data = read_regular(file, MAX_REFERENCE_BYTES)
    except OSError as fault:
        what = f"the reference cannot be read: {fault.strerror or fault}"
        raise _reference_fault(file, what) from fault
    if hashlib.sha256(data).hexdigest() != reference.sha256:
        raise _reference_fault(file, "the reference was changed after the run was planned")
    try:
        content, media_type = _content_of(reference.sha256, data, is_upright)
    except PictureError as fault:
        raise _reference_fault(file, fault.what) from fault
    return file.stem + ENDINGS[media_type], content, media_type


def _content_of(sha256: str, data: bytes, is_upright: bool) -> tuple[bytes, str]:
    """Convert a picture once for orders that are sent at the same time, or one after another."""
    with _conversion_lock(sha256):
        seen = look_at_sendable(data)
        converts = seen.upright_conversion if is_upright else seen.conversion
        return _convert(data, is_upright) if converts else (data, seen.media_type)


@lru_cache(maxsize=256)
def _conversion_lock(_sha256: str) -> Lock:
    return Lock()


@lru_cache(maxsize=4)
def _convert(data: bytes, is_upright: bool) -> tuple[bytes, str]:
    return as_sent(data, is_upright=is_upright)


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
    received: Received,
    sketches: Path | None = None,
) -> tuple[object, Mapping[str, str]]:
    """Send an order's request once and wait for its answer. This spends money.

    Args:
        client: From ``connect``.
        order: Its estimate must be reserved already.
        fields: From ``fields_of``.
        terms: How long a connection may take.
        received: How long the answer may take and how large it may be; afterwards what has come of it.
        sketches: Where the partial pictures of a stream go.

    Returns:
        The answer's JSON, of any shape, or its text where it is not JSON; and the headers.

    Raises:
        openai.APIError: There is no usable answer; ``failures.failure_of`` says what that means.
    """
    within_s = received.bounds.within_s
    crash_point("before request")
    timeout = httpx2.Timeout(  # the whole answer has its bounds, which know of suspended processes
        connect=terms.provider.timeouts.connect_s, read=None, write=WRITE_TIMEOUT_S, pool=within_s
    )
    # Unknown orders can be found in the provider's logs by this id.
    headers = {"X-Client-Request-Id": order.order_id}
    adapter = None if order.endpoint == "chat" else ADAPTERS.get(terms.provider.kind)
    if terms.provider.kind == "azure":
        client, fields = at_deployment(client, fields)
    with receiving(received):
        if adapter is not None:
            request = adapter(fields)
            response = await client.post(
                request.path,
                cast_to=httpx2.Response,
                body=request.body,
                options={"headers": headers, "timeout": timeout},
            )
            crash_point("answered")
            return _content(response), response.headers
        raw = await _sender(client, order)(**_known(fields, order), timeout=timeout, extra_headers=headers)
    if order.parameters.get("stream"):
        answer = await read_stream(raw.http_response, sketches)
    else:
        answer = _content(raw.http_response)
    crash_point("answered")
    return answer, raw.headers


def _known(fields: Mapping[str, Any], order: Order) -> dict[str, Any]:
    """Return fields as the SDK takes them: what it has no name for goes into the body beside them."""
    if order.endpoint == "chat":
        return dict(fields)
    own = {name: value for name, value in fields.items() if name not in OF_IMAGES}
    kept = {name: value for name, value in fields.items() if name in OF_IMAGES}
    return kept | ({"extra_body": own} if own else {})


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
        if detect_format(response.content) is None:
            return response.text
        # The picture itself, as some gateways send it; as text its bytes would be lost.
        content = {"data": [{"b64_json": base64.b64encode(response.content).decode()}]}
    return content
