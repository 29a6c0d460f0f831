"""Text from outside: what no request, database or file name can hold, and what looks empty to people."""

import difflib
import re
import unicodedata
from collections.abc import Iterable

_NO_TEXT = re.compile("[\x00\ud800-\udfff]")
"""NUL, which PostgreSQL refuses, and lone halves of surrogate pairs, which have no UTF-8."""
_OWN_LETTERS = str.maketrans(
    {"ß": "ss", "ẞ": "SS", "æ": "ae", "Æ": "AE", "œ": "oe", "Œ": "OE", "ø": "o", "Ø": "O", "ł": "l", "Ł": "L"}
    | {"đ": "d", "Đ": "D", "ð": "d", "Ð": "D", "þ": "th", "Þ": "Th", "ı": "i"}
)
"""Letters that Unicode does not write as a plain one with a mark."""
_INVISIBLE_LETTERS = "\N{BRAILLE PATTERN BLANK}\N{HANGUL FILLER}\N{HALFWIDTH HANGUL FILLER}"


def find_no_text(text: str) -> str | None:
    """Find what cannot be sent or stored in a text.

    Returns:
        What it is and where, worded to follow "holds"; ``None`` for a sound text.
    """
    found = _NO_TEXT.search(text)
    if found is None:
        return None
    name = "a NUL character" if found[0] == "\x00" else f"half of a character (U+{ord(found[0]):04X})"
    return f"{name} at position {found.start() + 1}"


def escape_unprintable(text: str) -> str:
    """Write as escapes what a terminal would obey or could not print, so that the text stays on its line."""
    return "".join(
        letter if letter.isprintable() else letter.encode("unicode_escape").decode() for letter in text
    )


def spell_plainly(text: str) -> str:
    """Spell letters with marks without them, for a name in ASCII; what has no plain letter stays.

    Example:
        >>> spell_plainly("Größe à la carte")
        'Grosse a la carte'
    """
    letters = unicodedata.normalize("NFKD", text.translate(_OWN_LETTERS))
    return "".join(letter for letter in letters if not unicodedata.combining(letter))


def is_blank(text: str) -> bool:
    """Return whether nothing of a text can be seen: it has only blanks, of any width, and invisible marks."""
    return all(unicodedata.category(letter)[0] in "ZC" or letter in _INVISIBLE_LETTERS for letter in text)


def nearest_of(value: str, choices: Iterable[str]) -> str:
    """Return the choice that was probably meant, whatever its case; empty where none is near."""
    by_lower = {choice.lower(): choice for choice in choices}
    return next((by_lower[near] for near in difflib.get_close_matches(value.lower(), by_lower, n=1)), "")


def did_you_mean(value: str, choices: Iterable[str]) -> str:
    """Return `` (did you mean …?)``, to follow what is wrong; empty where no choice is near."""
    near = nearest_of(value, choices)
    return f" (did you mean {near}?)" if near else ""
