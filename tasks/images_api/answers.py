"""Reads a provider's answer and compares it with the request.

A gateway may answer 200 with a page, with an error, with nothing, with another size or a cheaper tier than
requested. Differences are recorded: the picture is kept and marked as downgraded. No part of an answer is
assumed to be well-formed.
"""

import base64
import binascii
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from tasks.errors import PictureError
from tasks.images_api.error_body import find_request_id, read_error
from tasks.images_api.failures import Failure, FailureKind, failure_of_answer, not_json
from tasks.limits import MESSAGE_CHARS, MOST_TOKENS
from tasks.order import Order, Usage
from tasks.pictures.container import read_header
from tasks.pictures.differences import Form, describe_shortage, differences_of_form, join_differences
from tasks.redaction import redact

UNREADABLE = "bin"
"""The file extension of bytes that are not a picture."""

# The tiers' tokens differ by a factor of 4 (published tables); half of what was expected is another tier.
TIER_SHARE = 0.5


@dataclass(frozen=True, slots=True)
class Picture:
    """One picture of an answer.

    Args:
        data: The bytes exactly as decoded from the answer.
        ending: File extension by the bytes' format; ``UNREADABLE`` when they are not a picture.
        downgraded: What differs from the request, or ``None``.
    """

    data: bytes
    ending: str
    downgraded: str | None


@dataclass(frozen=True, slots=True)
class Answer:
    """What a provider delivered for one order: pictures, or a judging model's text."""

    pictures: Sequence[Picture]
    usage: Usage
    vendor_request_id: str | None
    content: str | None = None


def read_answer(
    body: object,
    headers: Mapping[str, str],
    order: Order,
    expected_tokens: int | None,
) -> Answer | Failure:
    """Turn an answer with status 200 into pictures, or into a failure.

    Args:
        body: Its JSON, or its text when it is not JSON.
        headers: The answer's headers.
        order: What was requested.
        expected_tokens: The fewest output tokens of the requested tier for the whole order; ``None`` where
            they are not published.
    """
    if not isinstance(body, dict):
        return not_json(body, headers)
    items = body.get("data")
    items = [item for item in items if isinstance(item, dict)] if isinstance(items, list) else []
    encoded = [text for item in items if (text := _encoded(item))]
    usage = _usage(body.get("usage"), has_pictures=bool(encoded))
    request_id = find_request_id(headers, "")
    if encoded:
        shortage = describe_shortage(len(encoded), order.n)
        tier = _cheaper_tier(usage, expected_tokens)
        pictures = [_decoded(text, order, [shortage, tier]) for text in encoded[: order.n]]
        return Answer(pictures, usage, request_id)
    if read_error(body, is_failure=False):
        return replace(failure_of_answer(200, body, headers, ""), usage=usage)
    addresses = [item["url"] for item in items if isinstance(item.get("url"), str)]
    return _empty(usage, request_id, redact(" ".join(addresses)))


def _empty(usage: Usage, request_id: str | None, addresses: str) -> Failure:
    if addresses:
        message = f"The answer has URLs instead of pictures; Runoff does not fetch them: {addresses}"
        return Failure(FailureKind.empty, "address_only", message[:MESSAGE_CHARS], request_id, usage=usage)
    message = "The answer holds no picture; some providers answer like this when they filter the prompt."
    kind = FailureKind.refused if usage.output_tokens == 0 else FailureKind.empty
    return Failure(kind, "empty_data", message, request_id, usage=usage)


def _usage(reported: object, *, has_pictures: bool) -> Usage:
    """Read the token counts; gateways omit, add or invent keys, so each is read separately."""
    usage: dict[str, Any] = reported if isinstance(reported, dict) else {}
    details = usage.get("input_tokens_details")
    details = details if isinstance(details, dict) else {}
    text, image = count_of_tokens(details.get("text_tokens")), count_of_tokens(details.get("image_tokens"))
    if text is None and image is None:
        text = count_of_tokens(usage.get("input_tokens"))
    output = count_of_tokens(usage.get("output_tokens"))
    # A picture costs output tokens: with a picture, zero means not counted.
    return Usage(text, image, None if has_pictures and output == 0 else output)


def count_of_tokens(value: object) -> int | None:
    """Read a provider's token count; ``None`` when it is not a count, or one that no answer can have."""
    return value if type(value) is int and 0 <= value <= MOST_TOKENS else None


def _cheaper_tier(usage: Usage, expected_tokens: int | None) -> str | None:
    if usage.output_tokens is None or expected_tokens is None:
        return None
    if usage.output_tokens >= expected_tokens * TIER_SHARE:
        return None
    return f"{usage.output_tokens} output tokens where this quality uses {expected_tokens}"


def _encoded(item: Mapping[str, Any]) -> str | None:
    """Find a picture's Base64: where the vendor puts it, or inside an address that is the picture itself."""
    encoded, address = item.get("b64_json"), item.get("url")
    if isinstance(encoded, str) and encoded:
        return encoded
    return address if isinstance(address, str) and address.startswith("data:") else None


def _decoded(encoded: str, order: Order, of_answer: Sequence[str | None]) -> Picture:
    # Some gateways write a data URL, wrap its lines, leave the padding out, or use the letters for URLs.
    bare = encoded.partition(",")[2] if encoded.startswith("data:") else encoded
    bare = "".join(bare.split()).rstrip("=").replace("-", "+").replace("_", "/")
    try:
        data = base64.b64decode(bare + "=" * (-len(bare) % 4), validate=True)
    except (binascii.Error, ValueError):
        return Picture(encoded.encode(errors="replace"), UNREADABLE, "not base64")
    return check_picture(data, order, of_answer)


def check_picture(data: bytes, order: Order, of_answer: Sequence[str | None] = ()) -> Picture:
    """Compare a picture's bytes with its order.

    Args:
        data: The bytes as received.
        order: What was asked for.
        of_answer: Differences of the answer as a whole.
    """
    try:
        header = read_header(data)
    except PictureError as error:
        return Picture(data, UNREADABLE, error.what)
    form = differences_of_form(order.parameters, Form(header.format, header.width, header.height))
    return Picture(data, header.format, join_differences([*of_answer, *form]))
