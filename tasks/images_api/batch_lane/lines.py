"""The two files of a batch: a line for each order there, a line for each answer back.

A line's ``custom_id`` is the order's id, so that answers find their order in any sequence. Pictures are named
by the provider's ids of uploaded files: the JSON body is the only shape of an edit that a batch takes.
Source: the vendor's batch guide and its types of batch requests and outputs, checked 2026-11-22.
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
        file_ids: The provider's names for its pictures, by the SHA-256 of their bytes.
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
    """What came back for one order.

    Args:
        order_id: The order.
        status: HTTP status of its answer; ``None`` when it has none.
        body: The answer's JSON, of any shape.
        request_id: The provider's name for the request.
        error_code: Why there is no answer.
        error_message: The same for people.
    """

    order_id: str
    status: int | None
    body: object = None
    request_id: str | None = None
    error_code: str = ""
    error_message: str = ""


def read_line(line: bytes) -> ResultLine | None:
    """Read a line of an output or error file; ``None`` when it cannot be told whose it is."""
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
    said = error if isinstance(error, dict) else {}
    code, message = str(said.get("code") or "no_answer"), str(said.get("message") or "No answer came back.")
    return ResultLine(facts["custom_id"], None, error_code=code, error_message=message)


async def split_lines(pieces: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """Cut a download into lines while it comes in; only one line is ever whole in memory.

    Only line feeds end a line: a prompt repeated in an answer may hold other characters that count as line
    ends elsewhere.
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
