"""A judging model's replies: the text of the answer, or why there is none."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Reply:
    """A judging model's reply to one question.

    Args:
        content: The answer's text as received; ``None`` when there is none.
        fault: Why there is none, in a few words.
    """

    content: str | None
    fault: str = ""


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
