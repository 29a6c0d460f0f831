"""A provider's address, taken apart: what may be shown, and the password and query that may not."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, unquote, urlsplit, urlunsplit

from tasks.errors import SettingError
from tasks.redaction import Secret, hide_secrets, secrets_of_address


@dataclass(frozen=True, slots=True)
class Address:
    """Where a provider is.

    Args:
        url: The address without user, password and query; it may be shown.
        credentials: ``user:password`` of the address, sent as ``Basic`` instead of a key.
        query: The parameters of the address, sent with every request.
    """

    url: str
    credentials: Secret | None = None
    query: Mapping[str, str] = field(default_factory=dict, repr=False)


def read_address(text: str, where: str) -> Address:
    """Take an address apart.

    Args:
        text: The address as set.
        where: The setting it comes from, for the error.

    Raises:
        SettingError: It is not an HTTP URL. A password in it is not shown.
    """
    for secret in secrets_of_address(text):
        Secret(secret)
    if not _is_web_address(text):
        raise SettingError(
            where=where,
            what=f"{hide_secrets(text)!r} is not a URL",
            accepted="http://… or https://…, up to and including /v1",
        )
    parts = urlsplit(text)
    user, password = unquote(parts.username or ""), unquote(parts.password or "")
    host = parts.netloc.rpartition("@")[2]
    return Address(
        url=urlunsplit((parts.scheme, host, parts.path, "", "")).rstrip("/"),
        credentials=Secret(f"{user}:{password}") if user or password else None,
        query=dict(parse_qsl(parts.query, keep_blank_values=True)),
    )


def _is_web_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
        has_port = parts.port is None or parts.port > 0
    except ValueError:
        return False
    is_whole = parts.scheme in ("http", "https") and bool(parts.hostname) and has_port
    return is_whole and not any(character.isspace() for character in url)
