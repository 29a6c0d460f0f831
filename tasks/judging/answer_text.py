"""Reads a judging model's text: JSON as asked for, in a code fence or with words around it, or a single word.

Only what is certain is read: of several objects in one text, those that can be read must say the same.
"""

import json
from collections.abc import Collection
from typing import Any

MOST_CHARS = 100_000
"""A longer text is read only if it is JSON as a whole; an answer has a few hundred characters."""
MOST_OBJECTS = 50
"""How many times a text is searched for a further object."""
_FILLERS = ("the", "picture", "image", "one")
_TRUTH = {"true": "yes", "false": "no"}


def objects_in(content: str) -> list[dict[str, Any]]:
    """List the JSON objects in a text, in order; empty where there are none.

    Args:
        content: The text: JSON, JSON written as a string, or JSON among words.
    """
    whole = _json(content)
    if isinstance(whole, str):
        whole = _json(whole)
    if isinstance(whole, dict):
        return [whole]
    if isinstance(whole, list):
        return [part for part in whole if isinstance(part, dict)]
    return _objects_among_words(content) if len(content) <= MOST_CHARS else []


def _objects_among_words(content: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    start, decoder = 0, json.JSONDecoder()
    for _ in range(MOST_OBJECTS):
        start = content.find("{", start)
        if start < 0:
            break
        try:
            value, start = decoder.raw_decode(content, start)
        except (ValueError, RecursionError):
            start += 1
        else:
            found.append(value)
    return found


def _json(content: str) -> object:
    try:
        value: object = json.loads(content)
    except (ValueError, RecursionError):
        return None
    return value


def word_of(value: object, accepted: Collection[str]) -> str | None:
    """Read one of a few words, whatever its case and punctuation; ``None`` when it is none of them.

    Args:
        value: What the model gave: a text, or a truth value for yes or no.
        accepted: The words.

    Example:
        >>> word_of("The first picture.", ("first", "second"))
        'first'
    """
    text = str(value).lower() if isinstance(value, bool) else value
    if not isinstance(text, str) or len(text) > MOST_CHARS:
        return None
    words = [word.strip(".,!:;*_\"'`()") for word in text.casefold().split()]
    told = " ".join(word for word in words if word not in (*_FILLERS, ""))
    told = _TRUTH.get(told, told)
    return told if told in accepted else None
