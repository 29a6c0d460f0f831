"""Writes the input lines of a batch and reads its result lines.

A line's ``custom_id`` is the order's id, so that results may come in any sequence. Pictures are given by the
ids of uploaded files: a batch takes edits only as JSON. Source: the vendor's batch guide and its types of
batch requests and outputs, checked 2026-11-22.
"""

import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Any

from tasks.order import Order

ENDPOINTS = {"generations": "/v1/images/generations", "edits": "/v1/images/edits"}


def request_line(order: Order, file_ids: Mapping[str, str]) -> bytes:
    """Write an order as one line of a batch.

    Args:
        order: The order.
        file_ids: The provider's file ids of its pictures, by the SHA-256 of their bytes.
    """
    body: dict[str, Any] = {"prompt": order.prompt, **order.parameters}
    if order.endpoint == "edits":
        body["images"] = [{"file_id": file_ids[reference.sha256]} for reference in order.references]
        if order.mask is not None:
            body["mask"] = {"file_id": file_ids[order.mask.sha256]}
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
    """

    order_id: str
    status: int | None
    body: object = None
    request_id: str | None = None
    error_code: str = ""
    error_message: str = ""


def read_line(line: bytes) -> ResultLine | None:
    """Read a line of an output or error file; ``None`` when it names no order."""
    try:
        facts = json.loads(line)
    except (ValueError, RecursionError):
        return None
    if not isinstance(facts, dict) or not isinstance(facts.get("custom_id"), str):
        return None
    response, error = facts.get("response"), facts.get("error")
    if isinstance(response, dict) and type(response.get("status_code")) is int:
        request_id = response.get("request_id")
        named = request_id if isinstance(request_id, str) and request_id else None
        return ResultLine(facts["custom_id"], response["status_code"], response.get("body"), named)
    details = error if isinstance(error, dict) else {}
    code, message = (
        str(details.get("code") or "no_answer"),
        str(details.get("message") or "There was no answer."),
    )
    return ResultLine(facts["custom_id"], None, error_code=code, error_message=message)


async def split_lines(pieces: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """Split a download into lines as it arrives; only one line is in memory at a time.

    Only line feeds end a line: a prompt repeated in an answer may contain other characters that
    ``str.splitlines`` would split at.
    """
    rest = bytearray()
    async for piece in pieces:
        begin = 0
        while (end := piece.find(b"\n", begin)) >= 0:
            rest += piece[begin:end]
            yield bytes(rest)
            rest.clear()
            begin = end + 1
        rest += piece[begin:]
    if rest:
        yield bytes(rest)
