"""The kinds of failure of a request: what each means for the money, and the retry policy.

The question behind every kind is whether the provider may have billed the request. Only a request that was
certainly not billed is sent again automatically; in doubt the order becomes ``unknown``.
"""

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

import httpx2
import openai

from tasks.images_api.error_body import (
    MESSAGE_CHARS,
    ErrorBody,
    find_request_id,
    plain,
    read_error,
    redact,
)
from tasks.order import OrderState, Usage


class FailureKind(Enum):
    """A kind of failure: its state in the ledger, and what is done about it.

    ``state`` is the order's state when it is not sent again; ``planned`` also stops the run.
    """

    unsent = ("planned", "The request did not leave this machine.", "not billed", "yes, up to 4 times")
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
        "The provider answered 200 without a picture: nothing, a URL, or an error.",
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


RESENT_KINDS = (FailureKind.unsent, FailureKind.rate_limited, FailureKind.server_fault)


@dataclass(frozen=True, slots=True)
class Failure:
    """One failure of one request.

    Args:
        kind: What it means for the money.
        code: The provider's code if it gave one, else Runoff's.
        message: For people; keys are redacted.
        vendor_request_id: The provider's id of the request, if it gave one.
        retry_after_s: How long the provider asks to wait, seconds.
        usage: The provider's token counts, where an answer without a picture has some.
        is_unverified: Whether the organization must be verified first; the provider has no code for this.
    """

    kind: FailureKind
    code: str
    message: str
    vendor_request_id: str | None = None
    retry_after_s: float | None = None
    usage: Usage | None = None
    is_unverified: bool = False


# Causes in the HTTP stack that occur before the first byte is sent (measured with openai 3.54).
_NEVER_LEFT = (
    httpx2.ConnectError,
    httpx2.ConnectTimeout,
    httpx2.PoolTimeout,
    httpx2.UnsupportedProtocol,
    httpx2.LocalProtocolError,
)
SLOW_DOWN_CODE = "slow_down"
"""The vendor's 503 that asks for a lower rate for a quarter of an hour."""

# What each code means, whatever the status. Source: the vendor's error-codes guide, checked 2026-11-22.
_CODE_KINDS = {
    "insufficient_quota": FailureKind.stop_run,
    "credit_balance_exhausted": FailureKind.stop_run,
    "organization_spend_limit_exceeded": FailureKind.stop_run,
    "project_spend_limit_exceeded": FailureKind.stop_run,
    "organization_usage_limit_exceeded": FailureKind.stop_run,
    "billing_hard_limit_reached": FailureKind.stop_run,
    "invalid_api_key": FailureKind.stop_run,
    "moderation_blocked": FailureKind.refused,
    "content_policy_violation": FailureKind.refused,
    "content_filter": FailureKind.refused,
    "rate_limit_exceeded": FailureKind.rate_limited,
    SLOW_DOWN_CODE: FailureKind.rate_limited,
}
_TYPE_KINDS = {
    "insufficient_quota": FailureKind.stop_run,
    "image_generation_user_error": FailureKind.refused,
}
_STATUS_KINDS = {
    200: FailureKind.empty,
    301: FailureKind.stop_run,
    302: FailureKind.stop_run,
    307: FailureKind.stop_run,
    308: FailureKind.stop_run,
    400: FailureKind.rejected,
    401: FailureKind.stop_run,
    402: FailureKind.stop_run,
    403: FailureKind.stop_run,
    404: FailureKind.stop_run,
    405: FailureKind.stop_run,
    409: FailureKind.server_fault,
    413: FailureKind.rejected,
    415: FailureKind.rejected,
    422: FailureKind.rejected,
    429: FailureKind.rate_limited,
    500: FailureKind.server_fault,
    503: FailureKind.server_fault,
}


def failure_of(error: openai.APIError, api_key: str | None = None) -> Failure:
    """Classify an exception of the SDK.

    Args:
        error: What the SDK raised with ``max_retries=0``.
        api_key: Redacted from the message, should a provider repeat it.
    """
    if isinstance(error, openai.APIStatusError):
        response = error.response
        return failure_of_answer(
            response.status_code, _json(response.text), response.headers, response.text, api_key
        )
    cause = error.__cause__
    name = type(cause).__name__ if cause is not None else type(error).__name__
    message = redact(f"{error.message} {cause or ''}".strip(), api_key)[:MESSAGE_CHARS]
    return Failure(
        FailureKind.unsent if isinstance(cause, _NEVER_LEFT) else FailureKind.unknown, name, message
    )


def failure_of_answer(
    status: int, body: object, headers: Mapping[str, str], text: str, api_key: str | None = None
) -> Failure:
    """Classify an error answer.

    Args:
        status: The HTTP status; 200 for a gateway that answers so with an error inside.
        body: The JSON, of any shape; ``None`` when there is none.
        headers: The answer's headers.
        text: The body as received, for an answer without a readable error.
        api_key: Redacted, should the provider repeat it.
    """
    error = read_error(body, is_failure=status != 200) or ErrorBody()
    message = redact(error.message or f"HTTP {status}: {plain(text)[:200] or 'no text'}", api_key)
    code = error.code or (error.type if status == 200 else "") or f"http_{status}"
    return Failure(
        kind=_kind(status, error),
        code=redact(code, api_key)[:64],
        message=message[:MESSAGE_CHARS],
        vendor_request_id=find_request_id(headers, message, api_key),
        retry_after_s=_retry_after_s(headers, message),
        is_unverified="verified" in message,
    )


def _json(text: str) -> object:
    try:
        body: object = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return body


def _kind(status: int, error: ErrorBody) -> FailureKind:
    if _asks_more_than_limit(error.message):
        return FailureKind.rejected
    if kind := _CODE_KINDS.get(error.code) or _TYPE_KINDS.get(error.type):
        return kind
    if status == 500 and error.code == "invalid_request":
        return FailureKind.rejected  # CometAPI's way of saying 400
    if status == 200 and error.type == "invalid_request_error":
        return FailureKind.rejected
    return _STATUS_KINDS.get(status, FailureKind.unknown)


def _asks_more_than_limit(message: str) -> bool:
    found = re.search(r"Limit (\d+),.*Requested (\d+)", message)
    return found is not None and int(found[2]) > int(found[1])


def _retry_after_s(headers: Mapping[str, str], message: str) -> float | None:
    """Find how long the provider asks to wait, seconds: in the headers, else inside the message."""
    for header, unit_s in (("retry-after-ms", 0.001), ("retry-after", 1.0)):
        try:
            wait_s = float(headers[header]) * unit_s
        except (KeyError, ValueError):
            continue
        if math.isfinite(wait_s) and wait_s >= 0:
            return wait_s
    pattern = r"(?:try again|retry) (?:in|after) (?:(\d+)m)?(\d+(?:\.\d+)?) ?(ms|s)"
    found = re.search(pattern, message, re.IGNORECASE)
    if found is None:
        return None
    return 60.0 * int(found[1] or 0) + float(found[2]) * (0.001 if found[3].lower() == "ms" else 1.0)
