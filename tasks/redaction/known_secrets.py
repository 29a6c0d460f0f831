"""The secrets that this process knows, and the one function that keeps them out of a text.

Whoever makes a ``Secret`` makes it known, so that no code can hold one that the redactor does not look for.
It is found as it is, and as Python, JSON, URLs, HTML and Base64 write it (``spellings``). The secrets are of
the process, not of a run: logs, tracebacks and the terminal have no other way to know them.
"""

import re
import threading
from typing import NoReturn

from tasks.redaction.spellings import base64_cores, spellings

MASK = "[secret]"
"""What stands in a secret's place."""

LEAST_CHARS = 4
"""A shorter secret is not looked for: it would be found in every second word."""

SAFE_CHARS = 8
"""A shorter one is looked for as a whole word only."""

WORD_CHARS = 16
"""A shorter one of letters or digits alone may be any word or date, such as the password ``runoff``: it is
looked for only where a password stands in an address, and a key in a header."""

CUT_CHARS = 6
"""The fewest characters of a secret's beginning that are hidden at the end of a text that was cut."""

# It begins with a literal, which is found fast.
_LOOKS_LIKE_A_KEY = re.compile(r"sk-(?<!\wsk-)[A-Za-z0-9_*-]{6,}")
_KEY_AS_A_WORD = re.compile(r"(?:(?<![\w=&/%.+-])|(?<=\\[nrt]))sk-[A-Za-z0-9_*-]{6,250}(?![\w*-])")
"""What looks like a key and is a word, also after an escaped line end; no part of a picture's Base64, nor of
an address, which leads nowhere without its signature."""
_URL_PASSWORD = re.compile(r"(?<=://)([^\s/?#:@'\"]*):[^\s/?#'\"]+@")
_BASE64_CHARS = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/-_=")


class Secret:
    """A text that no output shows: printed or formatted it is a mask, and it cannot be pickled.

    Args:
        text: The secret itself; from now on the redactor looks for it.
    """

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text
        _KNOWN.add(text)

    def reveal(self) -> str:
        """Return the secret itself, for the one who checks or sends it."""
        return self._text

    def __str__(self) -> str:
        return MASK

    def __repr__(self) -> str:
        return "Secret()"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and self._text == other._text

    def __hash__(self) -> int:
        return hash(self._text)

    def __reduce__(self) -> NoReturn:
        message = "a secret does not leave its process"
        raise TypeError(message)


class _KnownSecrets:
    """What to look for; each part is replaced as a whole, so that other threads always see a whole one."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.clear()

    def clear(self) -> None:
        self.texts: frozenset[str] = frozenset()
        self.spellings: tuple[str, ...] = ()
        self.cores: tuple[str, ...] = ()
        self.words: re.Pattern[str] | None = None

    def add(self, text: str) -> None:
        if len(text) < LEAST_CHARS or text in self.texts:
            return
        with self._lock:
            texts = self.texts | {text}
            if _is_certain(text):
                found = {*self.spellings, *spellings(text)}
                self.spellings = tuple(sorted(found, key=len, reverse=True))
                self.cores = tuple({*self.cores, *base64_cores(text)})
            else:
                self.words = re.compile(
                    "|".join(sorted(_as_word(one) for one in texts if not _is_certain(one)))
                )
            self.texts = texts  # last: another thread takes what stands here for looked for


def _is_certain(text: str) -> bool:
    return len(text) >= SAFE_CHARS and not _may_be_any_word(text)


def _may_be_any_word(text: str) -> bool:
    return len(text) < WORD_CHARS and (text.isalpha() or text.isdigit())


def _as_word(text: str) -> str:
    """Build the pattern that finds a secret which other words may hold, or be."""
    word = re.escape(text)
    return (
        rf"(?<=:){word}(?=@)|(?<=Bearer ){word}(?!\w)" if _may_be_any_word(text) else rf"(?<!\w){word}(?!\w)"
    )


_KNOWN = _KnownSecrets()


def forget_secrets() -> None:
    """Know no secret any more: for tests, which share a process."""
    _KNOWN.clear()


def hide_secrets(text: str) -> str:
    """Replace every known secret in a text, in whatever spelling, and the password of every URL.

    Call it before a text is cut: the rest of a secret is not found.
    """
    for spelling in _KNOWN.spellings:
        if spelling in text:
            text = text.replace(spelling, MASK)
    for core in _KNOWN.cores:
        if core in text:
            text = _without_base64(text, core)
    if _KNOWN.words is not None:
        text = _KNOWN.words.sub(MASK, text)
    return _URL_PASSWORD.sub(rf"\1:{MASK}@", text) if "://" in text else text


def hide_keys(text: str) -> str:
    """Replace every known secret, and what looks like a key, in a text that comes from outside.

    Not for our own texts: a campaign may be called ``sk-skyline``.
    """
    return _LOOKS_LIKE_A_KEY.sub(MASK, _without_cut_secret(hide_secrets(text)))


def hide_keys_beside_pictures(text: str) -> str:
    """Do the same with a text that may hold pictures and their addresses, which stay whole."""
    return _KEY_AS_A_WORD.sub(MASK, _without_cut_secret(hide_secrets(text)))


def hide_keys_in_bytes(data: bytes) -> bytes:
    """Do the same with bytes; all others stay as they are."""
    text = data.decode("latin-1")
    hidden = hide_keys(text)
    return data if hidden == text else hidden.encode("latin-1", errors="replace")


def _without_base64(text: str, core: str) -> str:
    """Replace each whole run of Base64 that holds the core; its ends would tell some characters more."""
    parts, at = [], 0
    while (found := text.find(core, at)) >= 0:
        start, end = found, found + len(core)
        while start > at and text[start - 1] in _BASE64_CHARS:
            start -= 1
        while end < len(text) and text[end] in _BASE64_CHARS:
            end += 1
        parts += [text[at:start], MASK]
        at = end
    return "".join([*parts, text[at:]])


def _without_cut_secret(text: str) -> str:
    """Replace the beginning of a secret at the end of a text: whoever sent it may have cut it there."""
    for spelling in _KNOWN.spellings:
        start = text.rfind(spelling[:CUT_CHARS], max(0, len(text) - len(spelling)))
        if start >= 0 and spelling.startswith(text[start:]):
            return text[:start] + MASK
    return text
