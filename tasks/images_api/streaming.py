"""Reads an answer that is streamed: partial pictures first, then the complete one with its usage.

A stream keeps proxies from closing an idle connection. Partial pictures are stored for people to look at
while they wait; they are not candidates. Only the completed event has the picture and the usage: a request
whose stream ends earlier may still have been billed. Source: API reference of image streaming events, checked
2026-11-22.
"""

import base64
import binascii
import contextlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx2
import openai
from openai import BaseModel

from tasks.errors import SettingError
from tasks.order import Order
from tasks.storage.atomic import write_atomically

PARTIALS = "partials"


async def read_stream(raw: Any, sketches: Path | None) -> object:  # noqa: ANN401 - the SDK's raw response
    """Wait for a stream's last event and return it in the shape of an answer without a stream.

    Args:
        raw: The SDK's raw response to a request with ``stream``.
        sketches: Where partial pictures are stored, a path without number and extension; ``None`` discards
            them.

    Returns:
        The answer's JSON as without a stream; an error inside the stream as ``{"error": …}``; or the answer
        of a provider that does not stream.

    Raises:
        openai.APIConnectionError: The stream broke off or ended without the complete picture.
    """
    response: httpx2.Response = raw.http_response
    try:
        if "event-stream" not in response.headers.get("content-type", ""):
            return _plain(await response.aread())
        async for event in raw.parse():
            facts = event.to_dict() if isinstance(event, BaseModel) else {}
            kind = str(facts.get("type"))
            if kind.endswith(".completed"):
                return facts | {"data": [{"b64_json": facts.get("b64_json"), "url": facts.get("url")}]}
            if kind.endswith(".partial_image") and sketches is not None:
                _keep_sketch(facts, sketches)
    except openai.APIError as error:
        if isinstance(error.body, dict):
            return {"error": error.body}
        raise
    except (httpx2.HTTPError, ValueError) as error:  # the SDK passes on data that is not JSON
        message = "The stream broke off before the complete picture."
        raise openai.APIConnectionError(message=message, request=response.request) from error
    message = "The stream ended before the complete picture."
    raise openai.APIConnectionError(message=message, request=response.request)


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
