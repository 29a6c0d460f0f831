"""The emulator's writer: statements about a picture, from a brief in the question.

It answers a question with a line ``Brief: …`` and a schema of an array of statements. What it writes is what
its own judge understands.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from tasks.emulator.painting.contents import NUMBERS, Contents, Thing, read_contents

_BRIEF = re.compile(r"^Brief: (?P<brief>.+)$", re.MULTILINE)
_WORD_OF = {number: word for word, number in NUMBERS.items() if word not in ("a", "an", "the")}


def write_questions(text: str, schema: Mapping[str, Any]) -> dict[str, Any] | None:
    """Write statements; ``None`` if a question asks for something else.

    Args:
        text: The question.
        schema: The schema of its answer.
    """
    brief, asked = _BRIEF.search(text), schema.get("properties", {})
    name = next((name for name, part in asked.items() if part.get("type") == "array"), None)
    if brief is None or name is None:
        return None
    return {name: list(_statements(read_contents(brief["brief"]), brief["brief"]))[:12]}


def _statements(shown: Contents, brief: str) -> Iterator[dict[str, Any]]:
    number = 0
    places: dict[str, int] = {}
    for thing in shown.things:
        number += 1
        places[thing.name] = number
        yield _statement("object", f"The picture shows {_article(thing.name)} {thing.name}", 0)
        for kind, sentence in _details(thing):
            number += 1
            yield _statement(kind, sentence, places[thing.name])
    for one, side, other in shown.places:
        of = " of" if side in ("left", "right") else ""
        yield _statement("relation", f"The {one} is {side}{of} the {other}", places.get(one, 0))
    for words in shown.lettering:
        yield _statement("text", f"The text reads “{words}”", 0)
    if not shown.lettering:
        yield _statement("absent", "There is no text in the picture", 0)
    yield _statement("style", f"The light and the style suit “{brief}”", 0)


def _details(thing: Thing) -> Iterator[tuple[str, str]]:
    many = thing.name if thing.count == 1 else f"{thing.name}s"
    yield "count", f"The picture shows exactly {_WORD_OF.get(thing.count, thing.count)} {many}"
    if thing.colour:
        yield "attribute", f"The {many} {'is' if thing.count == 1 else 'are'} {thing.colour}"


def _article(name: str) -> str:
    return "an" if name[0] in "aeiou" else "a"


def _statement(kind: str, sentence: str, depends_on: int) -> dict[str, Any]:
    return {"kind": kind, "statement": sentence, "depends_on": depends_on}
