"""A judging model's replies: the text of the answer, or why there is none, and how sure the model was.

An answer with log-probabilities is stored as JSON around the text as it was received: where in the text a yes
or no stands, and the probability of yes there.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from tasks.judging.forms import Form

_CONTENT, _YES_AT = "content", "probability_of_yes_at"


@dataclass(frozen=True, slots=True)
class Reply:
    """A judging model's reply to one question.

    Args:
        content: The answer's text as received; ``None`` when there is none.
        fault: Why there is none, in a few words.
        yes_at: Where in the text a yes or no begins, as an index, to the probability of yes, 0-1; empty
            without log-probabilities.
        form: In which form the question was put.
        samples: Further answers to the same question, in the form ``samples``.
    """

    content: str | None
    fault: str = ""
    yes_at: Mapping[int, float] = field(default_factory=dict)
    form: Form = "yes_no"
    samples: Sequence[str] = ()


def stored_text(content: str, yes_at: Mapping[int, float]) -> str:
    """Return the text under which an answer is stored: as it is, if nothing is known beside it."""
    if not yes_at:
        return content
    return json.dumps({_CONTENT: content, _YES_AT: sorted(yes_at.items())})


def reply_of(stored: str) -> Reply:
    """Read a stored answer."""
    try:
        facts = json.loads(stored)
    except (ValueError, RecursionError):
        return Reply(stored)
    if (
        not isinstance(facts, dict)
        or set(facts) != {_CONTENT, _YES_AT}
        or not isinstance(facts[_CONTENT], str)
    ):
        return Reply(stored)
    pairs = facts[_YES_AT] if isinstance(facts[_YES_AT], list) else []
    yes_at = {at: chance for pair in pairs if (found := _pair(pair)) for at, chance in [found]}
    return Reply(facts[_CONTENT], yes_at=yes_at)


def _pair(pair: object) -> tuple[int, float] | None:
    if not isinstance(pair, list) or len(pair) != 2:
        return None
    at, chance = pair
    is_place = type(at) is int and at >= 0
    return (at, float(chance)) if is_place and type(chance) in (int, float) and 0 <= chance <= 1 else None


@dataclass(frozen=True, slots=True)
class DuelReply:
    """The reply to the question which of two pictures is better.

    Args:
        row: The row of variables that both were made from.
        first_id: The candidate that was shown first.
        second_id: The other.
        reply: The model's reply.
    """

    row: int
    first_id: str
    second_id: str
    reply: Reply
