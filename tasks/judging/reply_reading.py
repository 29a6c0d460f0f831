"""Reads a reply to the rubric question, whatever its form: each statement's probability of yes.

What was not read is ``None``, never 0. A statement that depends on another cannot be likelier than that one;
so where the other is false, it is false, whatever the model said of it.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace

from tasks.campaign.statements import AskedStatement
from tasks.judging.forms import is_yes
from tasks.judging.replies import Reply
from tasks.judging.rubric import RubricAnswer, read_rubric_answer

_ANSWER = re.compile(
    r'(?<!\\)"statement_(?P<number>\d{1,4})"\s*:\s*\{\s*"answer"\s*:\s*"(?P<word>yes|no)"', re.I
)
"""A statement's answer where it comes before its reason; a quotation inside a reason is escaped."""


def read_reply(reply: Reply, asked: Sequence[AskedStatement]) -> RubricAnswer | None:
    """Read a reply; ``None`` without an answer, and if it does not say of each statement whether it is true.

    Args:
        reply: The judge's reply.
        asked: The statements, in the order in which they were asked.
    """
    if reply.content is None:
        return None
    found = [
        read
        for content in (reply.content, *reply.samples)
        if (read := read_rubric_answer(content, len(asked), reply.form)) is not None
    ]
    if not found:
        return None
    if reply.form == "log_probabilities":
        chances = _by_statement(reply.content, reply.yes_at)
        return _bounded(
            replace(found[0], chances=tuple(chances.get(number) for number in _numbers(asked))), asked
        )
    return _bounded(_averaged(found) if len(found) > 1 else found[0], asked)


def _numbers(asked: Sequence[AskedStatement]) -> range:
    return range(1, len(asked) + 1)


def _by_statement(content: str, yes_at: Mapping[int, float]) -> dict[int, float]:
    """Map a statement's number to its probability of yes, by where its answer stands in the text."""
    return {
        int(match["number"]): yes_at[match.start("word")]
        for match in _ANSWER.finditer(content)
        if match.start("word") in yes_at
    }


def _averaged(found: Sequence[RubricAnswer]) -> RubricAnswer:
    """Average several answers; a statement's reason is that of the first answer that agrees with the mean."""
    n_statements = len(found[0].chances)
    chances = [
        sum(each.chances[place] or 0.0 for each in found) / len(found) for place in range(n_statements)
    ]
    reasons = [
        next((each.reasons[place] for each in found if each.verdicts[place] == is_yes(chance)), "")
        for place, chance in enumerate(chances)
    ]
    grades = [each.grade for each in found if each.grade is not None]
    grade = sum(grades) / len(grades) if grades else None
    return RubricAnswer(tuple(chances), tuple(reasons), grade, found[0].grade_reason)


def _bounded(answer: RubricAnswer, asked: Sequence[AskedStatement]) -> RubricAnswer:
    """Bound each statement by the one that it depends on, which comes before it."""
    chances, reasons = list(answer.chances), list(answer.reasons)
    for place, one in enumerate(asked):
        above = None if one.parent is None else chances[one.parent]
        if one.parent is None or above is None:
            continue
        own = chances[place]
        if not is_yes(above) and (own is None or is_yes(own)):
            reasons[place] = f"“{asked[one.parent].text}” is not true"
        if own is not None or not is_yes(above):
            chances[place] = above if own is None else min(own, above)
    return replace(answer, chances=tuple(chances), reasons=tuple(reasons))
