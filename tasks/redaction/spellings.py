"""How a secret may be written: as it is, and as Python, JSON, URLs, HTML and Base64 write it."""

import base64
import html
import json
import re
from collections.abc import Callable, Iterator
from urllib.parse import quote, quote_plus

LEAST_CORE_CHARS = 8
"""Fewer characters of Base64 could stand in any text by chance."""


def _with_small_hex(write: Callable[[str], str]) -> Callable[[str], str]:
    return lambda text: re.sub(r"%[0-9A-F]{2}", lambda found: found[0].lower(), write(text))


_WRITERS: tuple[Callable[[str], str], ...] = (
    lambda text: repr(text)[1:-1],
    lambda text: repr(f"'\"{text}")[4:-1],  # inside a text that holds both quotes
    lambda text: ascii(text)[1:-1],
    lambda text: repr(text.encode(errors="replace"))[2:-1],
    lambda text: json.dumps(text)[1:-1],
    lambda text: json.dumps(text, ensure_ascii=False)[1:-1],
    lambda text: json.dumps(text)[1:-1].replace("/", "\\/"),
    lambda text: quote(text, errors="replace"),
    lambda text: quote(text, safe="", errors="replace"),
    lambda text: quote_plus(text, errors="replace"),
    _with_small_hex(lambda text: quote(text, errors="replace")),
    _with_small_hex(lambda text: quote(text, safe="", errors="replace")),
    html.escape,
    lambda text: html.escape(text).replace("&#x27;", "&#39;"),
)


def spellings(secret: str) -> frozenset[str]:
    """Return a secret as it is and in every spelling, also of one inside another, such as JSON inside JSON.

    Args:
        secret: The secret, not empty.
    """
    once = {secret, *(write(secret) for write in _WRITERS)}
    return frozenset(once | {write(text) for text in once for write in _WRITERS})


def base64_cores(secret: str) -> Iterator[str]:
    """Return the Base64 characters that a text which holds the secret has for certain, in both alphabets.

    Three characters of Base64 begin within a group of three bytes, so what stands before the secret shifts it
    into one of three forms (as in ``Basic`` credentials, where a user's name stands before it); the
    characters at its ends also depend on its neighbours and are left out.
    """
    data = secret.encode(errors="replace")
    for n_before in range(3):
        n_after = -(n_before + len(data)) % 3
        written = base64.b64encode(bytes(n_before) + data + bytes(n_after)).decode()
        first, last = -(-8 * n_before // 6), (8 * (n_before + len(data))) // 6
        core = written[first:last]
        if len(core) >= LEAST_CORE_CHARS:
            yield core
            yield core.replace("+", "-").replace("/", "_")
