"""OpenRouter's Image API: ``POST /images`` with JSON, also for edits; there is no mask.

Source: OpenRouter's documentation of the Image API, https://openrouter.ai/docs (2026-08-22).
"""

from tasks.images_api.adapters.json_request import Fields, JsonRequest, data_urls, own_fields

_SAME = ("model", "prompt", "n", "quality", "size", "output_format", "background")


def request_of(fields: Fields) -> JsonRequest:
    """Make the request.

    Args:
        fields: Those of an images request.
    """
    body = {name: fields[name] for name in _SAME if name in fields}
    if references := data_urls(fields):
        body["input_references"] = references
    return JsonRequest("/images", body | own_fields(fields))
