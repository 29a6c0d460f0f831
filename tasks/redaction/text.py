"""Text from outside, made fit for people: no secret in it, and nothing that a terminal would obey."""

import re

from tasks.redaction.known_secrets import hide_keys

_NO_TEXT = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\u202a-\u202e\u2066-\u2069]")


def redact(text: str) -> str:
    """Redact a text from outside: every known secret, what looks like a key, and what is no text.

    Call it before the text is cut.
    """
    return printable(hide_keys(text))


def printable(text: str) -> str:
    """Replace by U+FFFD what a terminal would obey or a database refuse; line ends and tabs are kept.

    These are control characters, among them escapes and NUL, marks that change the direction of writing, and
    lone halves of surrogate pairs.
    """
    return _NO_TEXT.sub("\N{REPLACEMENT CHARACTER}", text.replace("\r\n", "\n").replace("\r", "\n"))


def one_line(text: str) -> str:
    """Write a text on one line, with single blanks."""
    return " ".join(text.split())
