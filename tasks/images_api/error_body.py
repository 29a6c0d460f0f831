"""Finds the provider's error in an answer, whatever wraps it.

The vendor's envelope is ``{"error": {"message", "type", "param", "code"}}``. Gateways put a text in its
place, leave the envelope out, or carry the vendor's own JSON as text inside their message; some answer 200
with it.
Source: answers of the vendor and of gateways seen in public threads, checked 2026-11-22.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass

MESSAGE_CHARS = 500
_REQUEST_ID_HEADERS = ("x-request-id", "x-api-request-id")


@dataclass(frozen=True, slots=True)
class ErrorBody:
    """An error as the provider describes it; fields that it leaves out are empty."""

    message: str = ""
    code: str = ""
    type: str = ""


def read_error(body: object, *, is_failure: bool) -> ErrorBody | None:
    """Find the innermost error in an answer's JSON.

    Args:
        body: The JSON, of any shape.
        is_failure: The status says that it failed: then a body without an ``error`` is one itself.

    Returns:
        ``None`` when there is none.
    """
    if not isinstance(body, dict):
        return None
    error = body.get("error") or (body if is_failure else None)
    if isinstance(error, str):
        error = {"message": error}
    if not isinstance(error, dict):
        return None
    message = error.get("message") or error.get("detail") or ""
    found = ErrorBody(*(str(part or "") for part in (message, error.get("code"), error.get("type"))))
    return _inside(found.message) or found


def _inside(message: str) -> ErrorBody | None:
    """Find an error nested as text inside a message; it says more than the one around it."""
    start = message.find('{"')
    if start < 0:
        return None
    try:
        inner, _ = json.JSONDecoder().raw_decode(message, start)
    except (ValueError, RecursionError):
        return None
    return read_error(inner, is_failure=False)


def find_request_id(headers: Mapping[str, str], message: str, api_key: str | None = None) -> str | None:
    """Find the provider's id of a request: in the headers, else inside the message.

    Args:
        headers: The answer's headers.
        message: The error's message, or an empty text.
        api_key: Redacted, should the provider repeat it.
    """
    for header in _REQUEST_ID_HEADERS:
        if headers.get(header):
            return redact(headers[header], api_key)
    found = re.search(r"request[ _]id:? ([\w-]+)", message, re.IGNORECASE)
    return found[1] if found else None


def plain(text: str) -> str:
    """Strip tags and line breaks from a page."""
    return " ".join(re.sub(r"<[^>]*>", " ", text).split())


def redact(text: str, api_key: str | None) -> str:
    """Redact anything that looks like a key; call it before the text is truncated."""
    if api_key:
        text = text.replace(api_key, "[key]")
    return re.sub(r"\bsk-[A-Za-z0-9_*-]{6,}", "[key]", text)
