"""Finds the pictures in an answer's JSON, whatever shape a provider gives it.

The vendor writes ``data[].b64_json``. Others write addresses, data URLs or bare strings, call the list
``images`` or ``output``, put one picture flat into the body, or send a chat's message with pictures in it.
Only keys that hold pictures somewhere are looked into, so that a repeated request or a link to a page of help
is not taken for one. Source: documentation and public threads of some thirty sellers, checked 2026-11-28.
"""

import base64
import binascii
import contextlib
import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple
from urllib.parse import unquote_to_bytes

import pybase64

from tasks.pictures.container import detect_format

MOST_PICTURES = 32
"""The most pictures of an answer that are looked for."""
MOST_DEPTH = 12
"""How deep an answer is looked into."""

_WHOLE = ("b64_json", "b64", "base64", "image_base64", "bytesBase64Encoded", "image_b64")
"""Keys of a picture's Base64, whatever it holds."""
_PLACES = ("url", "image_url", "imageUrl", "image", "uri", "fileUri", "file_url", "inlineData", "inline_data")
"""Keys of a picture: an address, Base64, or a mapping with either."""
_LISTS = (
    "data", "images", "image_urls", "output", "outputs", "result", "results", "artifacts", "generations",
    "choices", "message", "content", "candidates", "parts", "predictions", "response",
)  # fmt: skip
"""Keys of what may hold pictures."""
OF_ANSWERS = ("data", "images", "output", "choices", "candidates", "predictions")
"""Keys that only an answer with a result has, also where its status says that it failed."""
_IN_TEXT = re.compile(
    r"(data:image/[\w.+-]{1,40};base64,[A-Za-z0-9+/=_-]+)|!\[[^\]]{0,300}\]\(\s*(https?://[^\s<>()\"']+)"
)
"""A picture in a message written as Markdown."""
_HEAD_CHARS = 64


class Found(NamedTuple):
    """One picture as an answer writes it.

    Args:
        text: Base64, a data URL, or an address.
        is_certain: Whether its key says that it is a picture, whatever the text looks like.
    """

    text: str
    is_certain: bool

    @property
    def is_address(self) -> bool:
        """Whether the picture is elsewhere."""
        return is_address(self.text)


def find_pictures(body: object) -> list[Found]:
    """List the pictures of an answer in its sequence, each once.

    Args:
        body: The answer's JSON, of any shape, or its text.
    """
    found: dict[str, Found] = {}
    for one in _walk({"data": body} if isinstance(body, list | str) else body, MOST_DEPTH):
        found.setdefault(one.text, one)
        if len(found) == MOST_PICTURES:
            break
    return list(found.values())


def find_in_failure(body: object) -> list[Found]:
    """List the pictures of an answer whose status says that it failed: some gateways lose only the status.

    Args:
        body: The answer's JSON, of any shape.
    """
    if not isinstance(body, dict):
        return []
    found = find_pictures({key: body[key] for key in OF_ANSWERS if key in body})
    return [one for one in found if one.is_address or detect_format(decoded(one.text) or b"")]


def is_address(text: str) -> bool:
    """Return whether a text is an address on the web."""
    return text[:8].lower().startswith(("http://", "https://"))


def decoded(text: str) -> bytes | None:
    """Decode Base64 or a data URL; ``None`` where it is neither.

    Some gateways write a data URL, wrap its lines, leave the padding out, or use the letters for URLs.
    """
    head, _, bare = text.partition(",") if text[:5].lower() == "data:" else ("", "", text)
    if head and not head.lower().endswith(";base64"):
        return unquote_to_bytes(bare)
    with contextlib.suppress(binascii.Error, ValueError):  # as nearly all are; what is not is put right below
        return pybase64.b64decode(bare, validate=True)
    bare = "".join(bare.split()).rstrip("=").replace("-", "+").replace("_", "/")
    try:
        return base64.b64decode(bare + "=" * (-len(bare) % 4), validate=True)
    except (binascii.Error, ValueError):
        return None


def _walk(value: object, depth: int) -> Iterator[Found]:
    if depth == 0:
        return
    if isinstance(value, str):
        yield from _in_text(value)
    elif isinstance(value, list):
        for item in _kept_parts(value):
            yield from _walk(item, depth - 1)
    elif isinstance(value, dict) and not value.get("thought"):
        yield from _in_mapping(value, depth)


def _in_mapping(item: Mapping[str, Any], depth: int) -> Iterator[Found]:
    """Yield an item's own picture, once where it has both its bytes and an address, or those below it."""
    for key in _WHOLE:
        text = item.get(key)
        if isinstance(text, str) and text:
            yield Found(text, is_certain=True)
            return
    own = [found for key in _PLACES for found in _walk(item.get(key), depth - 1)]
    if own:
        yield from own
        return
    for key in (*_WHOLE, *_LISTS):  # a list of them, where it is no single text
        yield from _walk(item.get(key), depth - 1)


def _in_text(text: str) -> Iterator[Found]:
    bare = text.strip()
    if is_address(bare) and not bare.split()[1:]:
        yield Found(bare, is_certain=False)
    elif _is_picture(bare):
        yield Found(bare, is_certain=True)
    else:
        yield from (Found(found[1] or found[2], is_certain=False) for found in _IN_TEXT.finditer(text))


def _is_picture(text: str) -> bool:
    if text[:11].lower() == "data:image/":
        return True
    head = "".join(text[:_HEAD_CHARS].split())
    return detect_format(decoded(head[: len(head) // 4 * 4]) or b"") is not None


def _kept_parts(items: list[Any]) -> list[Any]:
    """Return a list's items, of Gemini's parts the last picture first: those before it are sketches.

    Source: CometAPI's page on its Gemini models, https://apidoc.cometapi.com (2026-11-28).
    """
    is_sketched = [
        isinstance(item, dict) and bool(item.keys() & {"inlineData", "inline_data"}) for item in items
    ]
    return items[::-1] if any(is_sketched) else items
