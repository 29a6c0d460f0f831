"""Headers and query parameters that a provider needs besides the key, with values from the environment.

``${NAME}`` in a value stands for an environment variable, and what it brings is a secret. ``${NAME:-}`` may
be unset; the header or parameter is then left out.
"""

import re
from collections.abc import Iterator, Mapping

from tasks.catalogue.keys import header_fault
from tasks.errors import SettingError
from tasks.redaction import Secret

Values = Mapping[str, str | Secret]
"""Values to send; those from the environment are secrets."""

_VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)(:-)?\}")
_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
AUTHORIZATION = "authorization"
_RUNOFFS_OWN = frozenset(
    {
        "accept-encoding", "connection", "content-encoding", "content-length", "content-type", "expect",
        "host", "te", "trailer", "transfer-encoding", "upgrade", "x-client-request-id",
    }
)  # fmt: skip


def check_templates(templates: Mapping[str, str]) -> Mapping[str, str]:
    """Check headers or parameters of a file.

    Raises:
        ValueError: A ``${`` does not begin the name of a variable.
    """
    for name, template in templates.items():
        if "${" in _VARIABLE.sub("", template):
            message = (
                f"{name}: ${{ is not followed by a variable's name and }}, accepted: ${{NAME}} or ${{NAME:-}}"
            )
            raise ValueError(message)
    return templates


def check_headers(templates: Mapping[str, str]) -> Mapping[str, str]:
    """Check the headers of a file.

    Raises:
        ValueError: One has no valid name or value, or is one that Runoff sets itself.
    """
    for name, template in check_templates(templates).items():
        if fault := _name_fault(name) or header_fault(_VARIABLE.sub("x", template), has_blanks=True):
            message = f"{name}: {fault}"
            raise ValueError(message)
    return templates


def variables_of(templates: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """List each header or parameter with every environment variable in its value."""
    for name, template in templates.items():
        yield from ((name, found[1]) for found in _VARIABLE.finditer(template))


def filled(templates: Mapping[str, str], environ: Mapping[str, str], where: str) -> dict[str, str | Secret]:
    """Put the environment's values in.

    Args:
        templates: Headers or parameters of a file.
        environ: Environment variables.
        where: The provider, for the error.

    Raises:
        SettingError: A variable is not set, or holds what cannot be sent; the message shows nothing of it.
    """
    values: dict[str, str | Secret] = {}
    for name, template in templates.items():
        brought = [_read(found[1], found[2] is not None, environ, f"{where}.{name}") for found in
                   _VARIABLE.finditer(template)]  # fmt: skip
        if None in brought:
            continue
        parts = iter([one.reveal() for one in brought if one is not None])
        text = _VARIABLE.sub(lambda _, parts=parts: next(parts), template)  # type: ignore[misc]
        values[name] = Secret(text) if brought else text
    return values


def _read(variable: str, is_optional: bool, environ: Mapping[str, str], where: str) -> Secret | None:
    secret = Secret(environ.get(variable, "").strip())
    if fault := header_fault(secret.reveal(), has_blanks=True):
        raise _refused(variable, f"its value {fault}")
    if secret.reveal():
        return secret
    if is_optional:
        return None
    state = "is empty" if variable in environ else "is not set"
    raise SettingError(
        where=where,
        what=f"needs the environment variable {variable}, which {state}",
        accepted=f"a value for it; ${{{variable}:-}} in the file leaves the value out where it is not set",
        next_step=f"Set it with: export {variable}=…",
    )


def read_header_lines(variable: str, environ: Mapping[str, str]) -> dict[str, Secret]:
    """Read headers from a variable that has one ``Name: value`` on each line.

    ``Authorization`` is left out: the key has a variable of its own.

    Raises:
        SettingError: A header cannot be sent, or is one that Runoff sets itself.
    """
    headers: dict[str, Secret] = {}
    for line in environ.get(variable, "").splitlines():
        name, colon, value = (part.strip() for part in line.partition(":"))
        if not colon or name.lower() == AUTHORIZATION:
            continue
        secret = Secret(value)
        if fault := _name_fault(name) or header_fault(value, has_blanks=True):
            raise _refused(variable, f"the header {name!r} {fault}")
        headers[name] = secret
    return headers


def _name_fault(name: str) -> str:
    if not _NAME.fullmatch(name):
        return "is no name of a header"
    return "is set by Runoff itself" if name.lower() in _RUNOFFS_OWN else ""


def _refused(variable: str, what: str) -> SettingError:
    return SettingError(
        where=variable,
        what=what,
        accepted="visible ASCII characters on one line",
        next_step=f"Set it again with: export {variable}=…",
    )
