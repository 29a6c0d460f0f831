"""Finds what can be read in an answer that is not JSON as a whole: cut off, followed by more, or broken."""

import json
import re

_PICTURE = re.compile(r'"b64_json"\s*:\s*"([^"]+)"')
_BEGUN = re.compile(r'"(?:b64_json|image_base64|bytesBase64Encoded)"\s*:\s*"[A-Za-z0-9+/_=\\\s-]{1000}')
_USAGE = re.compile(r'"usage"\s*:\s*(?=\{)')


def readable_part(text: str, *, has_pictures: bool) -> dict[str, object] | None:
    """Return the object with which a text begins, else the pictures that are whole in it.

    Args:
        text: The text.
        has_pictures: Whether an answer with pictures was asked for.

    Returns:
        JSON in the shape of an answer; ``None`` where nothing can be read.
    """
    if whole := _object_at(text, len(text) - len(text.lstrip("\ufeff \t\r\n"))):
        return whole
    pictures = [found[1].replace("\\/", "/") for found in _PICTURE.finditer(text)] if has_pictures else []
    if not pictures:
        return None
    usage = _USAGE.search(text)
    return {
        "data": [{"b64_json": picture} for picture in pictures],
        "usage": _object_at(text, usage.end()) if usage else None,
    }


def begins_picture(text: str) -> bool:
    """Return whether a text has at least the beginning of a picture in it."""
    return _BEGUN.search(text) is not None


def _object_at(text: str, start: int) -> dict[str, object] | None:
    if not text.startswith("{", start):
        return None
    try:
        found, _ = json.JSONDecoder().raw_decode(text, start)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None
