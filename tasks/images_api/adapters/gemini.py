"""Gemini's own protocol, as Google and CometAPI sell it: ``generateContent`` at the address of a model.

The provider's address ends in ``/v1beta``, and its key goes into the header ``x-goog-api-key``. Sizes are
``imageConfig`` of ``generationConfig``, which a model's ``request`` adds by size. Source: CometAPI's page on
Gemini's image models, https://apidoc.cometapi.com (2026-11-28).
"""

from typing import Any

from tasks.images_api.adapters.json_request import Fields, JsonRequest, own_fields, pictures_of


def request_of(fields: Fields) -> JsonRequest:
    """Make the request.

    Args:
        fields: Those of an images request.
    """
    parts: list[dict[str, Any]] = [{"text": fields["prompt"]}]
    parts += [
        {"inlineData": {"mimeType": media_type, "data": encoded}}
        for media_type, encoded in pictures_of(fields)
    ]
    own = own_fields(fields)
    config = {"responseModalities": ["TEXT", "IMAGE"]} | dict(own.pop("generationConfig", {}))
    body = {"contents": [{"role": "user", "parts": parts}], "generationConfig": config}
    return JsonRequest(f"/models/{fields['model']}:generateContent", body | own)
