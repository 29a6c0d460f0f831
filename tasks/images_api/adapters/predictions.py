"""Predictions, as Replicate and CometAPI's FLUX are sold: a request creates one, to be asked for later.

The provider's address is that above ``/models`` and ``/predictions``. What a model knows (``aspect_ratio``,
``resolution``) is its ``request`` in the catalogue. Source: the code of cometapi-dev/integrations, read
2026-11-28.
"""

from typing import Any

from tasks.images_api.adapters.json_request import Fields, JsonRequest, own_fields, pictures_of


def request_of(fields: Fields) -> JsonRequest:
    """Make the request that creates a prediction.

    Args:
        fields: Those of an images request.
    """
    given: dict[str, Any] = {"prompt": fields["prompt"], **own_fields(fields)}
    if sent := [f"data:{media_type};base64,{encoded}" for media_type, encoded in pictures_of(fields)]:
        given["input_images"] = sent
    return JsonRequest(f"/models/{fields['model']}/predictions", {"input": given})
