"""One JSON request, and the fields of an images request from which adapters make it."""

import base64
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

Fields = Mapping[str, Any]
"""``prompt``, ``model``, ``n`` and so on; ``image`` has one picture or a list of pictures, each with its file
name, its bytes and its media type."""

OF_IMAGES = frozenset(
    {
        "prompt", "model", "n", "quality", "size", "output_format", "background", "output_compression",
        "moderation", "input_fidelity", "complexity", "image", "mask", "stream", "partial_images",
    }
)  # fmt: skip
"""The fields of the Images API; others come from a model's own ``request``."""


@dataclass(frozen=True, slots=True)
class JsonRequest:
    """A request that buys pictures.

    Args:
        path: Below the provider's address, with a slash at its beginning.
        body: Its JSON.
    """

    path: str
    body: Mapping[str, Any]


def own_fields(fields: Fields) -> dict[str, Any]:
    """Return the fields that are not of the Images API."""
    return {name: value for name, value in fields.items() if name not in OF_IMAGES}


def pictures_of(fields: Fields) -> Iterator[tuple[str, str]]:
    """Yield the media type and the Base64 of each picture that is sent along."""
    sent = fields.get("image") or []
    for _, data, media_type in sent if isinstance(sent, list) else [sent]:
        yield media_type, base64.b64encode(data).decode()


def data_urls(fields: Fields) -> list[dict[str, Any]]:
    """Return the pictures that are sent along as parts of a message."""
    return [
        {"type": "image_url", "image_url": {"url": f"data:{media_type};base64,{encoded}"}}
        for media_type, encoded in pictures_of(fields)
    ]
