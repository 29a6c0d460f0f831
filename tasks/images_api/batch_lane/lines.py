"""Writes the input lines of a batch and reads its result lines.

A line's ``custom_id`` is the order's id, so that results may come in any sequence. Pictures are given by the
ids of uploaded files: a batch takes edits only as JSON. Source: the vendor's batch guide and its types of
batch requests and outputs, checked 2026-11-22.
"""

import json
import re
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Any

from tasks.images_api.error_body import READ_CHARS
from tasks.order import Order
from tasks.redaction import hide_keys

_ORDER_ID = re.compile(r'"custom_id"\s*:\s*"([\w-]{1,64})"')
ENDPOINTS = {"generations": "/v1/images/generations", "edits": "/v1/images/edits"}


def request_line(order: Order, file_ids: Mapping[str, str]) -> bytes:
    """Write an order as one line of a batch.

    Args:
        order: The order.
        file_ids: The provider's file ids of its pictures, by ``Order.upload_key``.
    """
    body: dict[str, Any] = {"prompt": order.prompt, **order.parameters}
    if order.endpoint == "edits":
        body["images"] = [
            {"file_id": file_ids[order.upload_key(reference)]} for reference in order.references
        ]
        if order.mask is not None:
            body["mask"] = {"file_id": file_ids[order.upload_key(order.mask)]}
    url = ENDPOINTS[order.endpoint]
    line = {"custom_id": order.order_id, "method": "POST", "url": url, "body": body}
    return json.dumps(line, separators=(",", ":")).encode() + b"\n"


@dataclass(frozen=True, slots=True)
class ResultLine:
    """The result of one order.

    Args:
        order_id: The order.
        status: HTTP status of its answer; ``None`` when it has none.
        body: The answer's JSON, of any shape.
        request_id: The provider's id of the request.
        error_code: Why there is no answer, as a code.
        error_message: Why there is no answer, for people.
        is_broken: Whether the line is no JSON, such as one that was cut off; its text is the ``body``.
    """

    order_id: str
    status: int | None
    body: object = None
    request_id: str | None = None
    error_code: str = ""
    error_message: str = ""
    is_broken: bool = False


def read_line(line: bytes) -> ResultLine | None:
    """Read a line of an output or error file; ``None`` when it names no order."""
    try:
        facts = json.loads(line)
    except (ValueError, RecursionError):
        return _broken(line.decode(errors="replace"))
    if not isinstance(facts, dict) or not isinstance(facts.get("custom_id"), str):
        return None
    response, error = facts.get("response"), facts.get("error")
    if isinstance(response, dict) and type(response.get("status_code")) is int:
        request_id = response.get("request_id")
        named = request_id if isinstance(request_id, str) and request_id else None
        return ResultLine(facts["custom_id"], response["status_code"], response.get("body"), named)
    details = error if isinstance(error, dict) else {}
    code, message = (
        hide_keys(str(details.get("code") or "no_answer"))[:READ_CHARS],
        hide_keys(str(details.get("message") or "There was no answer."))[:READ_CHARS],
    )
    return ResultLine(facts["custom_id"], None, error_code=code, error_message=message)


def _broken(line: str) -> ResultLine | None:
    """Read what can be read of a line that is not JSON: the order's id, and its answer as text."""
    named = _ORDER_ID.search(line[:READ_CHARS])
    return ResultLine(named[1], 200, line, is_broken=True) if named else None


async def split_lines(pieces: AsyncIterator[bytes], most_bytes: int) -> AsyncGenerator[bytes, None]:
    """Split a download into lines as it arrives; only one line is in memory at a time.

    Only line feeds end a line: a prompt repeated in an answer may contain other characters that
    ``str.splitlines`` would split at.

    Args:
        pieces: The download.
        most_bytes: The most that is kept of a line.
    """
    rest = bytearray()
    async for piece in pieces:
        begin = 0
        while (end := piece.find(b"\n", begin)) >= 0:
            rest += piece[begin : min(end, begin + most_bytes - len(rest))]
            yield bytes(rest)
            rest.clear()
            begin = end + 1
        rest += piece[begin : begin + most_bytes - len(rest)]
    if rest:
        yield bytes(rest)
