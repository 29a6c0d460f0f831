"""The secrets of an environment: variables whose names say so, and the passwords inside addresses."""

import json
import re
from collections.abc import Iterator, Mapping
from urllib.parse import parse_qsl, unquote, urlsplit

from tasks.redaction.known_secrets import SAFE_CHARS, Secret
from tasks.redaction.logs import redact_logs

_SECRET_NAME = re.compile(
    r"(?:(?:^|[_-]|API)KEY|TOKEN|SECRET|PASSWORD|PASSWD|PASSPHRASE|CREDENTIALS?|AUTH_STRING|COOKIE)$",
    re.IGNORECASE,
)
_SECRET_PARAMETER = re.compile(r"key|token|secret|pass|pwd|sig|auth|code", re.IGNORECASE)
_SCHEME = re.compile(r"(?:Basic|Bearer|Token) ", re.IGNORECASE)
_HEADERS_NAME = re.compile(r"_HEADERS$")
_SHOWN = frozenset({"RUNOFF_REVIEW_TOKEN"})
"""The review page's token is part of the address that the command prints for people."""


def learn_environment(environ: Mapping[str, str]) -> None:
    """Make the secrets of an environment known to the redactor, and let this process's logs be redacted.

    Args:
        environ: Environment variables; nothing but the secrets is kept of it.
    """
    redact_logs()
    for name, value in environ.items():
        for text in secrets_of(name, value):
            Secret(text)


def is_secret_name(name: str) -> bool:
    """Return whether a variable's name says that its value is a secret."""
    return bool(_SECRET_NAME.search(name)) and name not in _SHOWN


def secrets_of(name: str, value: str) -> Iterator[str]:
    """List the secrets inside one variable's value.

    Args:
        name: The variable.
        value: Its value; paths and values too short to guard anything are not taken for secrets.
    """
    value = value.strip()
    is_path = name.upper().endswith("CREDENTIALS") and value[:1] in ("/", ".", "~")
    if is_secret_name(name) and len(value) >= SAFE_CHARS and not is_path:
        yield value
        yield from (line.strip() for line in value.splitlines())
        if name.endswith("AUTH_STRING"):  # user:password
            yield value.partition(":")[2]
    if _HEADERS_NAME.search(name):
        yield from _header_values(value)
    if "://" in value:
        yield from secrets_of_address(value)


def secrets_of_address(address: str) -> Iterator[str]:
    """List the passwords, and the keys among the query parameters, of an address."""
    try:
        parts = urlsplit(address)
        user, password, _ = parts.username, parts.password, parts.port
    except ValueError:  # such as a password with a slash, after which no port is one
        yield from re.findall(r"://[^:@]*:(.*)@", address, re.DOTALL)
        return
    if password:
        yield password
        yield unquote(password)
    elif user and len(user) >= SAFE_CHARS:  # a token in a user's place
        yield user
    for parameter, value in parse_qsl(parts.query):
        if _SECRET_PARAMETER.search(parameter):
            yield value


def _header_values(value: str) -> Iterator[str]:
    """List the values of headers: of JSON, of lines ``name: value``, or of ``name=value,…``, with ``%20``."""
    try:
        found = json.loads(value)
    except (ValueError, RecursionError):
        texts = [pair.partition("=")[2] for pair in value.split(",")]  # OpenTelemetry's
        lines = [line.partition(":")[2] for line in value.splitlines()]
        found = dict(enumerate([*texts, *map(unquote, texts), *lines]))
    if isinstance(found, dict):
        texts = [str(each).strip() for each in found.values()]
        credentials = [text.partition(" ")[2].strip() for text in texts if _SCHEME.match(text)]
        yield from (text for text in (*texts, *credentials) if len(text) >= SAFE_CHARS)
