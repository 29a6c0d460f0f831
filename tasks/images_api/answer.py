"""Reading a provider's answer and holding it against the request.

A gateway may answer 200 with a page, with nothing, with another size or a cheaper tier than asked for.
What differs is said, never hidden: the picture is kept and marked as downgraded.
"""

import base64
import binascii
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from openai.types import ImagesResponse

from tasks.candidate import Order, Usage
from tasks.errors import PictureError
from tasks.images_api.faults import Fault, FaultKind
from tasks.pictures import read_header

# A tier's tokens lie a factor of 4 apart (published tables); half of what was asked for is another tier.
TIER_SHARE = 0.5


@dataclass(frozen=True, slots=True)
class Picture:
    """One picture of an answer.

    Args:
        data: The bytes exactly as decoded from the answer.
        ending: File ending by what the bytes are; ``bin`` when they are no picture.
        downgraded: What differs from the request, or ``None``.
    """

    data: bytes
    ending: str
    downgraded: str | None


@dataclass(frozen=True, slots=True)
class Answer:
    """What a provider delivered for one order."""

    pictures: Sequence[Picture]
    usage: Usage
    vendor_request_id: str | None


def read_answer(
    parsed: object, headers: Mapping[str, str], order: Order, expected_tokens: int | None
) -> Answer | Fault:
    """Turn what the SDK parsed into pictures, or into what is wrong with it.

    Args:
        parsed: What ``client.post`` returned.
        headers: The answer's headers.
        order: What was asked for.
        expected_tokens: Least output tokens of the asked-for tier for the whole order; ``None`` where nobody
            published them.
    """
    request_id = headers.get("x-request-id") or headers.get("x-api-request-id")
    if not isinstance(parsed, ImagesResponse):
        text = " ".join(str(parsed).split())[:120]
        return Fault(FaultKind.unknown, "not_json", f"The answer is a page, not JSON: {text}", request_id)
    usage = _usage(parsed)
    encoded = [item.b64_json for item in parsed.data or [] if item.b64_json]
    if not encoded:
        return _empty(usage, request_id)
    shortage = f"{len(encoded)} of {order.n} pictures" if len(encoded) < order.n else None
    tier = _cheaper_tier(usage, expected_tokens)
    pictures = [_picture(text, order, [shortage, tier]) for text in encoded[: order.n]]
    return Answer(pictures, usage, request_id)


def _empty(usage: Usage, request_id: str | None) -> Fault:
    message = "The answer holds no picture; some providers say so when they filtered the prompt."
    kind = FaultKind.refused if usage.output_tokens == 0 else FaultKind.empty
    return Fault(kind, "empty_data", message, request_id)


def _usage(parsed: ImagesResponse) -> Usage:
    """Take the token counts; gateways leave out or add keys, so each is taken for itself."""
    usage = parsed.usage
    if usage is None:
        return Usage()
    details = getattr(usage, "input_tokens_details", None)
    text = getattr(details, "text_tokens", None)
    image = getattr(details, "image_tokens", None)
    if text is None and image is None:
        text = getattr(usage, "input_tokens", None)
    return Usage(text, image, getattr(usage, "output_tokens", None))


def _cheaper_tier(usage: Usage, expected_tokens: int | None) -> str | None:
    if usage.output_tokens is None or expected_tokens is None:
        return None
    if usage.output_tokens >= expected_tokens * TIER_SHARE:
        return None
    return f"{usage.output_tokens} output tokens where this quality uses {expected_tokens}"


def _picture(encoded: str, order: Order, of_answer: Sequence[str | None]) -> Picture:
    try:
        data = base64.b64decode(encoded, validate=True)
    except binascii.Error:
        return Picture(encoded.encode(), "bin", "not base64")
    try:
        header = read_header(data)
    except PictureError as error:
        return Picture(data, "bin", error.what)
    faults = [*of_answer, *_differences(header.format, header.width, header.height, order)]
    return Picture(data, header.format, "; ".join(fault for fault in faults if fault) or None)


def _differences(found_format: str, width: int, height: int, order: Order) -> list[str]:
    differences = []
    size = order.parameters.get("size")
    if size not in (None, "auto", f"{width}x{height}"):
        differences.append(f"{width}x{height} instead of {size}")
    asked = order.parameters.get("output_format", "png")
    if found_format != asked:
        differences.append(f"{found_format} instead of {asked}")
    return differences
