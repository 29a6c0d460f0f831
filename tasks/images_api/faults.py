"""What may go wrong with a sent request, what that means for the money, and whether it is sent again.

The one question behind every kind is whether the provider may have billed the request. Only where it
certainly did not is it sent again by itself; where nobody can tell, the order becomes ``unknown``.
"""

import re
from dataclasses import dataclass
from enum import Enum

import httpx2
import openai

from tasks.candidate import OrderState


class FaultKind(Enum):
    """A kind of failure: its state in the ledger, and what is done about it."""

    unsent = ("failed", "The request did not leave this machine.", "not billed", "sent again, up to 4 times")
    rate_limited = (
        "failed",
        "The provider takes no more for the moment.",
        "not billed",
        "sent again when the provider says; the whole run waits and slows down",
    )
    server_fault = (
        "failed",
        "The provider failed and said so (500, 503, 409).",
        "not billed",
        "sent again, twice, 5 and 20 seconds later",
    )
    refused = (
        "refused",
        "The provider's moderation refused the prompt or the picture.",
        "not billed, unless the answer has a usage",
        "not sent again: the same request is refused again",
    )
    rejected = (
        "failed",
        "The provider does not accept the request as it is (400, 413, 422).",
        "not billed",
        "not sent again: change the campaign",
    )
    empty = (
        "unknown",
        "The provider answered 200 without a picture.",
        "by its usage if there is one, else maybe: charged at its estimate",
        "not sent again",
    )
    stop_run = (
        "failed",
        "No further order can succeed: key, quota, billing limit, unverified organization, retired model.",
        "not billed",
        "the run stops; the order is sent when the run is resumed",
    )
    unknown = (
        "unknown",
        "The request was sent and no usable answer came (time-out, dropped connection, 502, 504, 524).",
        "maybe: charged at its estimate",
        "never sent again by itself",
    )

    def __init__(self, state: OrderState, meaning: str, billed: str, resent: str) -> None:
        self.state: OrderState = state
        self.meaning = meaning
        self.billed = billed
        self.resent = resent


RESENT_KINDS = (FaultKind.unsent, FaultKind.rate_limited, FaultKind.server_fault)


@dataclass(frozen=True, slots=True)
class Fault:
    """One failure of one request.

    Args:
        kind: What it means for the money.
        code: The provider's code where it gave one, else ours; one word.
        message: For people; keys are blotted out.
        vendor_request_id: The provider's name for the request, if it gave one.
        retry_after_s: How long the provider asks to wait, seconds.
    """

    kind: FaultKind
    code: str
    message: str
    vendor_request_id: str | None = None
    retry_after_s: float | None = None


# Causes in the HTTP stack that come before the first byte leaves (measured with openai 3.54).
_NEVER_LEFT = (
    httpx2.ConnectError,
    httpx2.ConnectTimeout,
    httpx2.PoolTimeout,
    httpx2.UnsupportedProtocol,
    httpx2.LocalProtocolError,
)
# Codes after which no order succeeds. Source: the vendor's error-codes guide, checked 2026-11-22.
_STOP_CODES = {
    "insufficient_quota",
    "credit_balance_exhausted",
    "organization_spend_limit_exceeded",
    "project_spend_limit_exceeded",
    "organization_usage_limit_exceeded",
    "billing_hard_limit_reached",
}
_REFUSAL_CODES = {"moderation_blocked", "content_policy_violation", "content_filter"}
_STATUS_KINDS = {
    301: FaultKind.stop_run,
    302: FaultKind.stop_run,
    307: FaultKind.stop_run,
    308: FaultKind.stop_run,
    400: FaultKind.rejected,
    401: FaultKind.stop_run,
    403: FaultKind.stop_run,
    404: FaultKind.stop_run,
    405: FaultKind.stop_run,
    409: FaultKind.server_fault,
    413: FaultKind.rejected,
    415: FaultKind.rejected,
    422: FaultKind.rejected,
    429: FaultKind.rate_limited,
    500: FaultKind.server_fault,
    503: FaultKind.server_fault,
}


def fault_of(error: openai.APIError, api_key: str | None = None) -> Fault:
    """Tell what an exception of the SDK means.

    Args:
        error: What the SDK raised with ``max_retries=0``.
        api_key: Blotted out of the message, should a provider repeat it.
    """
    message = _message(error, api_key)
    if isinstance(error, openai.APIResponseValidationError):
        return Fault(FaultKind.unknown, "unreadable_answer", message, _request_id(error.response, message))
    if isinstance(error, openai.APIStatusError):
        return _status_fault(error, message)
    cause = error.__cause__
    name = type(cause).__name__ if cause is not None else type(error).__name__
    if isinstance(cause, _NEVER_LEFT):
        return Fault(FaultKind.unsent, name, f"{message} {cause}".strip())
    return Fault(FaultKind.unknown, name, f"{message} {cause or ''}".strip())


def _status_fault(error: openai.APIStatusError, message: str) -> Fault:
    code = error.code or f"http_{error.status_code}"
    return Fault(
        kind=_status_kind(error, message),
        code=code[:64],
        message=message,
        vendor_request_id=_request_id(error.response, message),
        retry_after_s=_retry_after_s(error.response, message),
    )


def _status_kind(error: openai.APIStatusError, message: str) -> FaultKind:
    code, kind = error.code or "", error.type or ""
    if kind == "insufficient_quota" or code in _STOP_CODES:
        return FaultKind.stop_run
    if code in _REFUSAL_CODES or kind == "image_generation_user_error":
        return FaultKind.refused
    if error.status_code == 500 and code == "invalid_request":
        return FaultKind.rejected  # CometAPI's way of saying 400
    if error.status_code == 429 and _asks_more_than_limit(message):
        return FaultKind.rejected
    return _STATUS_KINDS.get(error.status_code, FaultKind.unknown)


def _asks_more_than_limit(message: str) -> bool:
    found = re.search(r"Limit (\d+),.*Requested (\d+)", message)
    return found is not None and int(found[2]) > int(found[1])


def _message(error: openai.APIError, api_key: str | None) -> str:
    body = error.body
    if isinstance(body, dict) and isinstance(body.get("message"), str):
        text = str(body["message"])
    elif isinstance(error, openai.APIStatusError):
        text = f"HTTP {error.status_code}: {_first_words(error.response)}"
    else:
        text = error.message
    return blot_out(text, api_key)[:500]


def _first_words(response: httpx2.Response) -> str:
    return " ".join(re.sub(r"<[^>]*>", " ", response.text[:2000]).split())[:200] or "no text"


def blot_out(text: str, api_key: str | None) -> str:
    """Take anything that looks like a key out of a text."""
    if api_key:
        text = text.replace(api_key, "[key]")
    return re.sub(r"\bsk-[A-Za-z0-9_*-]{6,}", "[key]", text)


def _request_id(response: httpx2.Response, message: str) -> str | None:
    for header in ("x-request-id", "x-api-request-id"):
        if response.headers.get(header):
            return str(response.headers[header])
    found = re.search(r"request id: ([\w-]+)", message, re.IGNORECASE)
    return found[1] if found else None


def _retry_after_s(response: httpx2.Response, message: str) -> float | None:
    for header, unit_s in (("retry-after-ms", 0.001), ("retry-after", 1.0)):
        try:
            return float(response.headers[header]) * unit_s
        except (KeyError, ValueError):
            continue
    found = re.search(r"(?:try again|retry) (?:in|after) ([\d.]+) ?(ms|s)", message, re.IGNORECASE)
    return float(found[1]) * (0.001 if found[2] == "ms" else 1.0) if found else None
