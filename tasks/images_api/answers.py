"""Reads a provider's answer and compares it with the request.

A gateway may answer 200 with a page, with an error, with nothing, with more or fewer pictures, another size
or a cheaper tier than requested. Differences are recorded: the picture is kept and marked as downgraded. No
part of an answer is assumed to be well-formed.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from tasks.errors import PictureError
from tasks.images_api.error_body import find_request_id, read_error
from tasks.images_api.failures import Failure, FailureKind, failure_of_answer, not_json
from tasks.images_api.fetching import NotFetchedError
from tasks.images_api.found_pictures import Found, decoded, find_pictures
from tasks.images_api.moderation import moderation_of
from tasks.images_api.reported_cost import reported_cost_usd
from tasks.limits import MOST_TOKENS
from tasks.order import Order, Usage
from tasks.pictures.container import read_header
from tasks.pictures.differences import Form, describe_shortage, differences_of_form, join_differences

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
    """What a provider delivered for one order: pictures, or a judging model's text.

    Args:
        pictures: The pictures of the order, at most as many as it asks for.
        usage: The tokens that the provider reports.
        vendor_request_id: The provider's id of the request, if known.
        content: A judging model's text.
        extras: Pictures beyond those asked for; kept, and no candidates.
        reported_usd: What the answer says that it cost, dollars.
    """

    pictures: Sequence[Picture]
    usage: Usage
    vendor_request_id: str | None
    content: str | None = None
    extras: Sequence[Picture] = ()
    reported_usd: Decimal | None = None


Fetch = Callable[[str], bytes]
"""Returns the picture at an address, or raises ``NotFetchedError``."""
ADDRESS_ONLY = "address_only"
"""The code of an answer with addresses from which pictures could not be fetched yet."""
UNREADABLE_ANSWER = "unreadable"
"""The code of an answer in a shape in which no picture was found."""


def fetch_nothing(_: str) -> bytes:
    """Fetch no picture, where only what came with the answer itself counts.

    Raises:
        NotFetchedError: Always.
    """
    reason = "it was not asked for"
    raise NotFetchedError(reason)


def read_answer(
    body: object,
    headers: Mapping[str, str],
    order: Order,
    expected_tokens: int | None,
    fetch: Fetch = fetch_nothing,
    *,
    takes_part: bool = False,
) -> Answer | Failure:
    """Turn an answer with status 200 into pictures, or into a failure.

    Args:
        body: Its JSON, or its text when it is not JSON.
        headers: The answer's headers.
        order: What was requested.
        expected_tokens: The fewest output tokens of the requested tier for the whole order; ``None`` where
            they are not published.
        fetch: Fetches a picture of which the answer has the address.
        takes_part: Whether pictures that are there count though others could not be fetched.
    """
    if found := find_pictures(body):
        return read_pictures(found, body, headers, order, expected_tokens, fetch, takes_part=takes_part)
    if isinstance(body, list):
        body = {"data": body}
    if not isinstance(body, dict):
        return not_json(body, headers)
    usage, request_id = _usage(body.get("usage"), has_pictures=False), find_request_id(headers, "")
    if read_error(body, is_failure=False):
        return replace(failure_of_answer(200, body, headers, ""), usage=usage)
    if moderation := moderation_of(body):
        code, message = moderation
        return Failure(FailureKind.refused, code, message, request_id, usage=usage)
    return _without_pictures(body, usage, request_id)


def read_pictures(
    found: Sequence[Found],
    body: object,
    headers: Mapping[str, str],
    order: Order,
    expected_tokens: int | None,
    fetch: Fetch,
    *,
    takes_part: bool,
) -> Answer | Failure:
    """Take the pictures that were found in an answer; without any that can be had, return why.

    Args:
        found: The pictures, at least one.
        body: The answer's JSON.
        headers: The answer's headers.
        order: What was requested.
        expected_tokens: As of ``read_answer``.
        fetch: Fetches a picture of which the answer has the address.
        takes_part: Whether pictures that are there count though others could not be fetched.
    """
    usage = _usage(body.get("usage") if isinstance(body, dict) else None, has_pictures=True)
    request_id = find_request_id(headers, "")
    contents, faults = _contents(found, fetch)
    if faults and len(contents) < order.n and not (contents and takes_part):
        words = "; ".join(f"{address} ({reason})" for address, reason in faults)
        message = f"Its picture could not be fetched, and may be later with runoff ledger reread: {words}"
        return Failure(FailureKind.empty, ADDRESS_ONLY, message, request_id, usage=usage)
    shortage = describe_shortage(len(contents), order.n)
    of_answer = [shortage, _cheaper_tier(usage, expected_tokens)]
    pictures = [_as_picture(content, order, of_answer) for content in contents]
    reported_usd = reported_cost_usd(body, headers)
    return Answer(
        pictures[: order.n], usage, request_id, extras=pictures[order.n :], reported_usd=reported_usd
    )


def _contents(found: Iterable[Found], fetch: Fetch) -> tuple[list[bytes | str], list[tuple[str, str]]]:
    """Decode or fetch each picture; text that is no Base64 stays text.

    Returns:
        The pictures, and the addresses of those that could not be fetched, each with the reason.
    """
    contents: list[bytes | str] = []
    faults = []
    for one in found:
        if not one.is_address:
            data = decoded(one.text)
            contents.append(one.text if data is None else data)
            continue
        try:
            contents.append(fetch(one.text))
        except NotFetchedError as error:
            faults.append((one.text, str(error)))
    return contents, faults


def _without_pictures(body: Mapping[str, Any], usage: Usage, request_id: str | None) -> Failure:
    if usage.output_tokens == 0 or _says_none(body.get("data")):
        message = "The answer holds no picture; some providers answer like this when they filter the prompt."
        kind = FailureKind.refused if usage.output_tokens == 0 else FailureKind.empty
        return Failure(kind, "empty_data", message, request_id, usage=usage)
    message = "No picture was found in the answer, which is kept; a later version may: runoff ledger reread"
    return Failure(FailureKind.empty, UNREADABLE_ANSWER, message, request_id, usage=usage)


def _says_none(data: object) -> bool:
    """Return whether an answer's list of pictures says that there is none."""
    return isinstance(data, list) and not any(
        any(item.values()) if isinstance(item, dict) else item for item in data
    )


def _usage(reported: object, *, has_pictures: bool) -> Usage:
    """Read the token counts; gateways omit, add or invent keys, so each is read separately."""
    usage: dict[str, Any] = reported if isinstance(reported, dict) else {}
    details = usage.get("input_tokens_details")
    details = details if isinstance(details, dict) else {}
    text, image = count_of_tokens(details.get("text_tokens")), count_of_tokens(details.get("image_tokens"))
    if text is None and image is None:
        text = count_of_tokens(usage.get("input_tokens"))
    output = count_of_tokens(usage.get("output_tokens"))
    if has_pictures and text == 0 and not image:
        text = None  # a prompt has tokens, and a picture costs some: zero means not counted
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


def _as_picture(content: bytes | str, order: Order, of_answer: Sequence[str | None]) -> Picture:
    if isinstance(content, str):
        return Picture(content.encode(errors="replace"), UNREADABLE, "not base64")
    return check_picture(content, order, of_answer)


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
