"""Builds requests to a judging model and reads its answers.

A question is text and pictures in one message, with a schema for the answer. The answer's text is returned as
received, to be parsed by the caller; a malformed one is stored like any other, because it was paid for. A
refusal is an answer too: billed, but without a score.

Source: the vendor's API reference of chat completions, checked 2026-11-22.
"""

import base64
from collections.abc import Iterable, Mapping
from typing import Any

from tasks.images_api.answers import Answer, count_of_tokens
from tasks.images_api.error_body import find_request_id, read_error
from tasks.images_api.failures import Failure, FailureKind, failure_of_answer, not_json
from tasks.images_api.log_probabilities import probabilities_of_yes
from tasks.judging.replies import stored_text
from tasks.order import Order, Usage
from tasks.redaction import redact

CHAT_READ_TIMEOUT_S = 120.0
"""How long to wait for an answer, seconds: a few words about a few pictures, without reasoning."""

FILTERED = "content_filter"
"""Why an answer ends without text when the provider's moderation took it."""

ROOM_BYTES = 1_000_000
"""More than the size of any stored answer, bytes."""


def chat_fields(order: Order, pictures: Iterable[tuple[str, bytes, str]]) -> dict[str, Any]:
    """Build the fields of a question's request.

    Args:
        order: The order; its parameters are sent as they are.
        pictures: File name, bytes and media type of each picture, in order.
    """
    parts: list[dict[str, Any]] = [{"type": "text", "text": order.prompt}]
    for _, data, media_type in pictures:
        url = f"data:{media_type};base64,{base64.b64encode(data).decode()}"
        parts.append({"type": "image_url", "image_url": {"url": url, "detail": "high"}})
    return {**order.parameters, "messages": [{"role": "user", "content": parts}]}


def read_reply(body: object, headers: Mapping[str, str]) -> Answer | Failure:
    """Turn an answer with status 200 into its text, or into a failure.

    Args:
        body: Its JSON, or its text when it is not JSON.
        headers: The answer's headers.
    """
    if not isinstance(body, dict):
        return not_json(body, headers)
    usage, request_id = _usage(body.get("usage")), find_request_id(headers, "")
    choice = _first(body.get("choices"))
    message = choice.get("message")
    reply = message if isinstance(message, dict) else {"content": message}
    content, refusal = _text_of(reply.get("content")) or _text_of(choice.get("text")), reply.get("refusal")
    if isinstance(refusal, str) and refusal:
        return Failure(FailureKind.refused, "judge_refused", refusal, request_id, usage=usage)
    if content.strip():
        kept = redact(content)
        yes_at = probabilities_of_yes(content, choice.get("logprobs")) if kept == content else {}
        return Answer((), usage, request_id, stored_text(kept, yes_at))
    if choice.get("finish_reason") == FILTERED:
        words = "The moderation kept the answer back."
        return Failure(FailureKind.refused, FILTERED, words, request_id, usage=usage)
    if read_error(body, is_failure=False):
        fault = failure_of_answer(200, body, headers, "")
        return Failure(fault.kind, fault.code, fault.message, fault.vendor_request_id, usage=usage)
    return Failure(FailureKind.empty, "no_words", "The answer has no text.", request_id, usage=usage)


def _text_of(content: object) -> str:
    """Return a message's text: as it is, or joined where it comes in parts."""
    parts = content if isinstance(content, list) else [content]
    texts = [part.get("text") if isinstance(part, dict) else part for part in parts]
    return "".join(text for text in texts if isinstance(text, str))


def _first(choices: object) -> Mapping[str, Any]:
    if isinstance(choices, list) and choices and isinstance(choices[0], dict):
        return choices[0]
    return {}


def _usage(reported: object) -> Usage:
    """Read the token counts; a judging model counts pictures among the prompt tokens."""
    usage: dict[str, Any] = reported if isinstance(reported, dict) else {}
    sent, made = count_of_tokens(usage.get("prompt_tokens")), count_of_tokens(usage.get("completion_tokens"))
    return Usage(text_input_tokens=sent, output_tokens=made)
