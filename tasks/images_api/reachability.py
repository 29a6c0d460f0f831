"""Tells why a provider cannot be reached, and whether its API is at an address, without buying anything.

A connection that fails is told by its cause. What answers, but not as an API does, is asked twice more: at
the addresses that were probably meant, and with ``OPTIONS`` at the image endpoint, which sells nothing.
"""

import socket
import ssl
from collections.abc import Iterator
from typing import Literal
from urllib.parse import urlsplit

import httpx2

from tasks.images_api.failures import is_page, json_of
from tasks.images_api.terms import Terms
from tasks.network import proxy_variable
from tasks.redaction import redact

NotReached = Literal["no_network", "untrusted", "wrong_address", "proxy_refuses"]
PROBE_SHARE = 0.15
"""The share of the whole wait that each further question may take."""
ENDPOINTS = ("/images/generations", "/images/edits", "/images", "/models", "/chat/completions")


def has_connected(error: Exception) -> bool:
    """Return whether a request failed only after its connection was there."""
    return isinstance(error, httpx2.ReadTimeout | httpx2.ReadError | httpx2.RemoteProtocolError)


def connection_fault(error: Exception, terms: Terms, url: str) -> tuple[NotReached, str, str]:
    """Tell why there was no answer at all: the kind, a sentence for people, and a better address if any.

    Args:
        error: What the HTTP library raised.
        terms: The provider's terms.
        url: Its address, which may be shown.
    """
    host, variable = urlsplit(url).hostname, proxy_variable(terms.environ, url)
    causes = list(_causes(error))
    for cause in causes:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return "untrusted", f"{url} shows a certificate that is not trusted: {cause.verify_message}", ""
        if isinstance(cause, ssl.SSLError):
            what = f"{url} does not speak https ({cause.reason or cause})"
            return "wrong_address", what, "http" + url.removeprefix("https")
    said = next((cause.strerror for cause in causes if isinstance(cause, OSError) and cause.strerror), "")
    why = redact(said or str(error))
    if isinstance(error, httpx2.ProxyError):
        return "proxy_refuses", f"the proxy in {variable} lets nothing through to {url}: {why}", ""
    if variable is not None and isinstance(error, httpx2.ConnectError):
        return "no_network", f"the proxy in {variable}, which leads to {url}, cannot be reached ({why})", ""
    if any(isinstance(cause, socket.gaierror) for cause in causes):
        return "no_network", f"{url} cannot be reached: there is no address for {host!r} ({why})", ""
    if isinstance(error, httpx2.RemoteProtocolError | httpx2.ReadError | httpx2.WriteError):
        return "no_network", f"{url} ends the connection without an answer ({why})", ""
    return "no_network", f"{url} cannot be reached ({why})", ""


def api_address(client: httpx2.Client, url: str, within_s: float) -> str:
    """Find the address that was probably meant, if an API answers there; empty otherwise.

    Args:
        client: The provider's client.
        url: The address where no list of models is.
        within_s: The whole wait, seconds.
    """
    for candidate in _near(url):
        try:
            response = client.get(f"{candidate}/models", timeout=PROBE_SHARE * within_s)
        except (httpx2.HTTPError, ValueError):
            continue
        body = json_of(response.text)
        is_list = response.is_success and isinstance(body, dict) and isinstance(body.get("data"), list)
        if is_list or (response.status_code in (401, 403) and isinstance(body, dict)):
            return candidate
    return ""


def has_image_endpoint(client: httpx2.Client, url: str, within_s: float) -> bool:
    """Return whether something may sell pictures at an address: anything but a web page or a redirect.

    Frameworks answer ``OPTIONS`` with the methods that are allowed, or with an error of their API.

    Args:
        client: The provider's client.
        url: The address.
        within_s: The whole wait, seconds.
    """
    try:
        response = client.request("OPTIONS", f"{url}/images/generations", timeout=2 * PROBE_SHARE * within_s)
    except (httpx2.HTTPError, ValueError):
        return False
    if "POST" in response.headers.get("allow", "").upper():
        return True
    return not (response.is_redirect or is_page(response.headers, response.text))


def _near(url: str) -> Iterator[str]:
    """Yield what was probably meant: without an endpoint, with ``/v1`` once."""
    base = next((url.removesuffix(end) for end in ENDPOINTS if url.endswith(end)), url)
    while base.endswith("/v1/v1"):
        base = base.removesuffix("/v1")
    if base != url:
        yield base
    if not base.endswith("/v1"):
        yield f"{base}/v1"


def _causes(error: BaseException) -> Iterator[BaseException]:
    """Yield an error and all that led to it."""
    seen: set[int] = set()
    current: BaseException | None = error
    while current is not None and id(current) not in seen:
        seen.add(id(current))
        yield current
        current = current.__cause__ or current.__context__
