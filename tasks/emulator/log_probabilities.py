"""The log-probabilities of an answer's tokens, with those of the words that could have stood there.

Source: API reference of chat completions, ``logprobs`` and ``top_logprobs``, checked 2026-11-22.
"""

import math
import re
from collections.abc import Sequence
from typing import Any

_TOKEN = re.compile(r"\s*\w+|\s*[^\w\s]+|\s+")
_VALUE = re.compile(r':\s*"(?P<word>yes|no)"')
OTHER_LOGPROB = -9.0


def log_probabilities(content: str, certainties: Sequence[float], n_top: int) -> list[dict[str, Any]]:
    """Describe each token of an answer.

    Args:
        content: The answer's JSON; it may break off.
        certainties: The probability of yes behind each answer of yes or no, in order.
        n_top: How many alternatives to give of each token.
    """
    answers = {
        match.start("word"): chance
        for match, chance in zip(_VALUE.finditer(content), certainties, strict=False)
    }
    return [
        _token(match[0], answers.get(match.end() - len(match[0].strip())), n_top)
        for match in _TOKEN.finditer(content)
    ]


def _token(text: str, chance: float | None, n_top: int) -> dict[str, Any]:
    if chance is None:
        return _entry(text, 0.0) | {"top_logprobs": [_entry(text, 0.0)][:n_top]}
    choices = {"yes": math.log(chance), "no": math.log1p(-chance)}
    ranked = sorted(choices, key=lambda word: -choices[word])
    others = [_entry(word, OTHER_LOGPROB - index) for index, word in enumerate(("Yes", "maybe", "unsure"))]
    top = [*(_entry(word, choices[word]) for word in ranked), *others]
    return _entry(text, choices[text]) | {"top_logprobs": top[:n_top]}


def _entry(token: str, logprob: float) -> dict[str, Any]:
    return {"token": token, "logprob": logprob, "bytes": list(token.encode())}
