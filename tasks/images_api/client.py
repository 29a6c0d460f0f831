"""The official SDK, told to send once: Runoff owns the policy of what is sent again.

The SDK by itself resends a POST twice after a read time-out, each time a new purchase, so it runs with
``max_retries=0``. Redirects are not followed: a POST that became a GET answers with a page, not pictures.
"""

import mimetypes
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx2
import openai
from openai import AsyncOpenAI, DefaultAsyncHttpxClient

from tasks.candidate import Order, Reference
from tasks.images_api.terms import Terms

WRITE_TIMEOUT_S = 60.0
IN_PROCESS_URL = "http://emulator.invalid/v1"


def connect(terms: Terms, transport: httpx2.AsyncBaseTransport | None = None) -> AsyncOpenAI:
    """Make a client for one provider.

    Args:
        terms: The provider's address, key and concurrency.
        transport: Where requests go instead of the network: a provider inside the process.

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


async def post(client: AsyncOpenAI, order: Order, terms: Terms) -> tuple[object, Mapping[str, str]]:
    """Send an order's request, once, and wait for its answer. This spends money.

    Args:
        client: From ``connect``.
        order: Its estimate must be reserved already.
        terms: How long to wait.

    Returns:
        What the SDK made of the body (a provider's stray HTML arrives as ``str``), and the headers.

    Raises:
        openai.APIError: There is no usable answer; ``faults.fault_of`` tells what that means.
    """
    read_s = terms.read_timeout_s(order)
    parameters: dict[str, Any] = dict(order.parameters)
    parameters["timeout"] = httpx2.Timeout(
        connect=terms.provider.timeouts.connect_s, read=read_s, write=WRITE_TIMEOUT_S, pool=read_s
    )
    # Unknown orders are found again in the provider's logs by our own name for them.
    parameters["extra_headers"] = {"X-Client-Request-Id": order.order_id}
    images = client.images.with_raw_response
    if order.endpoint == "generations":
        raw = await images.generate(prompt=order.prompt, **parameters)
    else:
        if order.mask is not None:
            parameters["mask"] = upload(order.mask)
        raw = await images.edit(
            prompt=order.prompt, image=[upload(reference) for reference in order.references], **parameters
        )
    return _parsed(raw), raw.headers


def _parsed(raw: Any) -> object:  # noqa: ANN401 - the SDK's own legacy response type
    try:
        parsed: object = raw.parse()
    except ValueError as error:  # a body that claims to be JSON and is not
        raise openai.APIResponseValidationError(raw.http_response, None, message=str(error)) from error
    return parsed


def upload(reference: Reference) -> tuple[str, bytes, str]:
    """Read a reference for sending: file name, bytes, media type.

    The name and type are always given: a bare file object goes out as ``application/octet-stream``, which
    the vendor refuses.
    """
    ending = mimetypes.guess_extension(reference.media_type) or ".png"
    return Path(reference.file).stem + ending, Path(reference.file).read_bytes(), reference.media_type
