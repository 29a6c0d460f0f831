"""Finds what a provider's moderation took in an answer with status 200 that has no picture.

xAI leaves the slot empty, Volcengine's Ark puts an error into it, Gemini says why it finished, and a chat's
choice does. Source: issues and documentation of these sellers, checked 2026-11-28.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from tasks.images_api.error_body import read_error
from tasks.images_api.error_meanings import error_meanings
from tasks.images_api.failures import FailureKind

_FINISHED = (
    "IMAGE_SAFETY",
    "SAFETY",
    "PROHIBITED_CONTENT",
    "IMAGE_PROHIBITED_CONTENT",
    "BLOCKLIST",
    "CONTENT_FILTER",
)
"""Why Gemini or a chat ends without a picture, when its moderation took it."""


def moderation_of(body: Mapping[str, Any]) -> tuple[str, str] | None:
    """Return the code and the words of the moderation; ``None`` where nothing says that it was that.

    Args:
        body: The answer's JSON.
    """
    for code, words in _said(body):
        if code:
            return code, f"The moderation kept the picture back. {words}".strip()
    return None


def _said(body: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for item in _mappings(body.get("data")):
        if item.get("respect_moderation") is False:
            yield "respect_moderation", ""
        error = read_error(item, is_failure=False)
        meaning = error and error_meanings().of(error)
        if error and meaning and meaning.kind == FailureKind.refused.name:
            yield error.code or error.type, error.message
    if body.get("respect_moderation") is False:
        yield "respect_moderation", ""
    feedback = body.get("promptFeedback")
    if isinstance(feedback, dict) and isinstance(feedback.get("blockReason"), str):
        yield feedback["blockReason"], ""
    for choice in (*_mappings(body.get("candidates")), *_mappings(body.get("choices"))):
        reason = choice.get("finishReason") or choice.get("finish_reason")
        if isinstance(reason, str) and reason.upper() in _FINISHED:
            yield reason, str(choice.get("finishMessage") or "")


def _mappings(items: object) -> Iterator[Mapping[str, Any]]:
    yield from (item for item in items if isinstance(item, dict)) if isinstance(items, list) else ()
