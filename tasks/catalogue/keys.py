"""Reading a key from its environment variable: what was certainly pasted along is trimmed, the rest refused.

A key is sent in an HTTP header, so it can be checked before anything is sent: visible ASCII on one line. A
refused key is in no message; only its variable is named, and what is wrong with it.
"""

import re
import unicodedata
from collections.abc import Mapping

from tasks.errors import SettingError
from tasks.redaction import Secret

_INVISIBLE = "\u200b\u200c\u200d\u2060\ufeff\u00ad"
_CURLY = "\u2018\u2019\u201a\u201b\u201c\u201d\u201e\u201f\u00ab\u00bb\u2039\u203a"
_IS_ONE_LINE = "one line of letters, digits and ASCII signs, as the provider shows it"


def read_key(variable: str, environ: Mapping[str, str]) -> Secret | None:
    """Read a key from the environment.

    Trimmed are blanks, invisible characters and quotes around it, and ``Bearer`` or the variable's own name
    before it.

    Args:
        variable: The environment variable.
        environ: Environment variables.

    Returns:
        The key; ``None`` when the variable is not set or holds none.

    Raises:
        SettingError: What is left cannot be a key; the message names the variable, and shows nothing of it.
    """
    key = Secret(_trimmed(environ.get(variable, ""), variable))
    fault = header_fault(key.reveal(), has_blanks=False)
    if fault:
        raise refused(variable, fault)
    return key if key.reveal() else None


def _trimmed(value: str, variable: str) -> str:
    before = None
    while value != before:
        before = value
        value = value.strip().strip(_INVISIBLE + _CURLY)
        value = re.sub(
            rf"^(?:Bearer\s+|(?:export\s+)?{re.escape(variable)}=)", "", value, flags=re.IGNORECASE
        )
        if len(value) > 1 and value[0] == value[-1] and value[0] in "\"'`":
            value = value[1:-1]
    return value


def header_fault(value: str, *, has_blanks: bool) -> str:
    """Say why a value cannot be sent in a header, without showing it; empty if it can.

    Args:
        value: The value.
        has_blanks: Whether blanks may be inside it.
    """
    for position, character in enumerate(value, 1):
        place = f"at character {position} of {len(value)}"
        if character in "\r\n\v\f\x1c\x1d\x1e\x85\u2028\u2029":
            return f"has a line end inside, {place}"
        if character.isspace() and not (has_blanks and character in " \t"):
            return f"has a blank inside, {place}"
        if not (character.isprintable() and character.isascii()) and character != "\t":
            name = unicodedata.name(character, f"U+{ord(character):04X}")
            return f"has a character that cannot be sent, {place}: {name}"
    if value[:1] in ("'", '"', "`") or value[-1:] in ("'", '"', "`"):
        return "has a quote at one end only" if not has_blanks else ""
    return ""


def refused(variable: str, fault: str) -> SettingError:
    """Build the error for a variable that holds no usable key.

    Args:
        variable: The environment variable.
        fault: What is wrong, without the value.
    """
    return SettingError(
        where=variable,
        what=f"the key in this environment variable {fault}",
        accepted=_IS_ONE_LINE,
        next_step=f"Copy it again, then: export {variable}=…",
    )
