"""What a picture shows: things with their number and colour, where they stand, and the words written in it.

It is read from the prompt by the form of its phrases, whatever the nouns are: ``two red mugs left of a
kettle, with the words "SALE"``. Errors are planted into it before the picture is painted, and it travels in
the picture's own metadata, so that the judge knows what was painted from the bytes that it is shown.
"""

import json
import random
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from itertools import pairwise
from typing import Any, Literal, get_args

from tasks.emulator.painting.reading import COLOURS

ErrorKind = Literal["missing", "extra", "wrong_colour", "misspelt", "swapped"]
ERROR_KINDS: tuple[ErrorKind, ...] = get_args(ErrorKind)
SIDES = {"left": "right", "right": "left", "above": "below", "below": "above"}
NUMBERS = {"a": 1, "an": 1, "the": 1, "no": 0, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6,
           "seven": 7, "eight": 8, "nine": 9, "ten": 10, "eleven": 11, "twelve": 12}  # fmt: skip
MOST_THINGS = 12
WRITING = frozenset(["text", "lettering", "word", "writing", "letter", "caption"])
"""What lettering is called; it is no thing."""

_QUOTED = re.compile(r'[“"„«]([^“”"„«»]{1,200})[”"“»]')
_ENDS = (
    "on|in|at|with|and|or|left|right|beside|to|above|below|under|over|of|near|next|behind|before|for|from|that|"
    "which|who|is|are|by|as|into|against|around|lying|standing|sitting|swimming|flying|holding|wearing|asleep|"
    "stands|stand|lies|lie|sits|sit"
)
_WORD = rf"(?!(?:{_ENDS})\b)[^\W\d_][\w'-]*"
_PHRASE = re.compile(
    rf"\b(?P<number>{'|'.join(NUMBERS)}|\d{{1,2}})\s+(?P<words>{_WORD}(?:\s+{_WORD}){{0,4}})", re.IGNORECASE
)
_SIDE = re.compile(
    r"^[\s,]*(?:\w+\s+){0,2}?(?:to\s+the\s+)?(?P<side>left of|right of|above|below|under|over)\s*$", re.I
)
_SIDE_NAMES = {"left of": "left", "right of": "right", "under": "below", "over": "above"}


@dataclass(frozen=True, slots=True)
class Thing:
    """A kind of thing in a picture.

    Args:
        name: What it is, in the singular, without its colour.
        count: How many of them there are, 0 or more.
        colour: Its colour word; ``None`` where the prompt leaves it open.
    """

    name: str
    count: int
    colour: str | None = None


@dataclass(frozen=True, slots=True)
class Contents:
    """What a picture shows.

    Args:
        things: In the order of the prompt; the first is the subject.
        places: Triples of one thing's name, ``left``, ``right``, ``above`` or ``below``, and the other's.
        lettering: The words written in it.
        words: All words of the prompt, in lower case: what else it may show.
        planted: The kinds of error planted in it.
    """

    things: tuple[Thing, ...] = ()
    places: tuple[tuple[str, str, str], ...] = ()
    lettering: tuple[str, ...] = ()
    words: frozenset[str] = frozenset()
    planted: tuple[str, ...] = ()

    @property
    def is_arranged(self) -> bool:
        """Whether it takes more than one subject in its place to show it."""
        counts = any(thing.count != 1 for thing in self.things)
        return counts or bool(self.places or self.lettering or self.planted)

    def as_json(self) -> str:
        """Write it as ASCII, for a picture's metadata."""
        return json.dumps(asdict(self) | {"words": sorted(self.words)}, separators=(",", ":"))


def contents_of_json(text: str) -> Contents | None:
    """Read what ``as_json`` wrote; ``None`` if it is something else."""
    try:
        facts: Mapping[str, Any] = json.loads(text)
        return Contents(
            tuple(Thing(**thing) for thing in facts["things"]),
            tuple((one, side, other) for one, side, other in facts["places"]),
            tuple(facts["lettering"]),
            frozenset(facts["words"]),
            tuple(facts["planted"]),
        )
    except (ValueError, TypeError, KeyError, RecursionError):
        return None


def read_contents(prompt: str) -> Contents:
    """Read what a prompt asks for: every counted phrase is a thing, every quotation is lettering."""
    lettering = tuple(" ".join(found.split()) for found in _QUOTED.findall(prompt))
    plain = _QUOTED.sub(" ", prompt)
    found = list(_PHRASE.finditer(plain))
    found = [match for match in found if _is_count(match["number"])]
    read = (read_thing(match["number"], match["words"]) for match in found)
    things = [thing for thing in read if thing and thing.name not in WRITING]
    places = []
    for one, other in pairwise(found):
        side = _SIDE.match(plain[one.end() : other.start()])
        names = [read_thing(match["number"], match["words"]) for match in (one, other)]
        if side and names[0] and names[1]:
            where = side["side"].lower()
            places.append((names[0].name, _SIDE_NAMES.get(where, where), names[1].name))
    words = frozenset(map(singular, re.findall(r"[^\W_][\w'-]*", plain.lower())))
    return Contents(tuple(dict.fromkeys(things)), tuple(places), lettering, words)


def _is_count(number: str) -> bool:
    """Whether a word says how many there are: ``no text`` shows nothing, and ``35 mm`` is a lens."""
    return number.lower() != "no" and not (number.isdigit() and not 1 <= int(number) <= MOST_THINGS)


def read_thing(number: str, words: str) -> Thing | None:
    """Read a phrase such as ``two``, ``small red mugs``; ``None`` if it names nothing but a colour."""
    parts = words.lower().split()
    colour = next((word for word in parts if word in COLOURS), None)
    name = [word for word in parts if word not in COLOURS]
    if not name:
        return None
    count = NUMBERS.get(number.lower())
    count = min(int(number), MOST_THINGS) if count is None else count
    return Thing(" ".join([*name[:-1], singular(name[-1])]), count, colour)


def singular(word: str) -> str:
    """Return a noun's singular by its ending, as ``boxes`` and ``berries`` have it."""
    if len(word) < 4 or word.endswith(("ss", "us", "is")):
        return word
    if word.endswith("ies"):
        return word[:-3] + "y"
    if word.endswith(("ches", "shes", "xes", "sses", "zes")):
        return word[:-2]
    return word.removesuffix("s")


def plant(contents: Contents, kind: ErrorKind, seed: int) -> Contents:
    """Plant an error; the same contents where there is nothing to get wrong in that way.

    Args:
        contents: What the prompt asks for.
        kind: The first thing is missing, or one too many; a colour is another, a word misspelt, or two things
            have each other's place.
        seed: Decides which colour and which letter.
    """
    changed = _PLANTS[kind](contents, random.Random(f"{seed} {kind}"))
    return contents if changed is None else replace(changed, planted=(*contents.planted, kind))


def _change_thing(contents: Contents, at: int, **changes: object) -> Contents:
    things = list(contents.things)
    things[at] = replace(things[at], **changes)  # type: ignore[arg-type]
    return replace(contents, things=tuple(things))


def _missing(contents: Contents, chance: random.Random) -> Contents | None:  # noqa: ARG001 - one shape
    present = [at for at, thing in enumerate(contents.things) if thing.count]
    return _change_thing(contents, present[0], count=0) if present else None


def _extra(contents: Contents, chance: random.Random) -> Contents | None:  # noqa: ARG001
    present = [at for at, thing in enumerate(contents.things) if thing.count]
    if not present:
        return None
    return _change_thing(contents, present[0], count=contents.things[present[0]].count + 1)


def _wrong_colour(contents: Contents, chance: random.Random) -> Contents | None:
    coloured = [at for at, thing in enumerate(contents.things) if thing.colour and thing.count]
    if not coloured:
        return None
    used = {thing.colour for thing in contents.things}
    others = [name for name in ("red", "yellow", "green", "blue", "purple", "black") if name not in used]
    return _change_thing(contents, coloured[0], colour=chance.choice(others))


def _misspelt(contents: Contents, chance: random.Random) -> Contents | None:
    if not contents.lettering:
        return None
    first, *rest = contents.lettering
    at = chance.choice([at for at, letter in enumerate(first) if not letter.isspace()])
    dropped = first[:at] + first[at + 1 :]
    wrong = dropped if len(first) > 2 else first[: at + 1] + first[at:]
    return replace(contents, lettering=(wrong, *rest))


def _swapped(contents: Contents, chance: random.Random) -> Contents | None:  # noqa: ARG001
    if not contents.places:
        return None
    (one, side, other), *rest = contents.places
    return replace(contents, places=((one, SIDES[side], other), *rest))


_PLANTS = {
    "missing": _missing,
    "extra": _extra,
    "wrong_colour": _wrong_colour,
    "misspelt": _misspelt,
    "swapped": _swapped,
}
