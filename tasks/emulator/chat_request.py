"""Reads a chat completion request: its texts, its pictures as data URLs, and its schema.

Source: API reference of chat completions, guides on vision and on structured outputs, checked 2026-11-22.
"""

# ruff: noqa: EM101 - the literals are names of fields, not messages

import base64
import binascii
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from tasks.emulator import refusals
from tasks.emulator.chat_models import CHAT_MODELS, EFFORTS, ChatModel, picture_tokens, text_tokens
from tasks.emulator.images_request import Upload, read_upload
from tasks.emulator.refusals import Refusal

ROLES = ("developer", "system", "user", "assistant")
DETAILS = ("auto", "low", "high", "original")
FORMATS = ("text", "json_object", "json_schema")
MOST_OUTPUT_TOKENS = 128_000
MOST_TOP_LOGPROBS = 20
KNOWN = frozenset(
    {
        "model",
        "messages",
        "response_format",
        "reasoning_effort",
        "max_completion_tokens",
        "logprobs",
        "top_logprobs",
        "n",
        "user",
        "stream",
    }
)


@dataclass(frozen=True, slots=True)
class ChatRequest:
    """A parsed chat completion request.

    Args:
        model: The model asked.
        text: All texts of the messages, joined.
        pictures: The pictures, in order.
        schema: The JSON schema of the answer; ``None`` for free text.
        most_tokens: The most tokens of the answer, which is then cut.
        top_logprobs: How many alternatives of each token are given with their log-probabilities; ``None`` for
            no log-probabilities.
    """

    model: ChatModel
    text: str
    pictures: tuple[Upload, ...]
    schema: Mapping[str, Any] | None
    most_tokens: int
    top_logprobs: int | None = None

    @property
    def input_tokens(self) -> int:
        """The number of tokens sent: texts, schema and pictures."""
        shape = "" if self.schema is None else json.dumps(self.schema)
        return text_tokens(self.text + shape) + sum(picture_tokens(*one.size) for one in self.pictures)


def read_chat(fields: Mapping[str, Any], *, gives_logprobs: bool = True) -> ChatRequest:
    """Check a request for a chat completion.

    Args:
        fields: The body.
        gives_logprobs: Whether the model gives log-probabilities.

    Raises:
        Refusal: The vendor would not accept it.
    """
    for name in fields:
        if name not in KNOWN:
            raise _unsupported(name)
    if not fields.get("model"):
        raise refusals.missing("model")
    model = CHAT_MODELS.get(str(fields["model"]))
    if model is None:
        raise refusals.no_such_model(str(fields["model"]), is_retired=False)
    if fields.get("stream") or fields.get("n", 1) != 1:
        raise refusals.invalid("stream", "This emulator answers a chat whole, and once.", "unsupported_value")
    if fields.get("reasoning_effort", "medium") not in EFFORTS:
        raise refusals.invalid_value("reasoning_effort", fields["reasoning_effort"], EFFORTS)
    texts, pictures = _read_messages(fields.get("messages"))
    return ChatRequest(
        model,
        "\n".join(texts),
        tuple(pictures),
        _read_format(fields),
        _most_tokens(fields),
        _top_logprobs(fields, gives_logprobs=gives_logprobs),
    )


def _top_logprobs(fields: Mapping[str, Any], *, gives_logprobs: bool) -> int | None:
    """Read whether log-probabilities are asked for; models that reason give none."""
    wanted, most = fields.get("logprobs", False), fields.get("top_logprobs", 0)
    if not wanted:
        if "top_logprobs" in fields:
            message = "'top_logprobs' is only allowed when 'logprobs' is set to true."
            raise refusals.invalid("top_logprobs", message, "invalid_value")
        return None
    if not gives_logprobs or fields.get("reasoning_effort", "medium") != "none":
        message = "Unsupported parameter: 'logprobs' is not supported with this model."
        raise Refusal(400, message, param="logprobs", code="unsupported_parameter")
    if type(most) is not int or not 0 <= most <= MOST_TOP_LOGPROBS:
        message = f"Invalid 'top_logprobs': {most!r}."
        raise refusals.invalid("top_logprobs", message, "integer_out_of_range")
    return most


def _unsupported(name: str) -> Refusal:
    if name == "max_tokens":
        message = "Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens' instead."
        return Refusal(400, message, param=name, code="unsupported_parameter")
    return refusals.unknown(name)


def _most_tokens(fields: Mapping[str, Any]) -> int:
    most = fields.get("max_completion_tokens", MOST_OUTPUT_TOKENS)
    if type(most) is not int or not 1 <= most <= MOST_OUTPUT_TOKENS:
        message = f"Invalid 'max_completion_tokens': {most!r}."
        raise refusals.invalid("max_completion_tokens", message, "integer_out_of_range")
    return most


def _read_messages(messages: object) -> tuple[list[str], list[Upload]]:
    if not isinstance(messages, list) or not messages:
        raise refusals.missing("messages")
    texts: list[str] = []
    pictures: list[Upload] = []
    for index, message in enumerate(messages):
        if not isinstance(message, dict) or message.get("role") not in ROLES:
            raise refusals.invalid_value("messages.role", index, ROLES)
        for part in _parts(message.get("content"), index):
            if isinstance(part, str):
                texts.append(part)
            else:
                pictures.append(part)
    return texts, pictures


def _parts(content: object, index: int) -> Iterator[str | Upload]:
    where = f"messages[{index}].content"
    if isinstance(content, str):
        yield content
        return
    if not isinstance(content, list) or not content:
        raise refusals.invalid(where, f"Invalid type for '{where}'.", "invalid_type")
    for part in content:
        kind = part.get("type") if isinstance(part, dict) else None
        if kind == "text" and isinstance(part.get("text"), str):
            yield part["text"]
        elif kind == "image_url" and isinstance(part.get("image_url"), dict):
            yield _picture(part["image_url"])
        else:
            raise refusals.invalid_value("content.type", kind, ("text", "image_url"))


def _picture(link: Mapping[str, Any]) -> Upload:
    if link.get("detail", "auto") not in DETAILS:
        raise refusals.invalid_value("image_url.detail", link["detail"], DETAILS)
    head, comma, text = str(link.get("url")).partition(",")
    if not (comma and head.startswith("data:image/") and head.endswith(";base64")):
        message = "Invalid 'image_url': this emulator takes data URLs in base64."
        raise refusals.invalid("image_url", message, "invalid_image_url")
    try:
        return read_upload("image_url", base64.b64decode(text, validate=True))
    except binascii.Error as error:
        raise refusals.invalid("image_url", "Invalid base64 image_url.", "invalid_base64") from error


def _read_format(fields: Mapping[str, Any]) -> Mapping[str, Any] | None:
    wanted = fields.get("response_format", {"type": "text"})
    kind = wanted.get("type") if isinstance(wanted, dict) else None
    if kind not in FORMATS:
        raise refusals.invalid_value("response_format.type", kind, FORMATS)
    if kind != "json_schema":
        return None
    shape = wanted.get("json_schema")
    if not isinstance(shape, dict) or not shape.get("name") or not isinstance(shape.get("schema"), dict):
        raise refusals.missing("response_format.json_schema")
    if shape.get("strict"):
        _require_strict(shape["schema"], "schema")
    schema: Mapping[str, Any] = shape["schema"]
    return schema


def _require_strict(schema: Mapping[str, Any], where: str) -> None:
    """Check a schema for strict mode: closed objects that require every property."""
    if schema.get("type") != "object":
        return
    properties = schema.get("properties", {})
    if schema.get("additionalProperties") is not False or set(schema.get("required", ())) != set(properties):
        message = (
            f"Invalid schema for response_format: in {where}, 'additionalProperties' must be false and "
            "'required' must name every key in properties."
        )
        raise refusals.invalid("response_format", message, "invalid_json_schema")
    for name, part in properties.items():
        _require_strict(part, f"{where}.{name}")
