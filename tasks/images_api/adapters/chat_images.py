"""Pictures in chat completions: the prompt is a message, and the answer's message holds the pictures.

Size and quality have no fields of their own there; a model's ``request`` may add ``image_config``. Source:
OpenRouter's documentation of image generation, https://openrouter.ai/docs (2026-08-22).
"""

from tasks.images_api.adapters.json_request import Fields, JsonRequest, data_urls, own_fields


def request_of(fields: Fields) -> JsonRequest:
    """Make the request.

    Args:
        fields: Those of an images request.
    """
    content = [{"type": "text", "text": fields["prompt"]}, *data_urls(fields)]
    body = {
        "model": fields["model"],
        "messages": [{"role": "user", "content": content}],
        "modalities": ["image", "text"],
    }
    return JsonRequest("/chat/completions", body | own_fields(fields))
