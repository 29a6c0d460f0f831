"""Where in a judging model's text a yes or no begins, and how likely yes was there.

A model may write ``yes``, `` Yes`` or ``"yes``, as one token or several; the alternatives of the first one
are added up by what they begin. Nothing here is assumed to be well-formed: log-probabilities that do not fit
the text are left out.

Source: the vendor's API reference of chat completions, ``logprobs``, checked 2026-11-22.
"""

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

MOST_TOKENS_READ = 50_000
_WORD = re.compile(r"\b(?:yes|no)\b", re.IGNORECASE)


def probabilities_of_yes(content: str, logprobs: object) -> dict[int, float]:
    """Map the place of each yes or no, as an index into the text, to the probability of yes, in [0, 1].

    Args:
        content: The answer's text.
        logprobs: What the answer has under ``logprobs``.

    Returns:
        Empty if there are none, or if they are not those of this text.
    """
    tokens = logprobs.get("content") if isinstance(logprobs, dict) else None
    if not isinstance(tokens, list) or not 0 < len(tokens) <= MOST_TOKENS_READ:
        return {}
    begins = _begins(content, [token for token in tokens if isinstance(token, dict)])
    words = [match.start() for match in _WORD.finditer(content)]
    return {
        place: chance
        for place in words
        if place in begins and (chance := _chance_of_yes(begins[place])) is not None
    }


def _begins(content: str, tokens: Sequence[Mapping[str, Any]]) -> dict[int, Mapping[str, Any]]:
    """Map the place of each token's first letter to the token; empty if they are not those of the text."""
    pieces = [_bytes_of(token) for token in tokens]
    if b"".join(pieces) != content.encode(errors="surrogatepass"):
        return {}
    found, at = {}, 0
    for token, piece in zip(tokens, pieces, strict=True):
        text = piece.decode(errors="ignore")
        before = len(text) - len(text.lstrip(" \n\t\"'"))
        found[at + before] = token
        at += len(text)
    return found


def _bytes_of(token: Mapping[str, Any]) -> bytes:
    given = token.get("bytes")
    if isinstance(given, list) and all(type(one) is int and 0 <= one < 256 for one in given):
        return bytes(given)
    text = token.get("token")
    return text.encode(errors="surrogatepass") if isinstance(text, str) else b""


def _chance_of_yes(token: Mapping[str, Any]) -> float | None:
    """Return yes's share of what yes and no have; what is not listed may all be the other."""
    masses = {"yes": 0.0, "no": 0.0}
    listed = 0.0
    for text, chance in _alternatives(token):
        listed += chance
        word = text.strip(" \n\t\"'").casefold()
        for name in masses:
            if word and (name.startswith(word) or word.startswith(name)):
                masses[name] += chance
    rest = max(0.0, 1.0 - listed)
    yes, no = masses["yes"] or rest, masses["no"] or rest
    return None if not (masses["yes"] or masses["no"]) else yes / (yes + no)


def _alternatives(token: Mapping[str, Any]) -> Iterator[tuple[str, float]]:
    given = token.get("top_logprobs")
    for one in given if isinstance(given, list) and given else [token]:
        text, logprob = (one.get("token"), one.get("logprob")) if isinstance(one, dict) else (None, None)
        if isinstance(text, str) and isinstance(logprob, int | float) and not _is_nan(logprob):
            yield text, math.exp(max(-1000.0, min(0.0, logprob)))


def _is_nan(number: float) -> bool:
    return isinstance(number, float) and math.isnan(number)
