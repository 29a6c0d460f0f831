"""Protocols other than the Images API by which pictures are sold: what each request and answer looks like.

Each profile reads its own JSON into the fields of an images request and shapes the finished answer, with what
it cost where the seller states that. Source: documentation of OpenRouter's Image API and chat route
(2026-08-22), and CometAPI's page on Gemini's models (2026-11-28).
"""

# ruff: noqa: EM101 - the literals are names of fields, not messages

import base64
import binascii
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from tasks.emulator.bill import NANOUSD_PER_USD
from tasks.emulator.bodies import Body, Fields
from tasks.emulator.provider_profiles import VendorProfile
from tasks.emulator.refusals import Refusal, invalid
from tasks.emulator.settings import EmulatorSettings

_OF_CONFIG = ("size", "quality", "output_format")


class OtherProtocol(VendorProfile):
    """A profile that sells pictures at a path of its own."""

    has_batches = False
    path = ""
    """Where it sells them."""

    def body_of(self, fields: Fields, path_parameters: Mapping[str, Any]) -> Body:
        """Read a request.

        Args:
            fields: Its JSON.
            path_parameters: What its path names.

        Raises:
            Refusal: It is not well-formed.
        """
        raise NotImplementedError


class OpenRouterProfile(OtherProtocol):
    """OpenRouter's Image API."""

    path = "/v1/images"

    def body_of(self, fields: Fields, path_parameters: Mapping[str, Any]) -> Body:  # noqa: ARG002
        """Read a request; pictures to edit are ``input_references``."""
        own = dict(fields)
        return Body(own, [*_linked(own.pop("input_references", []))], None)

    def shape(self, answer: dict[str, Any], charged_nanousd: int) -> dict[str, Any]:
        """Keep the pictures, and state what they cost."""
        data = [{"b64_json": item["b64_json"], "media_type": "image/png"} for item in answer["data"]]
        return {"created": answer["created"], "data": data, "usage": _usage(charged_nanousd)}


class ChatImagesProfile(OtherProtocol):
    """Pictures in chat completions, as OpenRouter sells them."""

    path = "/v1/chat/completions"

    def body_of(self, fields: Fields, path_parameters: Mapping[str, Any]) -> Body:  # noqa: ARG002
        """Read a request; the emulator also takes size and quality from ``image_config``."""
        if "image" not in (fields.get("modalities") or []):
            raise Refusal(404, "No endpoints found that support the requested output modalities")
        messages = fields.get("messages")
        if not isinstance(messages, list) or not messages:
            raise invalid("messages", "Missing required parameter: 'messages'.")
        content = messages[-1].get("content")
        parts = content if isinstance(content, list) else [{"type": "text", "text": content}]
        prompt = " ".join(str(part["text"]) for part in parts if part.get("type") == "text")
        config = fields.get("image_config") or {}
        own = {name: config[name] for name in _OF_CONFIG if name in config}
        images = _linked(part for part in parts if part.get("type") == "image_url")
        return Body({"model": fields.get("model"), "prompt": prompt, **own}, [*images], None)

    def shape(self, answer: dict[str, Any], charged_nanousd: int) -> dict[str, Any]:
        """Put the pictures into the message."""
        images = [
            {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{item['b64_json']}"}}
            for item in answer["data"]
        ]
        message = {"role": "assistant", "content": "Here it is.", "images": images}
        choices = [{"index": 0, "message": message, "finish_reason": "stop"}]
        return {"object": "chat.completion", "choices": choices, "usage": _usage(charged_nanousd)}


class GeminiProfile(OtherProtocol):
    """Gemini's own protocol; it states no cost, and its key comes in a header of its own."""

    path = "/v1/models/{model}:generateContent"
    key_header = "x-goog-api-key"

    def body_of(self, fields: Fields, path_parameters: Mapping[str, Any]) -> Body:
        """Read a request; the emulator also takes size and quality from ``imageConfig``."""
        try:
            parts = fields["contents"][-1]["parts"]
            config = fields["generationConfig"].get("imageConfig") or {}
            prompt = " ".join(part["text"] for part in parts if "text" in part)
            images = [_decoded(part["inlineData"]["data"]) for part in parts if "inlineData" in part]
        except (KeyError, IndexError, TypeError, AttributeError) as error:
            raise Refusal(400, "Invalid JSON payload received.") from error
        own = {name: config[name] for name in _OF_CONFIG if name in config}
        return Body({"model": path_parameters["model"], "prompt": prompt, **own}, images, None)

    def shape(self, answer: dict[str, Any], charged_nanousd: int) -> dict[str, Any]:  # noqa: ARG002
        """Put the pictures into parts, after some words."""
        parts = [{"text": "Here it is."}] + [
            {"inlineData": {"mimeType": "image/png", "data": item["b64_json"]}} for item in answer["data"]
        ]
        usage = answer.get("usage") or {}
        counted = {
            "promptTokenCount": usage.get("input_tokens"),
            "candidatesTokenCount": usage.get("output_tokens"),
        }
        return {
            "candidates": [{"content": {"role": "model", "parts": parts}, "finishReason": "STOP"}],
            "usageMetadata": counted,
        }


class PredictionsProfile(OtherProtocol):
    """Predictions, as CometAPI sells FLUX: created by a request, asked for until they are there."""

    path = "/v1/models/{model:path}/predictions"
    questions = 2
    """How often one is not there yet."""

    def __init__(self, settings: EmulatorSettings) -> None:
        super().__init__(settings)
        self._made: dict[str, tuple[int, list[str]]] = {}

    def body_of(self, fields: Fields, path_parameters: Mapping[str, Any]) -> Body:
        """Read a request; the emulator also takes size and quality from the input."""
        given = fields.get("input")
        if not isinstance(given, dict):
            raise Refusal(422, "input is required")
        own = {name: given[name] for name in _OF_CONFIG if name in given}
        images = [_decoded(str(url).partition(",")[2]) for url in given.get("input_images") or []]
        return Body({"model": path_parameters["model"], "prompt": given.get("prompt"), **own}, images, None)

    def shape(self, answer: dict[str, Any], charged_nanousd: int) -> dict[str, Any]:  # noqa: ARG002
        """Keep the pictures under an id."""
        name = f"p{len(self._made) + 1}"
        urls = [f"data:image/png;base64,{item['b64_json']}" for item in answer["data"]]
        self._made[name] = (self.questions, urls)
        return {"id": name, "status": "starting", "output": None}

    def show(self, request: Request) -> Response:
        """``GET /v1/predictions/{id}``."""
        name = request.path_params["id"]
        if name not in self._made:
            return JSONResponse({"detail": "not found"}, 404)
        left, urls = self._made[name]
        self._made[name] = (left - 1, urls)
        if left > 0:
            return JSONResponse({"data": {"id": name, "status": "processing", "output": None}})
        return JSONResponse({"data": {"id": name, "status": "SUCCESS", "data": {"output": urls}}})


def _usage(charged_nanousd: int) -> dict[str, Any]:
    """State a cost; as a float, as OpenRouter writes it."""
    return {
        "prompt_tokens": 0,
        "completion_tokens": 0,
        "total_tokens": 0,
        "cost": float(Decimal(charged_nanousd) / NANOUSD_PER_USD),
    }


def _linked(parts: Iterable[Mapping[str, Any]]) -> Iterable[bytes]:
    for part in parts:
        yield _decoded(str(part["image_url"]["url"]).partition(",")[2])


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error as error:
        raise Refusal(400, "Invalid picture: not base64.") from error
