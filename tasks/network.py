"""The network settings of an environment, checked before anything is sent: proxies and certificates.

HTTP libraries read these variables whenever a client is made, for any address; one that they cannot use ends
in a traceback, even where the request would never leave this machine.
"""

import ipaddress
import re
import ssl
from collections.abc import Iterator, Mapping
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import urlsplit

from tasks.errors import SettingError
from tasks.redaction import hide_secrets

CERTIFICATES_VARIABLE = "SSL_CERT_FILE"
PROXY_VARIABLES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy")
NO_PROXY_VARIABLES = ("NO_PROXY", "no_proxy")
_SOCKS = ("socks5", "socks5h")
_EXCEPTION = re.compile(
    r"\*|(?:(?:all|https?)://|\*?\.)?[\w-]+(?:\.[\w-]+)*(?::[1-9]\d{0,3}|/\d\d?)?", re.ASCII
)


def check_certificates(environ: Mapping[str, str]) -> None:
    """Check that the file of trusted certificates can be read, if the environment names one.

    Raises:
        SettingError: It is missing or holds no certificate.
    """
    file = environ.get(CERTIFICATES_VARIABLE)
    if not file:
        return
    what = ""
    if not Path(file).is_file():
        what = "is missing, or no file"
    else:
        try:
            ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(file)
        except OSError as error:  # ssl's own errors among them
            what = f"cannot be used: {error.strerror or error}"
    if what:
        raise SettingError(
            where=CERTIFICATES_VARIABLE,
            what=f"the file of certificates {file!r} {what}",
            accepted="a PEM file of the certificates to trust",
            next_step=f"Name one that exists, or: unset {CERTIFICATES_VARIABLE}",
        )


def check_proxies(environ: Mapping[str, str], url: str) -> None:
    """Check that requests to an address can go through the environment's proxies.

    Args:
        environ: Environment variables.
        url: Where requests go; one on this machine is reached without a proxy.

    Raises:
        SettingError: A proxy's address cannot be used, or needs a package that is not installed.
    """
    if is_loopback(url):
        return
    for name, fault, next_step in _unusable(environ):
        raise SettingError(
            where=name,
            what=f"the proxy {hide_secrets(environ[name])!r} {fault}",
            accepted="http://host:port, https://host:port, or socks5://host:port with the package socksio",
            next_step=next_step,
        )


def proxy_variable(environ: Mapping[str, str], url: str) -> str | None:
    """Return the variable whose proxy requests to an address go through; ``None`` where they go directly."""
    scheme, host = urlsplit(url).scheme, urlsplit(url).hostname or ""
    exceptions = (environ.get("no_proxy") or environ.get("NO_PROXY") or "").split(",")
    domains = [entry.strip().partition("://")[2] or entry.strip() for entry in exceptions]
    if is_loopback(url) or any(_is_within(host, domain.partition(":")[0]) for domain in domains):
        return None
    names = (f"{scheme}_proxy", f"{scheme.upper()}_PROXY", "all_proxy", "ALL_PROXY")
    return next((name for name in names if environ.get(name, "").strip()), None)


def is_loopback(url: str) -> bool:
    """Return whether an address is on this machine."""
    host = urlsplit(url).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def local_network(environ: Mapping[str, str]) -> dict[str, str | None]:
    """Return the changes after which any HTTP library reaches this machine directly.

    Args:
        environ: Environment variables.

    Returns:
        Variables to set, or to unset where the value is ``None``. Only proxies that no library here can use
        are unset; requests that would need one are refused by ``check_proxies``.
    """
    changes: dict[str, str | None] = {name: None for name, _, _ in _unusable(environ)}
    has_proxy = any(environ.get(name) for name in PROXY_VARIABLES)
    given = environ.get("NO_PROXY") or environ.get("no_proxy") or ""
    entries = [entry for entry in map(_as_library_reads, given.split(",")) if entry]
    if has_proxy:
        entries += [name for name in ("127.0.0.1", "localhost") if name not in entries]
    if has_proxy or any(environ.get(name) for name in NO_PROXY_VARIABLES):
        changes |= dict.fromkeys(NO_PROXY_VARIABLES, ",".join(entries))
    return changes


def _is_within(host: str, domain: str) -> bool:
    return domain == "*" or (domain != "" and f".{host}".endswith(f".{domain.lstrip('*.')}"))


def _unusable(environ: Mapping[str, str]) -> Iterator[tuple[str, str, str]]:
    """List the proxies that cannot be used: variable, fault, next step."""
    for name in PROXY_VARIABLES:
        value = environ.get(name, "").strip()
        if not value:
            continue
        try:
            parts = urlsplit(value if "://" in value else f"http://{value}")
            is_address = bool(parts.hostname) and (parts.port is None or parts.port > 0)
        except ValueError:
            is_address = False
        if not is_address or parts.scheme not in ("http", "https", *_SOCKS):
            yield name, "is no address of a proxy", f"Correct it, or: unset {name}"
        elif parts.scheme in _SOCKS and find_spec("socksio") is None:
            fix = f"pip install socksio, or set HTTPS_PROXY to an HTTP proxy, or: unset {name}"
            yield name, "is a SOCKS proxy, for which the package socksio is missing", fix


def _as_library_reads(entry: str) -> str:
    """Write an entry of ``NO_PROXY`` as httpx 0.28 can read it; empty where it cannot."""
    entry = entry.strip()
    try:
        return str(ipaddress.IPv6Address(entry.strip("[]")))
    except ValueError:  # such as a range of IPv6 addresses
        return entry if _EXCEPTION.fullmatch(entry) else ""
