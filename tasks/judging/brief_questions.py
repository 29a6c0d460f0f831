"""The question by which a model writes a picture's statements from its brief, and its answer.

Each statement is atomic: it asks one thing that can be seen, and says on which earlier one it depends, so
that nobody asks for the colour of what is not there.

Source: Y. Hu et al. (2023), "TIFA" (arXiv 2303.11897), and J. Cho et al. (2023), "Davidsonian Scene Graph"
(arXiv 2310.18235), on questions written from a prompt and their dependencies.
"""

from collections.abc import Mapping
from typing import Any, get_args

from tasks.campaign.choice import Statement, StatementKind
from tasks.judging.answer_text import objects_in
from tasks.judging.rubric import chat_parameters, closed_object
from tasks.limits import STATEMENT_CHARACTERS

FEWEST, MOST = 3, 12
MOST_ANSWER_TOKENS = 1_500
_INTRODUCTION = f"""\
Write the statements by which somebody checks, by looking at a picture, whether it shows what was asked for.
Write {FEWEST} to {MOST} statements that are true of a picture that follows the brief. Each says one thing
that can be seen: whether something is there (object), how many there are (count), what it is like
(attribute), where it is or what it does to something else (relation), which words can be read (text), how the
picture is made (style), or what must not be there (absent). Put what others depend on first. For each give
its kind, the statement as a short plain sentence, and the number of the statement without which it cannot be
true, or 0. Say nothing that the brief leaves open.
"""


def brief_prompt(brief: str, attempt: int = 0) -> str:
    """Write the question about a brief.

    Args:
        brief: What the picture shall show.
        attempt: 0, or which time it is asked again because an answer could not be read.
    """
    again = f"\n\nThis is attempt {attempt + 1}." if attempt else ""
    return f"{_INTRODUCTION}\nBrief: {brief}{again}"


def brief_parameters(model: str) -> dict[str, Any]:
    """Return the request's fields."""
    statement = closed_object(
        {
            "kind": {"type": "string", "enum": list(get_args(StatementKind))},
            "statement": {"type": "string"},
            "depends_on": {"type": "integer"},
        }
    )
    shape = closed_object({"statements": {"type": "array", "items": statement}})
    return chat_parameters(model, "statements", shape, MOST_ANSWER_TOKENS)


def read_statements(content: str) -> tuple[Statement, ...]:
    """Read the statements of an answer, at most twelve; empty if there are none, or if it is another shape.

    Args:
        content: The answer's text.
    """
    lists = [each.get("statements") for each in objects_in(content)]
    entries = next((each for each in lists if isinstance(each, list)), [])
    found: list[Statement] = []
    numbers: dict[int, str] = {}
    for number, entry in enumerate(entries[:MOST], 1):
        text = _text_of(entry)
        if text and text not in numbers.values():
            numbers[number] = text
            found.append(_statement(entry, text, numbers))
    return tuple(found)


def _text_of(entry: object) -> str:
    text = entry.get("statement") if isinstance(entry, dict) else None
    plain = " ".join(text.split()) if isinstance(text, str) else ""
    return plain if len(plain) <= STATEMENT_CHARACTERS else ""


def _statement(entry: Mapping[str, Any], text: str, numbers: Mapping[int, str]) -> Statement:
    kind, above = entry.get("kind"), entry.get("depends_on")
    parent = numbers.get(above) if type(above) is int else None
    given: dict[str, Any] = {"statement": text}
    if kind in get_args(StatementKind):
        given["kind"] = kind
    if parent is not None and parent != text:
        given["depends_on"] = parent
    return Statement(**given)
