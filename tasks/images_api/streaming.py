"""Reads an answer that is streamed: partial pictures first, then the complete one with its usage.

A stream keeps proxies from closing an idle connection. Partial pictures are stored for people to look at
while they wait; they are not candidates. Only the completed event has the picture and the usage: a request
whose stream ends earlier may still have been billed. Source: API reference of image streaming events, checked
2026-11-22.
"""

import asyncio
import base64
import binascii
import contextlib
import json
from collections.abc import AsyncGenerator, Mapping
from pathlib import Path
from typing import Any

import httpx2
import openai

from tasks.errors import SettingError
from tasks.images_api.server_events import EventReader
from tasks.order import Order
from tasks.storage.atomic import write_atomically

PARTIALS = "partials"
_END_S = 1.0
"""How long a stream may take to end after its last event, seconds; then its connection is closed."""


async def read_stream(response: httpx2.Response, sketches: Path | None) -> object:
    """Wait for a stream's last event and return it in the shape of an answer without a stream.

    Args:
        response: The answer to a request with ``stream``; its body is closed afterwards.
        sketches: Where partial pictures are stored, a path without number and extension; ``None`` discards
            them.

    Returns:
        The answer's JSON as without a stream; an error inside the stream as ``{"error": …}``; or the answer
        of a provider that does not stream.

    Raises:
        openai.APIConnectionError: The stream broke off or ended without the complete picture.
    """
    try:
        if "event-stream" not in response.headers.get("content-type", ""):
            return _plain(await response.aread())
        async with contextlib.aclosing(response.aiter_bytes()) as pieces:
            answer = await _read_events(pieces, sketches)
    except (httpx2.HTTPError, ValueError, RecursionError) as error:  # also data that is not JSON
        message = "The stream broke off before the complete picture."
        raise openai.APIConnectionError(message=message, request=response.request) from error
    finally:
        await response.aclose()
    if answer is None:
        message = "The stream ended before the complete picture."
        raise openai.APIConnectionError(message=message, request=response.request)
    return answer


async def _read_events(pieces: AsyncGenerator[bytes, None], sketches: Path | None) -> object:
    events = EventReader()
    async for piece in pieces:
        for data in events.read(piece):
            if answer := _answer_in(data, sketches):
                await _read_on(pieces)
                return answer
    return next((answer for data in events.end() if (answer := _answer_in(data, sketches))), None)


async def _read_on(pieces: AsyncGenerator[bytes, None]) -> None:
    """Wait for the end after the last event: then the next order can be sent over the same connection."""
    with contextlib.suppress(TimeoutError, httpx2.HTTPError):
        async with asyncio.timeout(_END_S):
            async for _ in pieces:
                pass


def _answer_in(data: str, sketches: Path | None) -> dict[str, Any] | None:
    """Return the answer where an event is the last one; keep the partial picture where it has one."""
    facts = None if data.startswith("[DONE]") else json.loads(data)
    if not isinstance(facts, dict):
        return None
    if error := facts.get("error"):
        return {"error": error}
    kind = str(facts.get("type"))
    if kind.endswith(".completed"):
        return facts | {"data": [{"b64_json": facts.get("b64_json"), "url": facts.get("url")}]}
    if kind.endswith(".partial_image") and sketches is not None:
        _keep_sketch(facts, sketches)
    return None


def sketches_of(folder: Path, order: Order) -> Path:
    """Return the path of an order's partial pictures, without number and extension."""
    return folder / PARTIALS / order.file_stem()


def _plain(content: bytes) -> object:
    text = content.decode(errors="replace")
    try:
        body: object = json.loads(text)
    except (ValueError, RecursionError):
        return text
    return body


def _keep_sketch(facts: Mapping[str, Any], sketches: Path) -> None:
    """Store a partial picture; one that is not a picture or cannot be written is skipped."""
    with contextlib.suppress(binascii.Error, TypeError, SettingError):
        data = base64.b64decode(facts.get("b64_json", ""), validate=True)
        name = f"{sketches.name}-{facts.get('partial_image_index')}.{facts.get('output_format')}"
        write_atomically(sketches.with_name(Path(name).name), data, is_durable=False)
