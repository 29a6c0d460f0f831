"""The kinds of failure of a request: what each means for the money, and the retry policy.

The question behind every kind is whether the provider may have billed the request. Only a request that was
certainly not billed is sent again automatically; in doubt the order becomes ``unknown``.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

import httpx2

from tasks.images_api.error_body import (
    READ_CHARS,
    ErrorBody,
    find_request_id,
    plain,
    read_error,
)
from tasks.images_api.error_meanings import error_meanings
from tasks.images_api.fragments import readable_part
from tasks.images_api.receiving import AnswerTooLargeError
from tasks.images_api.waits import retry_after_s
from tasks.limits import MESSAGE_CHARS, NUMBER_DIGITS
from tasks.order import OrderState, Usage
from tasks.redaction import one_line, redact

if TYPE_CHECKING:
    import openai


class FailureKind(Enum):
    """A kind of failure: its state in the ledger, and what is done about it.

    ``state`` is the order's state when it is not sent again; ``planned`` also stops the run.
    """

    unsent = (
        "planned",
        "The request did not leave this machine.",
        "not billed",
        "yes, for 5 minutes: one request tries, all others wait",
    )
    rate_limited = (
        "planned",
        "The provider's rate limit was reached (429).",
        "not billed",
        "yes, after the wait that the provider asks for; the whole run waits and slows down",
    )
    server_fault = (
        "failed",
        "The provider reported a failure of its own (500, 503, 409).",
        "not billed",
        "yes, twice, at least 5 and 20 seconds later",
    )
    refused = (
        "refused",
        "The provider's moderation refused the prompt or the picture.",
        "not billed, unless the answer reports usage",
        "no: the same request would be refused again",
    )
    rejected = (
        "failed",
        "The provider rejected the request as invalid (400, 413, 422, more pictures than its limit).",
        "not billed",
        "no: change the campaign",
    )
    empty = (
        "unknown",
        "The answer has no picture that could be read or fetched: nothing, an unknown shape, an error.",
        "by its usage if reported, else perhaps: charged at its estimate",
        "no",
    )
    stop_run = (
        "planned",
        "No further request can succeed: key, quota, billing limit, unverified organization, retired model.",
        "not billed",
        "when the run is resumed; the run stops",
    )
    unknown = (
        "unknown",
        "The request was sent and there was no usable answer (timeout, dropped connection, 502, 504, 524).",
        "perhaps: charged at its estimate",
        "never automatically",
    )

    def __init__(self, state: OrderState, meaning: str, billed: str, resent: str) -> None:
        self.state: OrderState = state
        self.meaning = meaning
        self.billed = billed
        self.resent = resent


CODE_CHARS = 64
"""The most characters of a code."""


class Remedy(Enum):
    """What a person can do about a failure that stops the run; ``stop_messages`` has the words."""

    account = "what the key and the account may do"
    address = "the provider's address"
    billing = "billing and limits"
    firewall = "a firewall in front of the provider"
    key = "the key"
    model = "the model"
    network = "the network of this machine"
    organization = "the organization's verification"


@dataclass(frozen=True, slots=True)
class Failure:
    """One failure of one request.

    Args:
        kind: What it means for the money.
        code: The provider's code if it gave one, else Runoff's.
        message: For people; like the code it is redacted, and put on one line of a bounded length.
        vendor_request_id: The provider's id of the request, if it gave one.
        retry_after_s: How long the provider asks to wait, seconds.
        usage: The provider's token counts, where an answer without a picture has some.
        remedy: What a person can do about a failure that stops the run.
    """

    kind: FailureKind
    code: str
    message: str
    vendor_request_id: str | None = None
    retry_after_s: float | None = None
    usage: Usage | None = None
    remedy: Remedy = Remedy.account

    def __post_init__(self) -> None:
        object.__setattr__(self, "code", one_line(redact(self.code))[:CODE_CHARS])
        object.__setattr__(self, "message", one_line(redact(self.message))[:MESSAGE_CHARS])


# Causes in the HTTP stack that occur before the first byte is sent (measured with openai 3.54).
_NEVER_LEFT = (
    httpx2.ConnectError,
    httpx2.ConnectTimeout,
    httpx2.PoolTimeout,
    httpx2.UnsupportedProtocol,
    httpx2.LocalProtocolError,
)
_CAUSE_CODES: Mapping[type, str] = {AnswerTooLargeError: "answer_too_large"}
SLOW_DOWN_CODE = "slow_down"
"""The vendor's 503 that asks for a lower rate for a quarter of an hour."""
WEB_PAGE = "web_page"
"""The code of a page where JSON was expected."""
MODEL_GONE = "model_not_found"
"""The vendor's code for a model that was shut down, or that the account may not use."""

_STATUS_KINDS = {
    200: FailureKind.empty,
    301: FailureKind.stop_run,
    302: FailureKind.stop_run,
    303: FailureKind.stop_run,
    307: FailureKind.stop_run,
    308: FailureKind.stop_run,
    400: FailureKind.rejected,
    401: FailureKind.stop_run,
    402: FailureKind.stop_run,
    403: FailureKind.stop_run,
    404: FailureKind.stop_run,
    405: FailureKind.stop_run,
    407: FailureKind.stop_run,
    409: FailureKind.server_fault,
    413: FailureKind.rejected,
    415: FailureKind.rejected,
    422: FailureKind.rejected,
    429: FailureKind.rate_limited,
    500: FailureKind.server_fault,
    503: FailureKind.server_fault,
    511: FailureKind.stop_run,
}
_REDIRECTS = (301, 302, 303, 307, 308)
_STATUS_REMEDIES = {
    **dict.fromkeys(_REDIRECTS, Remedy.address),
    401: Remedy.key,
    402: Remedy.billing,
    404: Remedy.address,
    405: Remedy.address,
    407: Remedy.network,
    429: Remedy.billing,
    511: Remedy.network,
}


def failure_of(error: "openai.APIError") -> Failure:
    """Classify an exception of the SDK.

    Args:
        error: What the SDK raised with ``max_retries=0``.
    """
    import openai  # takes a second, which a look at the provider need not wait for

    if isinstance(error, openai.APIStatusError):
        response = error.response
        return failure_of_answer(
            response.status_code, json_of(response.text), response.headers, response.text
        )
    cause = error.__cause__
    name = _CAUSE_CODES.get(type(cause)) or type(cause or error).__name__
    message = f"{error.message} {cause or ''}"
    return Failure(
        FailureKind.unsent if isinstance(cause, _NEVER_LEFT) else FailureKind.unknown,
        name,
        message,
        remedy=Remedy.network,
    )


def failure_of_answer(status: int, body: object, headers: Mapping[str, str], text: str) -> Failure:
    """Classify an error answer.

    Args:
        status: The HTTP status; 200 for a gateway that answers so with an error inside.
        body: The JSON, of any shape; ``None`` when there is none.
        headers: The answer's headers.
        text: The body as received, for an answer without a readable error.
    """
    error = read_error(body, is_failure=status != 200) or ErrorBody()
    message = _message(status, error, headers, text)
    wait_s = retry_after_s(headers, message)
    kind, remedy = _meaning(status, error, is_page=is_page(headers, text), is_to_wait=wait_s is not None)
    code = error.code or (error.type if status == 200 else "") or f"http_{status}"
    return Failure(
        kind=kind,
        code=code,
        message=message,
        vendor_request_id=find_request_id(headers, message),
        retry_after_s=wait_s,
        remedy=remedy,
    )


def _message(status: int, error: ErrorBody, headers: Mapping[str, str], text: str) -> str:
    if error.categories and not all(name in error.message for name in error.categories):
        return f"{', '.join(error.categories)}: {error.message}"
    if error.message.strip():
        return error.message
    if status in _REDIRECTS and (elsewhere := headers.get("location")):
        return f"HTTP {status}: it is at {elsewhere}"
    return f"HTTP {status}: {_page(text) or 'no text'}"


def not_json(body: object, headers: Mapping[str, str]) -> Failure:
    """Classify an answer with status 200 that is no JSON object.

    A page is no answer of an API: where it is the first answer from an address, nothing was bought there.

    Args:
        body: What came instead.
        headers: The answer's headers.
    """
    text = _page(str(body))[:120]
    code = WEB_PAGE if is_page(headers, str(body)) else "not_json"
    message = f"The answer is not JSON: {text or 'it is empty'}"
    return Failure(FailureKind.unknown, code, message, find_request_id(headers, text), remedy=Remedy.address)


def is_page(headers: Mapping[str, str], text: str) -> bool:
    """Return whether an answer is a page for people."""
    return "html" in headers.get("content-type", "").lower() or text.lstrip()[:1] == "<"


def _page(text: str) -> str:
    """Return the first words of a page."""
    return plain(redact(text)[:READ_CHARS])[:200]


def unreadable(error: Exception) -> Failure:
    """Classify an answer with status 200 that cannot be read: it may hold pictures, and may be billed.

    Args:
        error: What reading it raised.
    """
    message = f"The answer cannot be read ({type(error).__name__}); it is kept in the run's folder."
    return Failure(FailureKind.unknown, "unreadable_answer", message)


def json_of(text: str) -> object:
    """Read an answer's JSON, or as much of it as can be read."""
    try:
        body: object = json.loads(text)
    except (ValueError, RecursionError):
        return readable_part(text, has_pictures=False)
    return body


def _meaning(status: int, error: ErrorBody, *, is_page: bool, is_to_wait: bool) -> tuple[FailureKind, Remedy]:
    if _asks_more_than_limit(error.message):
        return FailureKind.rejected, Remedy.account
    remedy = Remedy.model if error.code == MODEL_GONE else _remedy(status, is_page=is_page)
    meaning = error_meanings().of(error)
    is_quota = meaning is not None and meaning.kind == "stop_run"
    if is_quota and status == 429 and is_to_wait and not error.codes:
        meaning = None  # who says when to come again has a quota per minute or day
    if meaning is not None:
        return FailureKind[meaning.kind], Remedy[meaning.remedy] if meaning.remedy else remedy
    if status == 500 and error.code == "invalid_request":
        return FailureKind.rejected, Remedy.account  # CometAPI's way of saying 400
    if status == 200 and error.type == "invalid_request_error":
        return FailureKind.rejected, Remedy.account
    return _STATUS_KINDS.get(status, FailureKind.unknown), remedy


def _remedy(status: int, *, is_page: bool) -> Remedy:
    if status == 403 and is_page:
        return Remedy.firewall
    return _STATUS_REMEDIES.get(status, Remedy.account)


def _asks_more_than_limit(message: str) -> bool:
    digits = rf"(\d{{1,{NUMBER_DIGITS}}})\b"
    found = re.search(rf"Limit {digits},.*Requested {digits}", message)
    return found is not None and int(found[2]) > int(found[1])
