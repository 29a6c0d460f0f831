"""Which words of a prompt are its own, compared with the other prompts beside it: what the arms are about."""

import re
from collections.abc import Sequence
from difflib import SequenceMatcher

_PARTS = re.compile(r"\s+|{{.*?}}|\w+(?:[-'’.]\w+)*|[^\w\s]", re.DOTALL)
"""A mark beside a word is no part of it: "otter" and "otter, at dusk" share a word. A placeholder is one."""
MOST_WORDS = 600
"""Longer prompts are not compared: it would take seconds."""
MOST_PROMPTS = 8
"""Of more prompts, each is compared with the first only."""

Part = tuple[str, bool]
"""A piece of a prompt, and whether it is its own."""


def own_words(prompts: Sequence[str]) -> list[list[Part]]:
    """Split prompts into what they share with all others and what they do not.

    Args:
        prompts: In any order; white space counts with the words around it.

    Returns:
        For each prompt its pieces in order, which add up to it. Nothing is its own if there is nothing to
        compare with, or if a prompt is too long.

    Example:
        >>> own_words(["an otter, watercolour", "an otter, photograph"])[0]
        [('an otter, ', False), ('watercolour', True)]
    """
    words = [_PARTS.findall(prompt) for prompt in prompts]
    if len(set(prompts)) < 2 or max(map(len, words)) > 2 * MOST_WORDS:
        return [[(prompt, False)] if prompt else [] for prompt in prompts]
    return [_parts(own, _others(words, place)) for place, own in enumerate(words)]


def _others(words: Sequence[list[str]], place: int) -> list[list[str]]:
    if len(words) > MOST_PROMPTS and place > 0:
        return [words[0]]
    others = [other for number, other in enumerate(words) if number != place and other != words[place]]
    return others[:MOST_PROMPTS]


def _parts(own: Sequence[str], others: Sequence[Sequence[str]]) -> list[Part]:
    is_shared = [True] * len(own)
    for other in others:
        found = [False] * len(own)
        for start, _, length in SequenceMatcher(None, own, other, autojunk=False).get_matching_blocks():
            found[start : start + length] = [True] * length
        is_shared = [one and also for one, also in zip(is_shared, found, strict=True)]
    pieces: list[Part] = []
    for place, word in enumerate(own):
        beside = is_shared[max(place - 1, 0) : place] + is_shared[place + 1 : place + 2]
        is_own = not any(beside) if word.isspace() else not is_shared[place]
        if pieces and pieces[-1][1] == is_own:
            pieces[-1] = (pieces[-1][0] + word, is_own)
        else:
            pieces.append((word, is_own))
    return pieces
