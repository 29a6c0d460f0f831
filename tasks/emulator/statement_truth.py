"""Whether a statement is true of what was painted: objects, their number and colour, places and lettering.

Statements are understood by their form, as ``The picture shows exactly two red mugs``, ``The mugs are red``,
``The mug is left of the bottle`` or ``The text reads "SALE"``. Any other is not understood.
"""

import re
from collections.abc import Callable, Sequence

from tasks.emulator.painting.contents import NUMBERS, SIDES, WRITING, Contents, Thing, read_thing, singular
from tasks.emulator.painting.reading import COLOURS

_QUOTE = r'["“”„«](?P<quote>[^"“”„«»]+)["“”»]'
_NUMBER = rf"(?:(?P<number>{'|'.join(NUMBERS)}|\d{{1,2}})\s+)?"
_THING = r"(?P<words>[^\W\d_][\w' -]*?)"
_DETERMINER = r"(?:(?:the|a|an|all|every|each|both)\s+)*"
_AS_IN = re.compile(r"\bsame\b.{1,60}\bas (?:in |on )?(?:the|its|a) references?\b", re.I)
_ORDER = re.compile(r"\b(?:answer|say|reply)\b.{0,40}?\b(?P<answer>yes|no)\b", re.I)
_SIDE_WORDS = {"left of": "left", "right of": "right", "above": "above", "below": "below", "under": "below"}


def is_true(statement: str, shown: Contents) -> bool | None:
    """Say whether a statement is true of a picture; ``None`` if it is not understood.

    Args:
        statement: One sentence.
        shown: What the picture shows.
    """
    plain = " ".join(statement.split()).strip().rstrip(".!")
    for form, judge in _FORMS:
        if match := form.fullmatch(plain):
            return judge(match, shown)
    return None


def is_as_in(statement: str, shown: Contents, references: Sequence[Contents]) -> bool | None:
    """Say whether a picture shows what a reference does, as `the same product as in the reference`.

    Args:
        statement: One sentence.
        shown: What the picture shows; its first thing is what is compared.
        references: What each reference shows.

    Returns:
        ``None`` if it is not understood, or if nothing can be compared.
    """
    if not _AS_IN.search(statement) or not shown.things or not references:
        return None
    subject = shown.things[0]
    others = [thing for reference in references for thing in reference.things]
    return any((one.name, one.colour) == (subject.name, subject.colour) for one in others)


def ordered_answer(shown: Contents) -> str | None:
    """Return the answer that a picture's lettering orders its judge to give, ``yes`` or ``no``, if any."""
    found = (_ORDER.search(text) for text in shown.lettering)
    return next((match["answer"].lower() for match in found if match), None)


def describe(shown: Contents) -> str:
    """Say what a picture shows, as the reason of an answer."""
    things = [
        f"{thing.count} × {thing.colour + ' ' if thing.colour else ''}{thing.name}" for thing in shown.things
    ]
    places = [f"{one} {side} of {other}" for one, side, other in shown.places]
    return "Seen: " + "; ".join([*things, *places, *(f"“{text}”" for text in shown.lettering)]) + "."


def _spelt(match: re.Match[str], shown: Contents) -> bool:
    return " ".join(match["quote"].split()) in shown.lettering


def _placed(match: re.Match[str], shown: Contents) -> bool | None:
    one, other = (_name(match[part]) for part in ("words", "other"))
    side = _SIDE_WORDS[match["side"].lower()]
    reversed_places = [(second, SIDES[where], first) for first, where, second in shown.places]
    for first, where, second in [*shown.places, *reversed_places]:
        if _is_named(one, first) and _is_named(other, second):
            return where == side and _count(one, None, shown) > 0 and _count(other, None, shown) > 0
    return None


def _coloured(match: re.Match[str], shown: Contents) -> bool | None:
    named = [thing for thing in shown.things if _is_named(_name(match["words"]), thing.name)]
    if not named or all(thing.colour is None for thing in named):
        return None
    present = [thing for thing in named if thing.count]
    return bool(present) and all(thing.colour == match["colour"].lower() for thing in present)


def _counted(match: re.Match[str], shown: Contents) -> bool | None:
    number = (match["number"] or "a").lower()
    wanted = read_thing("a" if number == "no" else number, match["words"])
    if wanted is None:
        return None
    if wanted.name in WRITING:
        return (number == "no") != bool(shown.lettering)
    found = _count(wanted.name, wanted.colour, shown)
    if number == "no":
        return found == 0
    exactly = (match["exactly"] or "").lower() in ("exactly", "only", "just")
    counted = number not in ("a", "an", "the", "one") or exactly
    if counted and "at least" not in (match["exactly"] or "").lower():
        return found == wanted.count
    return found >= wanted.count


def _count(name: str, colour: str | None, shown: Contents) -> int:
    """Count the things of a name; what the prompt mentions without a number is there once."""
    named = [thing for thing in shown.things if _is_named(name, thing.name)]
    if not named:
        return int(set(name.split()) <= shown.words)
    return sum(thing.count for thing in named if _has(thing, colour))


def _has(thing: Thing, colour: str | None) -> bool:
    return colour is None or thing.colour == colour


def _name(words: str) -> str:
    thing = read_thing("a", re.sub(rf"^{_DETERMINER}", "", words, flags=re.I))
    return thing.name if thing else singular(words.lower())


def _is_named(asked: str, name: str) -> bool:
    """Whether a thing goes by a name: ``otter`` is one of ``sea otter``."""
    return set(asked.split()) <= set(name.split())


_PICTURE = "(?:the |this )?(?:picture|image|photo|photograph|it)"
_SHOWS = rf"(?:{_PICTURE}\s+(?:shows|contains|has|depicts)|there (?:is|are))"
_FORMS: tuple[tuple[re.Pattern[str], Callable[[re.Match[str], Contents], bool | None]], ...] = tuple(
    (re.compile(form, re.I), judge)
    for form, judge in (
        (
            rf"(?:{_DETERMINER}(?:text|word|words|lettering|slogan|headline|sign|label|it)\s+)?"
            rf"(?:reads?|says?|is|are|spells?)?\s*{_QUOTE}(?:\s+(?:is|are)\s+(?:spelt|spelled|written)\s+"
            rf"(?:right|correctly)|\s+can be read)?",
            _spelt,
        ),
        (
            rf"{_DETERMINER}{_THING} (?:is|are|stands?|lies?|sits?) (?:to the )?"
            rf"(?P<side>left of|right of|above|below|under) {_DETERMINER}(?P<other>[^\W\d_][\w' -]*?)",
            _placed,
        ),
        (rf"{_DETERMINER}{_THING} (?:is|are) (?P<colour>{'|'.join(COLOURS)})", _coloured),
        (
            rf"{_SHOWS}\s+(?:(?P<exactly>exactly|only|just|at least)\s+)?{_NUMBER}{_THING}"
            rf"(?: in (?:the|this) (?:picture|image))?",
            _counted,
        ),
    )
)
