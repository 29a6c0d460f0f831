"""Finds the provider's error in an answer, whatever wraps it.

The vendor's envelope is ``{"error": {"message", "type", "param", "code"}}``. Gateways put a text in its
place, put a list around it, leave the envelope out, or carry the vendor's own JSON as text inside their
message; some answer 200 with it. Azure says more in an error inside the error.
Source: answers of the vendor and of gateways seen in public threads, checked 2026-11-22.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from tasks.limits import MESSAGE_CHARS
from tasks.redaction import hide_keys, one_line, redact

READ_CHARS = 20 * MESSAGE_CHARS
"""How much of a message is searched for the error inside it, keys and waits."""
MOST_INSIDE = 3
"""How deep errors inside an error are looked at."""
MOST_CATEGORIES = 8
_INSIDE = (
    "innererror",
    "inner_error",
    "provider_specific_fields",
    "moderation_details",
    "details",
    "metadata",
)
_STATUS = re.compile(r"[1-5]\d\d")  # a gateway that repeats the HTTP status as a code says nothing by it
_SAFETY_VIOLATIONS = re.compile(r"safety_violations=\[([^\]]{1,200})\]")
_REQUEST_ID_HEADERS = ("x-request-id", "x-api-request-id")


@dataclass(frozen=True, slots=True)
class ErrorBody:
    """An error as the provider describes it; fields that it leaves out are empty.

    Args:
        message: For people.
        code: The code that says most.
        type: The vendor's type.
        codes: Every code that says something, those of errors inside this one last.
        categories: What the moderation found, such as ``violence``.
    """

    message: str = ""
    code: str = ""
    type: str = ""
    codes: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()


def read_error(body: object, *, is_failure: bool) -> ErrorBody | None:
    """Find the innermost error in an answer's JSON.

    Args:
        body: The JSON, of any shape; some gateways put a list around it.
        is_failure: The status says that it failed: then a body without an ``error`` is one itself.

    Returns:
        ``None`` when there is none.
    """
    body = _first(body)
    if not isinstance(body, dict):
        return None
    error = _first(body.get("error") or body.get("errors") or (body if is_failure else None))
    for _ in range(MOST_INSIDE):
        if isinstance(error, dict) and not error.get("message") and error.get("error"):
            error = _first(error["error"])
    if isinstance(error, str):
        error = {"message": error}
    if not isinstance(error, dict):
        return None
    return _inside(_text(error.get("message"))) or _described(error)


def _first(value: object) -> object:
    return value[0] if isinstance(value, list) and value else value


def _text(value: object) -> str:
    return hide_keys(str(value or ""))[:READ_CHARS]


def _described(error: dict[str, Any]) -> ErrorBody:
    parts = list(_parts(error, MOST_INSIDE))
    message = _text(error.get("message") or error.get("detail") or error.get("msg"))
    codes = [_text(part.get("code")) for part in parts if part.get("code")]
    telling = tuple(code for code in codes if not _STATUS.fullmatch(code))
    found = [*_SAFETY_VIOLATIONS.findall(message), *(name for part in parts for name in _categories(part))]
    categories = tuple(dict.fromkeys(name for one in found for name in re.findall(r"[\w/-]{1,32}", one)))
    code = telling[0] if telling else ""
    return ErrorBody(message, code, _text(error.get("type")), telling, categories[:MOST_CATEGORIES])


def _parts(error: dict[str, Any], depth: int) -> Iterator[dict[str, Any]]:
    """Yield an error and what is inside it, such as Azure's ``innererror`` and a gateway's own fields."""
    yield error
    for name in _INSIDE if depth else ():
        inner = _first(error.get(name))
        if isinstance(inner, dict):
            yield from _parts(inner, depth - 1)


def _categories(part: dict[str, Any]) -> Iterator[str]:
    for name in ("content_filter_result", "content_filter_results"):
        results = part.get(name)
        for category, result in results.items() if isinstance(results, dict) else ():
            if isinstance(result, dict) and result.get("filtered") is True:
                yield category
    named = part.get("categories")
    yield from (each for each in named if isinstance(each, str)) if isinstance(named, list) else ()


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


def find_request_id(headers: Mapping[str, str], message: str) -> str | None:
    """Find the provider's id of a request: in the headers, else inside the message.

    Args:
        headers: The answer's headers.
        message: The error's message, or an empty text.
    """
    for header in _REQUEST_ID_HEADERS:
        if headers.get(header):
            return redact(headers[header])
    found = re.search(r"request[ _]id:? ([\w-]+)", message, re.IGNORECASE)
    return redact(found[1]) if found else None


def plain(text: str) -> str:
    """Strip tags and line breaks from a page."""
    return one_line(re.sub(r"<[^<>]*>", " ", text))
